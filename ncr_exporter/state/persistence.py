"""The state over a restart: read at the start, written periodically and at the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog

from ncr_exporter.runtime.atomicfile import WriteError, check_writable, remove_leftovers
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.filelock import FileLock
from ncr_exporter.runtime.threads import in_own_thread
from ncr_exporter.state.file import (
    NewerStateError,
    StateError,
    is_newer,
    read_state,
    set_aside,
    write_state,
)
from ncr_exporter.state.frames import (
    clock_frame,
    deleted_frame,
    image_frame,
    registry_frame,
)
from ncr_exporter.state.model import DeletedImage, ImageState, RegistryState
from ncr_exporter.state.restoring import FrameReader
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import Coverage

_FILE_NAME = "ncr-exporter.state"
_LOCK_NAME = "ncr-exporter.lock"

_SHORTEST_PAUSE = 60.0
"""Seconds between two writes."""
_CPU_SHARE = 1 / 100
"""Share of one core that writing may take: a large state is written less often."""

log = structlog.get_logger()


class StorageError(UserError):
    """The directory of `--storage.path` cannot be used; `str()` names it and says why."""


class PersistenceListener(Protocol):
    """Called when the state was written, and when it could not be."""

    def record_state_write(self, at: float) -> None:
        """Record that the state file is of the moment `at` (s since the epoch)."""
        ...

    def record_state_write_failure(self) -> None:
        """Record that the state could not be written."""
        ...


class _Snapshot(NamedTuple):
    """The states of one moment. States are frozen, so that a thread may read them."""

    clock: bytes | None
    """The frame that says how wrong the host's clock is; None where it is right."""
    registries: list[RegistryState]
    images: list[ImageState]
    deleted: list[DeletedImage]


