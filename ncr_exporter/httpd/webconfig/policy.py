"""The access policy that `--web.config.file` defines; the file may change while we run."""

import asyncio
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
from ncr_exporter.runtime.threads import in_own_thread
from ncr_exporter.runtime.watched_files import WatchedFiles


class TokenBucket:
    """A rate limit: a bucket of tokens, one of which each request takes."""

    def __init__(self, interval: float, burst: int, monotonic: Callable[[], float]) -> None:
        """Make a full bucket.

        Args:
            interval: seconds after which one token is added, above 0.
            burst: how many tokens the bucket holds.
            monotonic: returns monotonic seconds.
        """
        self._interval = interval
        self._burst = burst
        self._monotonic = monotonic
        self._tokens = float(burst)
        self._filled_at = monotonic()

    def take(self) -> bool:
        """Take a token and return whether there was one."""
        now = self._monotonic()
        gained = (now - self._filled_at) / self._interval
        self._tokens, self._filled_at = min(self._burst, self._tokens + gained), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


_CHECK_INTERVAL = 1.0
"""Seconds between two checks whether the files changed."""
_PATIENCE = 1.0
"""Seconds that requests wait for a check, from its beginning: enough unless a disk hangs."""

log = structlog.get_logger()


class WebConfigPolicy(AccessPolicy):
    """Allows what the web configuration file allows.

    Connections and requests make it check, once a second at most, whether the file or its
    certificates changed. The files are read in a thread. A new version that is wrong, turns TLS on
    or off, or removes all users is refused with one warning. The old version stays in force then.
    """

    def __init__(self, path: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Load the file at `path`.

        Args:
            path: the web configuration file.
            monotonic: returns monotonic seconds.

        Raises:
            ConfigError: the file cannot be used.
        """
        self._path = path
        self._monotonic = monotonic
        self._passwords = Passwords()
        self._files = WatchedFiles()
        self._config = load_web_config(path, self._files)
        self._bucket = self._full_bucket(self._config.rate)
        self._checked_at = monotonic()
        self._check: asyncio.Task[None] | None = None
        self._patience_ends = 0.0
        self._refused = ""
        """Why the newest version was refused; empty if it is in force."""
        self._log("web configuration in force")

    @property
    def tls(self) -> Tls | None:
        """How a new connection is encrypted."""
        return self._config.tls

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that the file sets on every response."""
        return self._config.headers

    async def refusal(self, request: Request) -> Response | None:
        """Return 429 above the rate limit, 401 without a right password, or None."""
        await self.refresh()
        if self._bucket is not None and not self._bucket.take():
            return text_response(HTTPStatus.TOO_MANY_REQUESTS, "too many requests\n")
        if not self._config.users:
            return None
        given = request.headers.get("authorization", "")
        return await self._passwords.refusal(self._config.users, given, request.client)

    async def refresh(self) -> None:
        """Put a changed file in force, or go on with the old version while its disk hangs."""
        now = self._monotonic()
        if self._check is None and now - self._checked_at >= _CHECK_INTERVAL:
            self._checked_at = now
            self._check = asyncio.create_task(self._reload_if_changed())
            self._check.add_done_callback(self._end_check)
            self._patience_ends = asyncio.get_running_loop().time() + _PATIENCE
        if self._check is not None:
            left = self._patience_ends - asyncio.get_running_loop().time()
            await asyncio.wait([self._check], timeout=max(0.0, left))

    def _end_check(self, _: asyncio.Task[None]) -> None:
        self._check = None

    async def _reload_if_changed(self) -> None:
        try:
            loaded = await in_own_thread(self._changed_config)
        except (ConfigError, OSError) as error:
            self._refuse("; ".join(str(error).splitlines()))
            return
        self._refused = ""
        if loaded is None:
            return
        config, self._files = loaded
        if config.rate != self._config.rate:
            self._bucket = self._full_bucket(config.rate)
        self._config = config
        self._log("web configuration read again")

    def _changed_config(self) -> tuple[WebConfig, WatchedFiles] | None:
        """Return the new version of the file and what watches it; None if nothing changed.

        Raises:
            ConfigError: the new version cannot be used.
            OSError: a file's disk hangs.
        """
        if not self._files.changed():
            return None
        files = WatchedFiles()
        config = load_web_config(self._path, files)
        self._refuse_opening(config)
        return config, files

    def _refuse(self, reason: str) -> None:
        """Keep the old version, and say why once; each further check tries the new one again."""
        if reason != self._refused:
            log.warning("new web configuration refused, the old one stays in force", reason=reason)
        self._refused = reason

    def _refuse_opening(self, config: WebConfig) -> None:
        """Refuse a version that turns TLS on or off, or removes all users.

        A file that is being written is empty for a moment, and an empty file allows everything.

        Raises:
            ConfigError: the new version is refused.
        """
        if (config.tls is None) != (self._config.tls is None):
            message = "TLS can be turned on or off only by a restart"
            raise ConfigError(self._path, [Problem("tls_server_config", message)])
        if self._config.users and not config.users:
            message = "the last user can be removed only by a restart"
            raise ConfigError(self._path, [Problem("basic_auth_users", message)])

    def _full_bucket(self, rate: RateSettings) -> TokenBucket | None:
        return TokenBucket(rate.interval, rate.burst, self._monotonic) if rate.interval else None

    def _log(self, event: str) -> None:
        tls = "off" if self._config.tls is None else "on"
        log.info(event, file=self._path, tls=tls, users=len(self._config.users))
