"""Files read within a deadline.

A file server that is down blocks whoever opens a file there, and no such call can be interrupted.
So a file is read in a thread of its own, and a thread that hangs is left behind.
"""

import asyncio
import errno
import os
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ncr_exporter.runtime.threads import start_in_thread

FILE_DEADLINE = 5.0
"""Seconds within which a file must be read."""
_LONGEST_PAUSE = 600.0
"""Seconds until a file that hung for long is tried again; each try may leave one more thread."""
_GRACE = 0.1
"""Seconds after the deadline in which a call that keeps to it by itself ends."""
_PIECE = 256 * 1024  # bytes

Result = TypeVar("Result")


@dataclass(frozen=True)
class _Overdue:
    """A call that missed its deadline."""

    future: Future[Any]
    retry_at: float
    """Monotonic seconds."""
    pause: float


_overdue: dict[Path, _Overdue] = {}
_lock = threading.Lock()


def read_timely(path: Path) -> bytes:
    """Return the content of the file at `path`; blocks for 5 s at most.

    Raises:
        OSError, ValueError: the file cannot be read; TimeoutError, an OSError, after 5 s.
    """
    return timely(path, lambda: read_whole(path))


def read_whole(path: Path) -> bytes:
    """Return the content of a file; of a pipe what is written within 5 s, until it is closed.

    Raises:
        OSError, ValueError: the file cannot be read; TimeoutError, an OSError, if nothing comes.
    """
    ends = time.monotonic() + FILE_DEADLINE
    pieces: list[bytes] = []
    # Opening a pipe that nobody writes to would hang, and reading from it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            if not poll.poll(max(0.0, ends - time.monotonic()) * 1000):
                raise _timeout()
            piece = os.read(descriptor, _PIECE)
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
    finally:
        os.close(descriptor)


def timely(path: Path, work: Callable[[], Result]) -> Result:
    """Run `work`, which reads a file, in a thread; wait for its result for 5 s at most.

    While an earlier call on the same file hangs, further ones fail at once. Now and then one of
    them tries the file again.

    Args:
        path: the file that `work` reads.
        work: takes nothing, and returns what it read; what it raises is raised here.

    Raises:
        TimeoutError: `work` did not end within 5 s, or an earlier call on the file still hangs.
    """
    _refuse_while_overdue(path)
    future = start_in_thread(work)
    try:
        return future.result(FILE_DEADLINE + _GRACE)
    except FutureTimeoutError:
        if future.done():  # `work` itself raised a TimeoutError
            raise
        raise _missed(path, future) from None


async def timely_async(path: Path, work: Callable[[], Result]) -> Result:
    """Run `work`, which reads a file, in a thread; await its result for 5 s at most.

    The event loop runs other tasks meanwhile. Hanging files are handled as in `timely`.

    Raises:
        TimeoutError: `work` did not end within 5 s, or an earlier call on the file still hangs.
    """
    _refuse_while_overdue(path)
    future = start_in_thread(work)
    waiting = asyncio.wrap_future(future)
    waiting.add_done_callback(_seen)
    done, _ = await asyncio.wait([waiting], timeout=FILE_DEADLINE + _GRACE)
    if done:
        return await waiting
    raise _missed(path, future)


def _refuse_while_overdue(path: Path) -> None:
    """Raise TimeoutError if a call on the file hangs, unless it is time to try again."""
    with _lock:
        before = _overdue.get(path)
        if before is None or time.monotonic() >= before.retry_at:
            return
        if before.future.done():
            del _overdue[path]
            return
    raise _timeout()


def _missed(path: Path, future: Future[Any]) -> TimeoutError:
    with _lock:
        before = _overdue.get(path)
        pause = FILE_DEADLINE if before is None else min(2 * before.pause, _LONGEST_PAUSE)
        _overdue[path] = _Overdue(future, time.monotonic() + pause, pause)
    return _timeout()


def _timeout() -> TimeoutError:
    reason = f"nothing came within {FILE_DEADLINE:g} s; is it a pipe, or its file server down?"
    return TimeoutError(errno.ETIMEDOUT, reason)


def _seen(waiting: asyncio.Future[Any]) -> None:
    """Mark what a late call raised as seen: asyncio would log it as never retrieved."""
    if not waiting.cancelled():
        waiting.exception()
