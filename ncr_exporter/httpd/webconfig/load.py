"""Load the web configuration file: text → `WebConfig`, or all problems with their lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ncr_exporter.config.load import read_file
from ncr_exporter.config.reader import Reader
from ncr_exporter.config.secret import Secret
from ncr_exporter.config.yaml_tree import (
    ConfigError,
    Mistakes,
    Node,
    Problem,
    ReportProblem,
    read_verbatim,
)
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


def _has_tls(root: Node) -> bool:
    """Return whether `tls_server_config` has any key with a value."""
    section = root.child("tls_server_config")
    given = section.value.values() if isinstance(section.value, dict) else ()
    return section is not root and any(node.value is not None for node in given)


def _mistakes(settings: WebConfigSettings, root: Node) -> Mistakes:
    """Yield the mistakes that no single value shows."""
    if _has_tls(root):
        node = root.child("tls_server_config")
        yield from _pairs(node)
        yield from _clients(settings.tls_server_config, node)
        yield from _versions(settings.tls_server_config, node)
    for user in settings.basic_auth_users:
        if ":" in user:  # kept out of the message: it may be `user:hash` without a space
            node = root.child("basic_auth_users")
            yield "a user's name cannot hold a colon: it ends there in HTTP", node


def _pairs(node: Node) -> Mistakes:
    """Yield texts that are missing or given twice; a key with a wrong value counts as given."""
    for key in ("cert", "key", "client_ca"):
        file = f"{key}_file"
        given = {name for name in (key, file) if _is_given(node, name)}
        if len(given) > 1:
            yield f"give {file} or {key}, not both", node
        if not given and key != "client_ca":
            yield f"{file} (or {key}) is needed for TLS", node


def _clients(tls: TlsSettings, node: Node) -> Mistakes:
    given = _is_given(node, "client_auth_type")
    if given and node.value["client_auth_type"].value != tls.client_auth_type:
        return  # its value was wrong and is reported already; `tls` has the default
    if tls.client_auth_type == "NoClientCert":
        for key in ("client_ca_file", "client_ca"):
            if _is_given(node, key):
                wanted = "client_auth_type: RequireAndVerifyClientCert"
                yield f"has no effect without a client_auth_type; write {wanted}", node.child(key)
    if _is_given(node, "client_allowed_sans") and not tls.verifies:
        message = "protects nothing unless client_auth_type is RequireAndVerifyClientCert"
        yield message, node.child("client_allowed_sans")


def _versions(tls: TlsSettings, node: Node) -> Mistakes:
    newest = VERSIONS.index(tls.max_version)
    if newest < _OLDEST:
        yield "TLS 1.2 is the oldest version supported", node.child("max_version")
    elif newest < VERSIONS.index(tls.min_version):
        yield f"is above max_version, {tls.max_version}", node.child("min_version")
    only13 = bool(tls.cipher_suites) and TLS13_CIPHERS.issuperset(tls.cipher_suites)
    if newest == _OLDEST and only13:
        yield "names no cipher suite of TLS 1.2, the max_version", node.child("cipher_suites")


def _is_given(node: Node, key: str) -> bool:
    return key in node.value and node.value[key].value is not None


FLAG = "--web.config.file"


@dataclass(frozen=True)
class WebConfig:
    """The settings of the file, ready for use."""

    tls: Tls | None
    """None for plain HTTP."""
    users: Mapping[str, Secret]
    """User names with the bcrypt hashes of their passwords; empty if no password is asked for."""
    headers: Mapping[str, str]
    """Headers of every response, names in lower case."""
    rate: RateSettings


def load_web_config(path: str, files: WatchedFiles) -> WebConfig:
    """Return the settings of the file at `path`.

    Args:
        path: the web configuration file.
        files: watches this file and all files that it names.

    Raises:
        ConfigError: with all problems, in the order of their lines.
    """
    problems: list[Problem] = []
    text = read_file(path, FLAG, files.read)
    root = read_verbatim(text, path, problems.append)
    settings = Reader(problems.append).section(WebConfigSettings, root)
    if isinstance(settings, WebConfigSettings):
        problems += [node.problem(message) for message, node in _mistakes(settings, root)]
        tls = None
        if _has_tls(root) and not problems:
            tls = _tls(settings, path, root, files, problems.append)
        if not problems:
            return _web_config(settings, tls)
    raise ConfigError(path, sorted(problems, key=lambda problem: problem.line or 0))


def _tls(
    settings: WebConfigSettings, path: str, root: Node, files: WatchedFiles, report: ReportProblem
) -> Tls | None:
    directory = Path(path).parent
    node = root.child("tls_server_config")
    return tls_of(
        settings.tls_server_config, node, lambda name: files.read(directory / name), report
    )


def _web_config(settings: WebConfigSettings, tls: Tls | None) -> WebConfig:
    given = settings.http_server_config.headers
    headers = {name.lower(): value for name, value in given.items() if value}
    return WebConfig(tls, settings.basic_auth_users, headers, settings.rate_limit)
