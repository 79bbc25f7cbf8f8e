"""Another configuration while the program runs: a bad one changes nothing and says why."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import structlog

from ncr_exporter.config import Config
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.watched_files import WatchedFile

_LOOK_AGAIN = 5.0
"""Seconds between two looks at the file; a mounted ConfigMap itself comes a minute late."""

log = structlog.get_logger()


class Listener(Protocol):
    """Told how reading went; the exporter's own metrics."""

    def record_reload_failure(self) -> None:
        """What was read last cannot be used."""
        ...


class Reloader:
    """Reads the configuration with `read` and puts it in force with `use`, one at a time.

    Both raise UserError for one that cannot be used, and then have changed nothing.
    """

    def __init__(
        self,
        read: Callable[[], Config],
        use: Callable[[Config], None],
        listener: Listener,
        clock: Clock,
    ) -> None:
        self._read = read
        self._use = use
        self._listener = listener
        self._clock = clock
        self._turn = asyncio.Lock()

    async def reload(self) -> None:
        """Put the configuration in force as it is now.

        Raises:
            UserError: it cannot be used; the old one stays.
        """
        async with self._turn:
            try:
                config = await asyncio.to_thread(self._read)  # a large file takes its time
                self._use(config)
            except UserError as error:
                self._listener.record_reload_failure()
                log.error(  # noqa: TRY400 -- it is the file that is wrong, not the program
                    "reload failed; the configuration in force stays", error=str(error)
                )
                raise
            log.info("configuration reloaded")

    async def follow(self, path: Path, seen: str) -> None:
        """Reload whenever the file's content changes, however that comes about; never ends.

        `seen` is the SHA-256, in hex, of what was read at the start.
        """
        file = WatchedFile(path)
        while True:
            await self._clock.sleep(_LOOK_AGAIN)
            found = await asyncio.to_thread(_digest, file)
            if found is not None and found != seen:
                seen = found
                try:
                    await self.reload()
                except UserError:
                    continue  # said already; the next change may mend it


def _digest(file: WatchedFile) -> str | None:
    """Return the SHA-256 of a file that changed; None where it did not, or is not there now."""
    try:
        return hashlib.sha256(file.read()).hexdigest() if file.changed() else None
    except OSError:
        return None
