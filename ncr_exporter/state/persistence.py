"""Keeps the state in a file: read at the start, written now and then, and at the end."""

import asyncio
import hashlib
import os
import re
import time
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from ncr_exporter.runtime.atomicfile import WriteError, check_writable, write_atomically
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.state.saved import SavedState, image_line, read_lines, registry_line
from ncr_exporter.state.store import Store

VERSION = 1
_HEADER = re.compile(rb"ncr-exporter state (\d{1,6}) sha256=([0-9a-f]{64})\n")
_LARGEST = 1024 * 2**20
"""Bytes after gzip, of writing and of reading: a million tags are a fifth of it."""
_LEVEL = 1
_PIECE = 2**20
_PRIVATE = 0o600


class StateError(Exception):
    """The file holds no state of ours; `str()` says why."""


def write_state(path: Path, lines: Iterable[bytes]) -> None:
    """Replace the file whole; lines beyond the largest size are left out.

    Raises:
        WriteError: it cannot be written; what was there before still is.
    """
    compressor = zlib.compressobj(_LEVEL)
    body = [compressor.compress(line) for line in _bounded(lines)]
    body.append(compressor.flush())
    digest = hashlib.sha256(b"".join(body)).hexdigest()
    header = f"ncr-exporter state {VERSION} sha256={digest}\n".encode()
    write_atomically(path, [header, *body], mode=_PRIVATE)


def read_state(path: Path) -> list[bytes]:
    """Return the lines of the file.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
        StateError: it is damaged, too large, or none of ours.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > _LARGEST:
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
    """Rename a file that cannot be used, so that somebody can look at it; return its new name.

    Raises:
        OSError: it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return aside


def _inflated(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(body, _LARGEST)
    except zlib.error as error:
        raise StateError(f"damaged: {error}") from None
    if not inflater.eof:
        raise StateError("larger than any state, or cut short")
    return content


def _bounded(lines: Iterable[bytes]) -> Iterator[bytes]:
    room = _LARGEST
    for line in lines:
        room -= len(line)
        if room < 0:
            return
        yield line


_FILE = "ncr-exporter.state"
_LEAST_PAUSE = 60.0
_SHARE = 1 / 100
"""Of one core at the most: a large state is written less often."""
_AT_A_TIME = 20
"""Images encoded before the event loop has its turn."""

log = structlog.get_logger()


class StorageError(UserError):
    """The directory cannot be used; `str()` names it and says why."""


class StatePersister:
    """Keeps what a store holds in a file under `directory`."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._path = directory / _FILE
        self._clock = clock
        self._is_failing = False

    def read(self) -> SavedState:
        """Return what was kept; a file that cannot be used is set aside with a warning.

        Raises:
            StorageError: the directory cannot be used at all.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            check_writable(self._path)
            kept = read_lines(read_state(self._path), self._clock.time())
        except FileNotFoundError:
            return SavedState()
        except StateError as error:
            aside = set_aside(self._path)
            log.warning("stored state not used", file=str(aside), error=str(error))
            return SavedState()
        except (OSError, WriteError) as error:
            raise StorageError(f"--storage.path: {_why(error)}") from None
        images = sum(map(len, kept.images.values()))
        log.info("stored state read", images=images, refused=kept.refused)
        return kept

    @asynccontextmanager
    async def persisting(self, store: Store) -> AsyncIterator[None]:
        """Write now and then meanwhile, and once more at the end."""
        task = asyncio.create_task(self._write_now_and_then(store))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self.write(store)

    async def _write_now_and_then(self, store: Store) -> None:
        pause = _LEAST_PAUSE
        while True:
            await self._clock.sleep(pause)
            started = time.process_time()
            await self.write(store)
            pause = max(_LEAST_PAUSE, (time.process_time() - started) / _SHARE)

    async def write(self, store: Store) -> None:
        """Write the state as it is; where that fails the file before stays, and the log says so."""
        lines = await _lines(store)
        try:
            # Shielded: a thread cannot be cancelled, and two must not write at a time.
            await asyncio.shield(asyncio.to_thread(write_state, self._path, lines))
        except WriteError as error:
            if not self._is_failing:
                log.warning("state not stored", error=str(error))
            self._is_failing = True
        else:
            self._is_failing = False


async def _lines(store: Store) -> list[bytes]:
    """Encode every state of this moment, a few at a time."""
    registries, images = list(store.registries.values()), list(store.images.values())
    lines = [registry_line(state) for state in registries]
    for start in range(0, len(images), _AT_A_TIME):
        lines += map(image_line, images[start : start + _AT_A_TIME])
        await asyncio.sleep(0)
    return [line for line in lines if line is not None]


def _why(error: OSError | WriteError) -> str:
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
