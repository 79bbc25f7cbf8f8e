"""The web configuration file, read: what it asks for, ready for use, or every problem in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ncr_exporter.config.load import read_file
from ncr_exporter.config.problems import ConfigError, Problem
from ncr_exporter.config.reader import Reader
from ncr_exporter.config.secret import Secret
from ncr_exporter.config.tree import Node, Report, read_verbatim
from ncr_exporter.httpd.gate import Tls
from ncr_exporter.httpd.webconfig.model import RateSettings, SiteSettings
from ncr_exporter.httpd.webconfig.site_checks import check, speaks_tls
from ncr_exporter.httpd.webconfig.snapshot import Snapshot
from ncr_exporter.httpd.webconfig.tls import tls_of

FLAG = "--web.config.file"


@dataclass(frozen=True)
class Site:
    """What the file asks for."""

    tls: Tls | None
    users: Mapping[str, Secret]
    headers: Mapping[str, str]
    rate: RateSettings


def load_site(path: str, snapshot: Snapshot) -> Site:
    """Return what the file at `path` asks for; whatever is read for it, `snapshot` remembers.

    Raises:
        ConfigError: with every problem, in the order of the file.
    """
    problems: list[Problem] = []
    text = read_file(path, FLAG, snapshot.read)
    root = read_verbatim(text, path, problems.append)
    settings = Reader(problems.append).section(SiteSettings, root)
    if isinstance(settings, SiteSettings):
        problems += [node.problem(message) for message, node in check(settings, root)]
        tls = None
        if speaks_tls(root) and not problems:
            tls = _tls(settings, path, root, snapshot, problems.append)
        if not problems:
            return _site(settings, tls)
    raise ConfigError(path, sorted(problems, key=lambda problem: problem.line or 0))


def _tls(
    settings: SiteSettings, path: str, root: Node, snapshot: Snapshot, report: Report
) -> Tls | None:
    directory = Path(path).parent
    node = root.child("tls_server_config")
    return tls_of(
        settings.tls_server_config, node, lambda name: snapshot.read(directory / name), report
    )


def _site(settings: SiteSettings, tls: Tls | None) -> Site:
    written = settings.http_server_config.headers
    headers = {name.lower(): value for name, value in written.items() if value}
    return Site(tls, settings.basic_auth_users, headers, settings.rate_limit)
