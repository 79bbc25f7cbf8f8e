"""A file that whoever reads it finds whole, in its old or its new form."""

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ncr_exporter.runtime.errors import UserError


class WriteError(UserError):
    """The file cannot be written; `str()` names it and says why."""

    exit_code = 1


def refuse_unwritable(path: Path) -> None:
    """Find out before minutes of polling what would go wrong after them.

    Raises:
        WriteError: `write_whole` would fail.
    """
    try:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            raise WriteError(f"cannot write {path}: it is no regular file")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise WriteError(_message(path, error)) from None


def write_whole(path: Path, pieces: Iterable[bytes], *, mode: int) -> None:
    """Replace the file at `path`, or make it, with these rights.

    It is written beside its place under a name that no `*.prom` matches, and then renamed.

    Raises:
        WriteError: it cannot be; what was there before still is.
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
    """Make the rename last: after a power cut the old file may be there again, else."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _message(path: Path, error: OSError) -> str:
    return f"cannot write {path}: {error.strerror or error}"
