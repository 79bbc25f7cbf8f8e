"""Reloading the configuration: one that cannot be used changes nothing and is logged."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from ncr_exporter.config import Config
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.timely import in_thread, timely
from ncr_exporter.runtime.watched_files import WatchedFile

_CHECK_INTERVAL = 5.0
"""Seconds between two looks at the file. Kubernetes updates a mounted ConfigMap within a minute."""

log = structlog.get_logger()


class ReloadError(UserError):
    """A reload failed for a reason that nobody foresaw; `str()` names it."""


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
    ) -> None:
        """`read` reads the configuration, in a thread; `use` puts it in force.

        Both raise UserError if it cannot be used, and then have changed nothing.
        """
        self._read = read
        self._use = use
        self._listener = listener
        self._clock = clock
        self._lock = asyncio.Lock()
        self._due: asyncio.Task[None] | None = None
        """The reload that begins after the one under way."""

    async def reload(self) -> None:
        """Read the configuration and put it in force, in a reload that begins after this call.

        It goes on if the caller is cancelled: others may wait for it.

        Raises:
            UserError: it cannot be used, and the one in force stays; or there is a bug.
        """
        if self._due is None:
            self._due = asyncio.create_task(self._run_due())
            self._due.add_done_callback(_seen)
        await asyncio.shield(self._due)

    async def _run_due(self) -> None:
        async with self._lock:
            self._due = None  # who asks from now on may mean a newer file
            await self._reload()

    async def _reload(self) -> None:
        try:
            config = await in_thread(self._read)  # a large file takes seconds
            await self._use(config)
        except UserError as error:
            self._listener.record_reload_failure()
            log.error(  # noqa: TRY400 -- it is the file that is wrong, not the program
                "reload failed; the configuration in force stays", error=str(error)
            )
            raise
        except Exception as error:
            self._listener.record_reload_failure()
            log.exception("unexpected error in a reload")
            name = type(error).__name__
            raise ReloadError(f"unexpected {name}; the log has its traceback") from None
        log.info("configuration reloaded")

    async def follow(self, path: Path, digest: str) -> None:
        """Reload whenever the content of the file at `path` changes, until cancelled.

        `digest` is the SHA-256, in hex, of the content that is in force.
        """
        file = WatchedFile(path)
        while True:
            await self._clock.sleep(_CHECK_INTERVAL)
            current = await in_thread(partial(_digest_if_changed, file))
            if current is not None and current != digest:
                digest = current
                try:
                    await self.reload()
                except UserError:
                    continue  # logged by `reload`; the next change may correct the file


def _digest_if_changed(file: WatchedFile) -> str | None:
    """Return the SHA-256, in hex, of a changed file; None if it is unchanged or cannot be read."""
    try:
        changed = timely(file.path, file.changed)
        return hashlib.sha256(timely(file.path, file.read)).hexdigest() if changed else None
    except OSError:
        return None


def _seen(reload: asyncio.Task[None]) -> None:
    """Mark a failure as seen: it is logged already, and whoever asked may be gone."""
    if not reload.cancelled():
        reload.exception()
