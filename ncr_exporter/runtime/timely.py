"""Blocking calls in daemon threads, each of those on files within a deadline.

A pipe that nobody writes to, or a file server that is down, blocks whoever opens a file there, for
ever, and no call can be interrupted. So the thread that hangs is left behind; it is a daemon, which
the interpreter does not wait for at its end.
"""

import asyncio
import errno
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, TypeVar

FILE_DEADLINE = 5.0
"""Seconds within which a file must be read."""

Result = TypeVar("Result")

_overdue: dict[Path, Future[Any]] = {}
"""Path → the call on it that missed its deadline and still hangs."""
_lock = threading.Lock()


def read_timely(path: Path) -> bytes:
    """Return the content of the file at `path`; blocks for 5 s at most.

    Raises:
        OSError, ValueError: the file cannot be read; TimeoutError, an OSError, after 5 s.
    """
    return timely(path, path.read_bytes)


def timely(path: Path, work: Callable[[], Result]) -> Result:
    """Return the result of `work`, which reads the file at `path`; blocks for 5 s at most.

    While an earlier call on the same file hangs, another one fails at once: threads do not pile up.

    Args:
        path: the file.
        work: runs in a thread of its own; what it raises is raised here.

    Raises:
        TimeoutError: `work` did not end within 5 s.
    """
    _refuse_while_overdue(path)
    future = _started(work)
    try:
        return future.result(FILE_DEADLINE)
    except FutureTimeoutError:
        if future.done():  # `work` itself raised a TimeoutError
            raise
        raise _missed(path, future) from None


async def timely_async(path: Path, work: Callable[[], Result]) -> Result:
    """Return the result of `work` as `timely` does, without blocking the event loop.

    Raises:
        TimeoutError: `work` did not end within 5 s.
    """
    _refuse_while_overdue(path)
    future = _started(work)
    waiting = asyncio.wrap_future(future)
    waiting.add_done_callback(_forgotten)
    done, _ = await asyncio.wait([waiting], timeout=FILE_DEADLINE)
    if done:
        return await waiting
    raise _missed(path, future)


async def in_thread(work: Callable[[], Result]) -> Result:
    """Return the result of `work`, which runs in a thread of its own.

    Unlike `asyncio.to_thread` it never waits for a free thread. The event loop's own few may all be
    taken, as by name look-ups while no name server answers.
    """
    return await asyncio.wrap_future(_started(work))


def _started(work: Callable[[], Result]) -> Future[Result]:
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 -- raised where the result is asked for
            future.set_exception(error)

    future.set_running_or_notify_cancel()  # a caller that gives up must not cancel it half-way
    threading.Thread(target=run, name="file", daemon=True).start()
    return future


def _refuse_while_overdue(path: Path) -> None:
    with _lock:
        before = _overdue.get(path)
        if before is not None and before.done():
            del _overdue[path]
            before = None
    if before is not None:
        raise _timeout()


def _missed(path: Path, future: Future[Result]) -> TimeoutError:
    with _lock:
        _overdue[path] = future
    return _timeout()


def _timeout() -> TimeoutError:
    reason = f"nothing came within {FILE_DEADLINE:g} s; is it a pipe, or its file server down?"
    return TimeoutError(errno.ETIMEDOUT, reason)


def _forgotten(waiting: asyncio.Future[Result]) -> None:
    """Mark what a late call raised as seen: asyncio would log it as never retrieved."""
    if not waiting.cancelled():
        waiting.exception()
