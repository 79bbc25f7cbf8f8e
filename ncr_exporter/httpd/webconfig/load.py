"""The web configuration file, read: what it asks for, ready for use, or every problem in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ncr_exporter.config.load import read_file
from ncr_exporter.config.reader import Reader
from ncr_exporter.config.secret import Secret
from ncr_exporter.config.yaml_tree import ConfigError, Node, Problem, ReportProblem, read_verbatim
from ncr_exporter.httpd.access import Tls
from ncr_exporter.httpd.webconfig.model import (
    TLS13_CIPHERS,
    VERSIONS,
    RateSettings,
    TlsSettings,
    WebConfigSettings,
)
from ncr_exporter.httpd.webconfig.tls import tls_of
from ncr_exporter.runtime.watched_files import WatchedFiles

_OLDEST = VERSIONS.index("TLS12")
Found = Iterator[tuple[str, Node]]
"""What is wrong, and where."""


def speaks_tls(root: Node) -> bool:
    """Tell whether `tls_server_config` says anything at all."""
    section = root.child("tls_server_config")
    written = section.value.values() if isinstance(section.value, dict) else ()
    return section is not root and any(node.value is not None for node in written)


def check(settings: WebConfigSettings, root: Node) -> Found:
    """Yield every problem between keys; keys that are wrong themselves were reported already."""
    if speaks_tls(root):
        node = root.child("tls_server_config")
        yield from _pairs(node)
        yield from _clients(settings.tls_server_config, node)
        yield from _versions(settings.tls_server_config, node)
    for user in settings.basic_auth_users:
        if ":" in user:  # not named: it may be `user:hash` without a space
            node = root.child("basic_auth_users")
            yield "a user's name cannot hold a colon: it ends there in HTTP", node


def _pairs(node: Node) -> Found:
    """Yield what is missing, or there twice, by what is written: wrong values count as there."""
    for key in ("cert", "key", "client_ca"):
        file = f"{key}_file"
        written = {name for name in (key, file) if _is_written(node, name)}
        if len(written) > 1:
            yield f"give {file} or {key}, not both", node
        if not written and key != "client_ca":
            yield f"{file} (or {key}) is needed for TLS", node


def _clients(tls: TlsSettings, node: Node) -> Found:
    written = _is_written(node, "client_auth_type")
    if written and node.value["client_auth_type"].value != tls.client_auth_type:
        return  # it was wrong, and is read as if it were not there
    if tls.client_auth_type == "NoClientCert":
        for key in ("client_ca_file", "client_ca"):
            if _is_written(node, key):
                wanted = "client_auth_type: RequireAndVerifyClientCert"
                yield f"is of use only with a client_auth_type; write {wanted}", node.child(key)
    if _is_written(node, "client_allowed_sans") and not tls.verifies:
        message = "protects nothing unless client_auth_type is RequireAndVerifyClientCert"
        yield message, node.child("client_allowed_sans")


def _versions(tls: TlsSettings, node: Node) -> Found:
    newest = VERSIONS.index(tls.max_version)
    if newest < _OLDEST:
        yield "TLS 1.2 is the oldest version spoken here", node.child("max_version")
    elif newest < VERSIONS.index(tls.min_version):
        yield f"is above max_version, {tls.max_version}", node.child("min_version")
    only13 = bool(tls.cipher_suites) and TLS13_CIPHERS.issuperset(tls.cipher_suites)
    if newest == _OLDEST and only13:
        yield "names no cipher suite of TLS 1.2, the max_version", node.child("cipher_suites")


def _is_written(node: Node, key: str) -> bool:
    return key in node.value and node.value[key].value is not None


FLAG = "--web.config.file"


@dataclass(frozen=True)
class WebConfig:
    """What the file asks for."""

    tls: Tls | None
    users: Mapping[str, Secret]
    headers: Mapping[str, str]
    rate: RateSettings


def load_web_config(path: str, files: WatchedFiles) -> WebConfig:
    """Return what the file at `path` asks for; whatever is read for it, `files` watches.

    Raises:
        ConfigError: with every problem, in the order of the file.
    """
    problems: list[Problem] = []
    text = read_file(path, FLAG, files.read)
    root = read_verbatim(text, path, problems.append)
    settings = Reader(problems.append).section(WebConfigSettings, root)
    if isinstance(settings, WebConfigSettings):
        problems += [node.problem(message) for message, node in check(settings, root)]
        tls = None
        if speaks_tls(root) and not problems:
            tls = _tls(settings, path, root, files, problems.append)
        if not problems:
            return _site(settings, tls)
    raise ConfigError(path, sorted(problems, key=lambda problem: problem.line or 0))


def _tls(
    settings: WebConfigSettings, path: str, root: Node, files: WatchedFiles, report: ReportProblem
) -> Tls | None:
    directory = Path(path).parent
    node = root.child("tls_server_config")
    return tls_of(
        settings.tls_server_config, node, lambda name: files.read(directory / name), report
    )


def _site(settings: WebConfigSettings, tls: Tls | None) -> WebConfig:
    written = settings.http_server_config.headers
    headers = {name.lower(): value for name, value in written.items() if value}
    return WebConfig(tls, settings.basic_auth_users, headers, settings.rate_limit)
