"""The state file: read at the start, written periodically and at the end."""

import asyncio
import hashlib
import os
import re
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from ncr_exporter.runtime.atomicfile import WriteError, check_writable, write_atomically
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.cooperative import run_in_thread
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.state.saved import (
    SavedState,
    clock_line,
    deleted_line,
    image_line,
    read_lines,
    registry_line,
)
from ncr_exporter.state.store import Store

VERSION = 1
_HEADER = re.compile(rb"ncr-exporter state (\d{1,6}) sha256=([0-9a-f]{64})\n")
_FILE_NAME = "ncr-exporter.state"
_MODE = 0o600
_MAX_BYTES = 1024 * 2**20
"""Limit of the file's content before compression: a million tags take a fifth of it."""
_LEVEL = 1
"""zlib's fastest: writing must take little CPU time."""

_SHORTEST_PAUSE = 60.0
"""Seconds between two writes."""
_CPU_SHARE = 1 / 100
"""Share of one core that writing may take: a large state is written less often."""
_IMAGES_PER_STEP = 20
"""Images encoded before other tasks run."""

log = structlog.get_logger()


class StateError(Exception):
    """The file holds no usable state; `str()` says why."""


class StorageError(UserError):
    """The directory of `--storage.path` cannot be used; `str()` names it and says why."""


def write_state(path: Path, lines: Iterable[bytes]) -> None:
    """Replace the file atomically. Lines beyond the size limit are left out.

    Raises:
        WriteError: it cannot be written; the file from before is still there.
    """
    compressor = zlib.compressobj(_LEVEL)
    body = [compressor.compress(line) for line in _bounded(lines)]
    body.append(compressor.flush())
    digest = hashlib.sha256(b"".join(body)).hexdigest()
    header = f"ncr-exporter state {VERSION} sha256={digest}\n".encode()
    write_atomically(path, [header, *body], mode=_MODE)


def read_state(path: Path) -> list[bytes]:
    """Return the lines of the file.

    Raises:
        FileNotFoundError: there is no file.
        OSError: it cannot be read.
        StateError: it is damaged, too large, or not a state file of this version.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > _MAX_BYTES:
            raise StateError("larger than any state")
        match = _HEADER.fullmatch(file.readline(200))
        body = file.read()
    if match is None:
        raise StateError("not a state of this program")
    if int(match[1]) != VERSION:
        raise StateError(f"of version {int(match[1])}; this program reads {VERSION}")
    if hashlib.sha256(body).hexdigest().encode() != match[2]:
        raise StateError("its checksum differs: it is damaged")
    return _inflated(body).splitlines()


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be used, so that people can examine it; return its new path.

    Raises:
        OSError: it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return aside


def _inflated(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(body, _MAX_BYTES)
    except zlib.error as error:
        raise StateError(f"damaged: {error}") from None
    if not inflater.eof:
        raise StateError("larger than any state, or cut short")
    return content


def _bounded(lines: Iterable[bytes]) -> Iterator[bytes]:
    left = _MAX_BYTES
    for line in lines:
        left -= len(line)
        if left < 0:
            return
        yield line


class StatePersister:
    """Writes a store's states to a file in `directory`, and reads the file of an earlier run."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._path = directory / _FILE_NAME
        self._clock = clock
        self.failure: str | None = None
        """Why the last write failed; None if it succeeded."""

    def read(self) -> SavedState:
        """Return the saved state; it is empty if there is no file.

        A damaged file is renamed and a warning logged: the exporter starts without it.

        Raises:
            StorageError: the directory cannot be created or written, or the file cannot be read.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            check_writable(self._path)
            saved = read_lines(read_state(self._path), self._clock.time())
        except FileNotFoundError:
            return SavedState()
        except StateError as error:
            aside = set_aside(self._path)
            log.warning("stored state not used", file=str(aside), error=str(error))
            return SavedState()
        except (OSError, WriteError) as error:
            raise StorageError(f"--storage.path: {_why(error)}") from None
        images = sum(map(len, saved.images.values()))
        log.info("stored state read", images=images, refused=saved.refused)
        return saved

    @asynccontextmanager
    async def persisting(
        self, store: Store, correction: Callable[[], float] = lambda: 0.0
    ) -> AsyncIterator[None]:
        """Write the store's states periodically while the context is open, and when it closes.

        `correction` returns the seconds that are added to the host's time in the states' times.
        """
        task = asyncio.create_task(self._write_periodically(store, correction))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self.write(store, correction())

    async def _write_periodically(self, store: Store, correction: Callable[[], float]) -> None:
        pause = _SHORTEST_PAUSE
        while True:
            await self._clock.sleep(pause)
            started = time.process_time()
            await self.write(store, correction())
            pause = max(_SHORTEST_PAUSE, (time.process_time() - started) / _CPU_SHARE)

    async def write(self, store: Store, correction: float = 0.0) -> None:
        """Write the current states; a failure is logged and leaves the file from before.

        `correction` is what is added to the host's time in the states' times, in seconds.
        """
        lines = await _lines(store)
        if correction:
            lines.insert(0, clock_line(correction))
        try:
            await _write_in_thread(self._path, lines)
        except WriteError as error:
            if self.failure is None:
                log.warning("state not stored", error=str(error))
            self.failure = str(error)
        else:
            self.failure = None


async def _write_in_thread(path: Path, lines: list[bytes]) -> None:
    # A thread cannot be cancelled. When `persisting` closes, it cancels a write under way and then
    # starts the last one. Side by side, the older state could replace the newer one. So a cancelled
    # write ends only when its thread has.
    writing = asyncio.ensure_future(run_in_thread(write_state, path, lines))
    try:
        await asyncio.shield(writing)
    finally:
        await asyncio.wait([writing])


async def _lines(store: Store) -> list[bytes]:
    """Encode the states of this moment, with other tasks running after every few."""
    registries, images = list(store.registries.values()), list(store.images.values())
    deleted = [deleted_line(image) for image in store.deleted.values()]
    lines = [registry_line(state) for state in registries]
    for start in range(0, len(images), _IMAGES_PER_STEP):
        lines += map(image_line, images[start : start + _IMAGES_PER_STEP])
        await asyncio.sleep(0)
    return [line for line in lines if line is not None] + deleted


def _why(error: OSError | WriteError) -> str:
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
