"""Reloading the configuration: one that cannot be used changes nothing and is logged."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from ncr_exporter.config import Config
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.threads import in_own_thread
from ncr_exporter.runtime.timely import timely
from ncr_exporter.runtime.watched_files import WatchedFile

_CHECK_INTERVAL = 5.0
"""Seconds between two looks at the file. Kubernetes updates a mounted ConfigMap within a minute."""
_LONGEST_PAUSE = 60.0
"""Seconds until a reload that failed is tried again, at most; at first it is one look."""

log = structlog.get_logger()


class ReloadError(UserError):
    """A reload failed for a reason that nobody foresaw; `str()` names it."""

    exit_code = 1


class ReloadListener(Protocol):
    """Called when a reload failed."""

    def record_reload_failure(self) -> None:
        """Record that the file could not be used when it was last read."""
        ...


class Reloader:
    """Reloads the configuration: one reload runs, and one more is due for all who asked since."""

    def __init__(
        self,
        read: Callable[[], Config],
        use: Callable[[Config], Awaitable[None]],
        listener: ReloadListener,
        clock: Clock,
        *,
        digest: str = "",
    ) -> None:
        """`read` reads the configuration, in a thread; `use` puts it in force.

        Both raise UserError if it cannot be used, and then have changed nothing. `digest` is the
        SHA-256, in hex, of the content that is in force.
        """
        self._read = read
        self._use = use
        self._listener = listener
        self._clock = clock
        self._digest = digest
        self._lock = asyncio.Lock()
        self._due: asyncio.Task[None] | None = None
        """The reload that begins after the one under way."""
        self._failure: str | None = None
        """Why the last reload failed; None if it succeeded."""
        self._pause = 0.0
        self._retry_at = 0.0
        """When a failed reload is tried again (monotonic seconds), after `_pause`."""
        self._was_missing = False
        """Whether the file could not be read at the last look."""

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Let reloads wait while the context is open."""
        async with self._lock:
            yield

    async def reload(self) -> None:
        """Read the configuration and put it in force, in a reload that begins after this call.

        It goes on if the caller is cancelled: others may wait for it.

        Raises:
            UserError: it cannot be used, and the one in force stays; or there is a bug.
        """
        self._failure = None  # so that the log has the reason again for the one that asked
        if self._due is None:
            self._due = asyncio.create_task(self._run_due())
            self._due.add_done_callback(_seen)
        await asyncio.shield(self._due)

    async def _run_due(self) -> None:
        async with self._lock:
            self._due = None  # who asks from now on may mean a newer file
            await self._reload()

    async def _reload(self) -> None:
        """Reload, with `_lock` held."""
        self._was_missing = False
        try:
            config = await in_own_thread(self._read)  # a large file takes seconds
            await self._use(config)
        except UserError as error:
            self._record_failure(error)
            raise
        except Exception as error:
            self._record_failure(error)
            unexpected = f"unexpected {type(error).__name__}; the log has its traceback"
            raise ReloadError(unexpected) from error
        self._digest, self._failure, self._pause = config.digest, None, 0.0
        log.info("configuration reloaded")

    def _record_failure(self, error: Exception) -> None:
        """Record a failed reload, and log it unless the one before failed for the same reason."""
        self._pause = min(_LONGEST_PAUSE, max(_CHECK_INTERVAL, 2 * self._pause))
        self._retry_at = self._clock.monotonic() + self._pause
        if str(error) != self._failure:
            log.error(
                "reload failed; the configuration in force stays",
                error=str(error),
                exc_info=None if isinstance(error, UserError) else error,
            )
        self._failure = str(error)
        self._listener.record_reload_failure()

    async def follow(self, path: Path) -> None:
        """Reload when the file at `path` differs from what is in force, until cancelled.

        A reload that failed is tried again, also one by SIGHUP or over HTTP. What it lacked may
        have come since: a secret's file, for instance.
        """
        file = WatchedFile(path)
        while True:
            await self._clock.sleep(_CHECK_INTERVAL)
            try:
                if await in_own_thread(partial(self._is_due, file)):
                    async with self._lock:
                        await self._reload()
            except UserError:
                continue  # recorded by `_reload`
            except Exception as error:  # noqa: BLE001 -- recorded; to end here would be silent, and for good
                self._record_failure(error)

    def _is_due(self, file: WatchedFile) -> bool:
        """Return whether the file should be read again."""
        try:
            if not timely(file.path, file.changed):
                due = self._failure is not None and self._clock.monotonic() >= self._retry_at
                return self._was_missing or due
            content = timely(file.path, file.read)
        except OSError:
            # It is missing for a moment where an editor replaces it. If the next look finds it
            # missing too, the reload fails and says so.
            self._was_missing = True
            return False
        self._was_missing, self._pause = False, 0.0
        return self._failure is not None or hashlib.sha256(content).hexdigest() != self._digest


def _seen(reload: asyncio.Task[None]) -> None:
    """Mark a failure as seen: it is logged already, and whoever asked may be gone."""
    if not reload.cancelled():
        reload.exception()