class StatePersister:
    """Writes a store's states to a file in `directory`, and reads the file of an earlier run.

    Only one process at a time writes there. `prepare` claims the directory until `persisting`
    closes; a write without either claims it until the write ends. The file of a newer version is
    never replaced.
    """

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        listener: PersistenceListener | None = None,
        *,
        on_progress: Callable[[], object] = lambda: None,
    ) -> None:
        """`on_progress` is called, in a thread, while a write makes progress."""
        self._path = directory / _FILE_NAME
        self._lock = FileLock(directory / _LOCK_NAME)
        self._clock = clock
        self._listener = listener
        self._on_progress = on_progress
        self.failure: str | None = None
        """Why the last write failed; None if it succeeded."""
        self._stays_claimed = False
        self._is_abandoned = False
        """Whether nobody waits any more for the file to be read."""

    def prepare(self) -> None:
        """Make the directory ready: create it, claim it, and remove what killed writers left.

        Raises:
            StorageError: it cannot be created or written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            check_writable(self._path)
        except (OSError, WriteError) as error:
            raise StorageError(f"--storage.path: {_why(error)}") from None
        remove_leftovers(self._path)
        self._stays_claimed = True
        if not self._is_claimed():
            log.warning(_CLAIMED, file=str(self._path), remedy=_CLAIMED_REMEDY)

    def release(self) -> None:
        """Let another process write there."""
        self._stays_claimed = False
        self._lock.release()

    def read(self, coverage: Coverage | None = None, saved: SavedState | None = None) -> SavedState:
        """Return the saved state, or add it to `saved`; it is empty if there is no file.

        With `coverage`, images that it does not cover are left out, and the others are evaluated.
        A damaged file is renamed and a warning logged: the exporter starts without it. The file of
        a newer version stays where it is.

        Raises:
            StorageError: the file cannot be read.
        """
        saved = SavedState() if saved is None else saved
        try:
            self._read(saved, coverage)
        except FileNotFoundError:
            pass
        except StateError as error:
            saved.clear()
            self._refuse(error)
        except OSError as error:
            raise StorageError(f"--storage.path: {_why(error)}") from None
        finally:
            self._release_if_claimed_for_one_use()
        return saved

    async def read_in_thread(self, coverage: Coverage, saved: SavedState) -> None:
        """Do what `read` does, while the event loop runs other tasks.

        Raises:
            StorageError: as `read` does.
        """
        reading = in_own_thread(lambda: self._read_into(coverage, saved))
        try:
            await asyncio.shield(reading)
        finally:
            self._is_abandoned = True  # a thread cannot be cancelled: it looks here now and then
            reading.add_done_callback(_forget_error)

    def _read_into(self, coverage: Coverage, saved: SavedState) -> None:
        self.read(coverage, saved)

    def _read(self, saved: SavedState, coverage: Coverage | None) -> None:
        reader = FrameReader(saved, self._clock.time(), coverage)
        for frame in read_state(self._path):
            reader.add(frame)
            if self._is_abandoned:
                return
        if self._listener:
            self._listener.record_state_write(self._path.stat().st_mtime)
        images = sum(map(len, saved.images.values()))
        log.info("stored state read", images=images, refused=saved.refused)

    def _refuse(self, error: StateError) -> None:
        """Set a damaged file aside; leave that of a newer version to that version."""
        if isinstance(error, NewerStateError):
            log.warning(_NOT_READ, file=str(self._path), error=str(error), remedy=_NEWER_REMEDY)
            return
        aside = self._path
        if self._is_claimed():
            with suppress(OSError):  # it stays then, until a write replaces it
                aside = set_aside(self._path)
        log.warning(_NOT_READ, file=str(aside), error=str(error))

    @asynccontextmanager
    async def persisting(
        self, store: Store, correction: Callable[[], float] = lambda: 0.0
    ) -> AsyncIterator[None]:
        """Write the store's states periodically while the context is open, and when it closes.

        `correction` returns the seconds that are added to the host's time in the states' times.
        """
        self._stays_claimed = True
        task = asyncio.create_task(self._write_periodically(store, correction))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self.write(store, correction())
            self.release()

    async def _write_periodically(self, store: Store, correction: Callable[[], float]) -> None:
        pause = _SHORTEST_PAUSE
        while True:
            await self._clock.sleep(pause)
            pause = max(_SHORTEST_PAUSE, await self.write(store, correction()) / _CPU_SHARE)

    async def write(self, store: Store, correction: float = 0.0) -> float:
        """Write the current states and return the CPU time (s) that it took.

        A failure is logged and counted, and leaves the file from before. `correction` is what is
        added to the host's time in the states' times, in seconds.
        """
        at, cpu = self._clock.time(), list[float]()
        try:
            snapshot = _snapshot_of(store, correction, at)
            await _finished_in_thread(lambda: self._write(snapshot, cpu))
        except Exception as error:  # noqa: BLE001 -- a bug must show as what it is: a state not stored
            self._record_failure(error)
        else:
            self._record_success(at)
        return sum(cpu)

    def _write(self, snapshot: _Snapshot, cpu: list[float]) -> None:
        """Write a snapshot, and append to `cpu` what that took.

        Raises:
            WriteError: it cannot be written.
        """
        started = time.thread_time()
        self._on_progress()
        try:
            self._check_path()
            write_state(self._path, self._frames(snapshot))
        finally:
            cpu.append(time.thread_time() - started)
            self._release_if_claimed_for_one_use()

    def _check_path(self) -> None:
        """Check that this process may replace the file, in a directory that is made if need be."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"cannot write {self._path}: {_why(error)}") from None
        if not self._is_claimed():
            raise WriteError(f"cannot write {self._path}: {_CLAIMED}; {_CLAIMED_REMEDY}")
        if is_newer(self._path):
            raise WriteError(f"cannot write {self._path}: {_NEWER}; {_NEWER_REMEDY}")

    def _is_claimed(self) -> bool:
        """Return whether this process alone may write, as far as the file system can tell."""
        try:
            return self._lock.acquire()
        except OSError:  # without locks, or not writable at all, which the write itself will tell
            return True

    def _release_if_claimed_for_one_use(self) -> None:
        if not self._stays_claimed:
            self._lock.release()

    def _frames(self, snapshot: _Snapshot) -> Iterator[bytes]:
        """Yield the frames one by one, and tell that the write makes progress."""
        clock = [] if snapshot.clock is None else [snapshot.clock]
        registries = map(registry_frame, snapshot.registries)
        images = map(image_frame, snapshot.images)
        deleted = map(deleted_frame, snapshot.deleted)
        for frame in chain(clock, registries, images, deleted):
            self._on_progress()
            if frame is not None:
                yield frame

    def _record_success(self, at: float) -> None:
        if self.failure is not None:
            log.info("state is stored again", file=str(self._path))
        self.failure = None
        if self._listener:
            self._listener.record_state_write(at)

    def _record_failure(self, error: Exception) -> None:
        """Count a failed write, and log it unless the one before failed for the same reason."""
        failure = str(error)
        if failure != self.failure:
            is_bug = not isinstance(error, WriteError)
            log.warning("state not stored", error=failure, exc_info=error if is_bug else None)
        self.failure = failure
        if self._listener:
            self._listener.record_state_write_failure()


_NOT_READ = "stored state not used"
_CLAIMED = "another process writes its state there"
_CLAIMED_REMEDY = "give each exporter a --storage.path of its own"
_NEWER = "it is the state of a newer version"
_NEWER_REMEDY = "the newer version can go on with it; to begin without it here, remove it"


async def _finished_in_thread(write: Callable[[], None]) -> None:
    # A thread cannot be cancelled. When `persisting` closes, it cancels a write under way and then
    # starts the last one. Side by side, the older state could replace the newer one. So a cancelled
    # write ends only when its thread has.
    writing = in_own_thread(write)
    try:
        await asyncio.shield(writing)
    finally:
        await asyncio.wait([writing])
        _forget_error(writing)  # of a cancelled write; the last one will meet it again


def _snapshot_of(store: Store, correction: float, at: float) -> _Snapshot:
    clock = clock_frame(correction, at + correction) if correction else None
    registries, images = list(store.registries.values()), list(store.images.values())
    return _Snapshot(clock, registries, images, list(store.deleted.values()))


def _forget_error(task: asyncio.Future[None]) -> None:
    """Keep asyncio from reporting an error of a task that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def _why(error: OSError | WriteError) -> str:
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
