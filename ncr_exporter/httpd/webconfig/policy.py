"""The gate that `--web.config.file` describes; the file and its certificates may change."""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

import structlog

from ncr_exporter.config.yaml_tree import ConfigError, Problem
from ncr_exporter.httpd.access import AccessPolicy, Tls
from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.httpd.webconfig.basic_auth import Passwords
from ncr_exporter.httpd.webconfig.load import WebConfig, load_web_config
from ncr_exporter.httpd.webconfig.model import RateSettings
from ncr_exporter.runtime.watched_files import WatchedFiles


class TokenBucket:
    """Holds up to `burst` requests and gains one each `interval` seconds; it begins full."""

    def __init__(self, interval: float, burst: int, monotonic: Callable[[], float]) -> None:
        self._interval = interval
        self._burst = burst
        self._monotonic = monotonic
        self._held = float(burst)
        self._seen = monotonic()

    def take(self) -> bool:
        """Take one request out, or tell that there is none."""
        now = self._monotonic()
        self._held = min(self._burst, self._held + (now - self._seen) / self._interval)
        self._seen = now
        if self._held < 1:
            return False
        self._held -= 1
        return True


_LOOK = 1.0
"""Seconds between two looks at the files."""

log = structlog.get_logger()


class WebConfigPolicy(AccessPolicy):
    """Lets pass whom the file lets pass.

    Looks for changes where a connection or a request comes. A new version that is wrong, or would
    open the server wider than it was started, changes nothing; that is said once.

    Raises:
        ConfigError: the file is wrong at the start.
    """

    def __init__(self, path: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._passwords = Passwords()
        self._files = WatchedFiles()
        self._site = load_web_config(path, self._files)
        self._bucket = self._full_bucket(self._site.rate)
        self._looked = monotonic()
        self._tell("web configuration in force")

    @property
    def tls(self) -> Tls | None:
        """What the file says now."""
        self._look()
        return self._site.tls

    @property
    def headers(self) -> Mapping[str, str]:
        """Those of the file."""
        return self._site.headers

    async def refusal(self, request: Request) -> Response | None:
        """Refuse who comes too often, or without a right password."""
        self._look()
        if self._bucket is not None and not self._bucket.take():
            return text_response(HTTPStatus.TOO_MANY_REQUESTS, "too many requests\n")
        if not self._site.users:
            return None
        given = request.headers.get("authorization", "")
        return await self._passwords.refusal(self._site.users, given)

    def _look(self) -> None:
        now = self._monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        if self._files.changed():
            self._read_again()

    def _read_again(self) -> None:
        self._files = WatchedFiles()
        try:
            site = load_web_config(self._path, self._files)
            self._refuse_opening(site)
        except ConfigError as error:
            reason = "; ".join(str(error).splitlines())
            log.warning("new web configuration refused, the old one stays in force", reason=reason)
            return
        if site.rate != self._site.rate:
            self._bucket = self._full_bucket(site.rate)
        self._site = site
        self._tell("web configuration read again")

    def _refuse_opening(self, site: WebConfig) -> None:
        """Refuse what lets more people in: a file that is being written is empty for a moment."""
        if (site.tls is None) != (self._site.tls is None):
            message = "TLS is turned on or off by a restart only"
            raise ConfigError(self._path, [Problem("tls_server_config", message)])
        if self._site.users and not site.users:
            message = "the last user goes only by a restart"
            raise ConfigError(self._path, [Problem("basic_auth_users", message)])

    def _full_bucket(self, rate: RateSettings) -> TokenBucket | None:
        return TokenBucket(rate.interval, rate.burst, self._monotonic) if rate.interval else None

    def _tell(self, event: str) -> None:
        tls = "off" if self._site.tls is None else "on"
        log.info(event, file=self._path, tls=tls, users=len(self._site.users))
