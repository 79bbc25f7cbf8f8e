"""Log lines written by a thread, so that whoever reads them too slowly delays nothing else."""

import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeGuard

_MOST_BYTES = 1024 * 1024
"""Of lines that wait: some ten thousand."""
_LAST_WORDS = 1.0
"""Seconds in which the lines that wait must be taken at the end of the program."""


class LogQueue:
    """Lines on their way to a file descriptor, in order; a line that finds no room is dropped."""

    def __init__(self, descriptor: int, notice: Callable[[int], bytes]) -> None:
        """Start the thread that writes.

        Args:
            descriptor: where lines go; a pipe may be blocking or not.
            notice: returns the line that tells how many were dropped before it.
        """
        self.dropped = 0
        """Lines dropped so far: for want of room, or because they could not be written."""
        self._descriptor = descriptor
        self._notice = notice
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._untold = 0
        """Lines dropped since the last notice."""
        self._changed = threading.Condition()
        self._writing = False
        self._is_closed = False
        # A daemon: the interpreter must not wait for a thread that a stalled reader blocks.
        threading.Thread(target=self._write_lines, name="log", daemon=True).start()

    def put(self, line: bytes) -> None:
        """Append a line, or count it as dropped; never waits for the reader."""
        with self._changed:
            self._tell_of_dropped()
            if self._is_closed or self._untold or not self._has_room(line):
                self._drop()
            else:
                self._append(line)

    def flush(self, within: float = _LAST_WORDS) -> bool:
        """Wait until all lines are written, or for `within` seconds; return whether they are."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, within)

    def close(self) -> None:
        """Write for a second what waits, drop the rest, and end the thread with its line.

        Afterwards the descriptor may be closed: its number may then name another file.
        """
        self.flush()
        with self._changed:
            self._is_closed = True
            self.dropped += len(self._lines)
            self._lines.clear()
            self._untold = 0
            self._changed.notify_all()

    def _write_lines(self) -> None:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._lines or self._is_closed)
                if self._is_closed:
                    return
                line = self._lines.popleft()
                self._bytes -= len(line)
                self._writing = True
            written = _is_written(self._descriptor, line)
            with self._changed:
                if not written:
                    self._drop()  # told of with the next line: a notice now would not arrive either
                elif not self._lines:
                    self._tell_of_dropped()

    def _is_idle(self) -> bool:
        return not self._lines and not self._writing

    def _has_room(self, line: bytes) -> bool:
        return self._bytes + len(line) <= _MOST_BYTES

    def _append(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        self._changed.notify_all()

    def _drop(self) -> None:
        self.dropped += 1
        self._untold += 1

    def _tell_of_dropped(self) -> None:
        """Append the notice where the dropped lines would stand, once half of the room is free."""
        if self._untold and self._bytes <= _MOST_BYTES // 2:
            self._append(self._notice(self._untold))
            self._untold = 0


class _QueueHandler(logging.Handler):
    """Formats a record, its traceback included, where it is logged; then hands the line over."""

    def __init__(self, queue: LogQueue) -> None:
        super().__init__()
        self._queue = queue

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record's line."""
        try:
            self._queue.put(_line(self, record))
        except Exception:  # noqa: BLE001 -- as every handler: what cannot be logged ends nothing
            self.handleError(record)

    def flush(self) -> None:
        """Wait a moment for the lines that were queued."""
        self._queue.flush()


@contextmanager
def logs_in_background() -> Iterator[Callable[[], int]]:
    """Write logs by a thread until the end of the block; give how many lines were dropped so far.

    At the end of the block whoever reads has one second to take the lines that wait. What is left
    then is dropped. Where stderr is no file or pipe of the system, logs are written as before.
    """
    root = logging.getLogger()
    before = next(filter(_writes_to_descriptor, root.handlers), None)
    if before is None:
        yield lambda: 0
        return
    queue = LogQueue(before.stream.fileno(), lambda count: _line(before, _dropped(count)))
    handler = _QueueHandler(queue)
    handler.setFormatter(before.formatter)
    root.handlers = [handler if each is before else each for each in root.handlers]
    try:
        yield lambda: queue.dropped
    finally:
        root.handlers = [before if each is handler else each for each in root.handlers]
        queue.close()


def _writes_to_descriptor(handler: logging.Handler) -> TypeGuard["logging.StreamHandler[TextIO]"]:
    if type(handler) is not logging.StreamHandler:
        return False
    try:
        return int(handler.stream.fileno()) >= 0
    except (AttributeError, OSError, ValueError):  # None, a stream of a test, a closed one
        return False


def _line(handler: logging.Handler, record: logging.LogRecord) -> bytes:
    return f"{handler.format(record)}\n".encode(errors="backslashreplace")


def _dropped(count: int) -> logging.LogRecord:
    words = "%d log lines were dropped: whatever reads stderr does not keep up"
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, words, (count,), None)


def _is_written(descriptor: int, line: bytes) -> bool:
    """Write a line, however long that takes; return False if nobody can ever read it."""
    left = memoryview(line)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # another process made the pipe non-blocking, for all who share it
            select.select([], [descriptor], [])
        except OSError:  # the reader is gone, or the disk is full
            return False
    return True
