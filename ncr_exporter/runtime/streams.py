"""The standard streams, of which nothing is taken for certain.

A descriptor may be closed when the process starts, a disk may be full, a console may know ASCII
alone, and whoever shares a pipe may have made it non-blocking.
"""

import errno
import io
import os
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from ncr_exporter.runtime.errors import UserError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_WRONG_WAY = {_STDIN: os.O_WRONLY, _STDOUT: os.O_RDONLY, _STDERR: os.O_WRONLY}
"""How to open the place of a closed stream: stdin and stdout so that their use fails."""


class OutputError(UserError):
    """What a command prints cannot be written; `str()` says why."""

    exit_code = 1


def set_up_streams() -> None:
    """Make stdin, stdout and stderr usable, whatever the process was started with.

    - A write to stdout that fails raises OutputError, or BrokenPipeError if its reader is gone;
      then further output is dropped. Characters that its encoding lacks are written as escapes.
    - A write to stderr that fails is dropped: there is no other place to say so.
    - A closed stdin or stdout fails when it is used; a closed stderr drops everything.
    """
    _fill_closed_descriptors()
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(_STDIN, closefd=False)))
    sys.stdout = _text_stream(_Stdout(_STDOUT, "w", closefd=False), sys.stdout)
    sys.stderr = _text_stream(_Stderr(_STDERR, "w", closefd=False), sys.stderr)


def announce(text: str) -> None:
    """Write a text to stdout on which nothing depends: where that fails, the program goes on."""
    with suppress(OutputError, BrokenPipeError):
        sys.stdout.write(text)
        sys.stdout.flush()


def _fill_closed_descriptors() -> None:
    """Open /dev/null in place of each stream that is closed.

    Otherwise the next file or socket would get its number, and what is written to the stream.
    """
    for number, flags in _WRONG_WAY.items():
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free number, which is this one


def _text_stream(raw: io.FileIO, before: TextIO | None) -> TextIO:
    is_stderr = raw.fileno() == _STDERR
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before else "utf-8",
        errors="backslashreplace",
        line_buffering=is_stderr or raw.isatty(),
    )


class _Stdout(io.FileIO):
    """The descriptor of stdout; after a write that failed it drops what follows."""

    def __init__(self, descriptor: int, mode: str, *, closefd: bool) -> None:
        super().__init__(descriptor, mode, closefd=closefd)
        self._has_failed = False

    def write(self, data: "ReadableBuffer") -> int:
        """Write some bytes, and return how many.

        Raises:
            BrokenPipeError: the reader is gone.
            OutputError: they cannot be written.
        """
        if self._has_failed:
            return memoryview(data).nbytes
        try:
            return _write(self.fileno(), data)
        except BrokenPipeError:
            self._has_failed = True
            raise
        except OSError as error:
            self._has_failed = True
            why = "it is closed" if error.errno == errno.EBADF else error.strerror
            raise OutputError(f"cannot write to stdout: {why}") from None


class _Stderr(io.FileIO):
    """The descriptor of stderr; what cannot be written is dropped."""

    def write(self, data: "ReadableBuffer") -> int:
        """Write or drop some bytes, and return how many."""
        try:
            return _write(self.fileno(), data)
        except OSError:
            return memoryview(data).nbytes


def _write(descriptor: int, data: "ReadableBuffer") -> int:
    """Write some bytes, and return how many; wait where a non-blocking descriptor takes none.

    Raises:
        OSError: they cannot be written.
    """
    while True:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:
            select.select([], [descriptor], [])
