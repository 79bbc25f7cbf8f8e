"""Atomic file writes: a reader finds the old content or the new content, never a part."""

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ncr_exporter.runtime.errors import UserError


class WriteError(UserError):
    """The file cannot be written; `str()` names the file and the reason."""

    exit_code = 1


def check_writable(path: Path) -> None:
    """Check that `write_atomically` can write `path`, before work whose result goes there.

    Raises:
        WriteError: `path` is not a regular file, or its directory takes no new file.
    """
    try:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            raise WriteError(f"cannot write {path}: it is not a regular file")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise WriteError(_message(path, error)) from None


def write_atomically(path: Path, pieces: Iterable[bytes], *, mode: int) -> None:
    """Create or replace the file at `path`.

    The content goes to a temporary file in the same directory, which is then renamed. The temporary
    name does not match `*.prom`, so that node_exporter's textfile collector does not read it.

    Args:
        path: the file.
        pieces: its content, in order.
        mode: its permission bits, such as `0o644`.

    Raises:
        WriteError: the file cannot be written; a previous file is unchanged.
    """
    try:
        _replace(path, pieces, mode)
    except OSError as error:
        raise WriteError(_message(path, error)) from None


def _replace(path: Path, pieces: Iterable[bytes], mode: int) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Make the rename durable: without it the old file may come back after a power failure."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _message(path: Path, error: OSError) -> str:
    return f"cannot write {path}: {error.strerror or error}"
