"""Atomic file writes: a reader finds the old content or the new content, never a part."""

import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ncr_exporter.runtime.errors import UserError

_SUFFIX = ".tmp"
_RANDOM = "[a-z0-9_]{8}"
"""What tempfile puts between prefix and suffix."""


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
        with tempfile.TemporaryFile(prefix=_prefix(path), suffix=_SUFFIX, dir=path.parent):
            pass
    except OSError as error:
        raise WriteError(_message(path, error)) from None


def write_atomically(path: Path, pieces: Iterable[bytes], *, mode: int) -> None:
    """Create or replace the file at `path`.

    The content goes to a temporary file in the same directory, which is then renamed. The temporary
    name does not match `*.prom`, so that node_exporter's textfile collector does not read it.
    Temporary files of writers that were killed are removed first.

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


def remove_leftovers(path: Path) -> list[Path]:
    """Remove the temporary files that killed processes left while writing `path`; return them.

    A file that another process is writing now is kept. So is one that cannot be opened or removed.
    """
    name = re.compile(re.escape(_prefix(path)) + _RANDOM + re.escape(_SUFFIX))
    try:
        found = [each for each in path.parent.iterdir() if name.fullmatch(each.name)]
    except OSError:
        return []
    return [each for each in found if _removed_if_unused(each)]


def _removed_if_unused(temporary: Path) -> bool:
    """Remove a temporary file if no process holds its lock; return whether it was removed."""
    try:
        # O_NONBLOCK: to open a pipe of that name would wait for its writer.
        descriptor = os.open(temporary, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        temporary.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _replace(path: Path, pieces: Iterable[bytes], mode: int) -> None:
    remove_leftovers(path)
    descriptor, temporary = _locked_temporary_file(path)
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


def _locked_temporary_file(path: Path) -> tuple[int, Path]:
    """Create a temporary file beside `path`, and return its descriptor and path.

    The descriptor holds a lock (flock) on it, which the kernel releases even if the process is
    killed. So a file without a lock is a leftover.
    """
    while True:
        descriptor, name = tempfile.mkstemp(prefix=_prefix(path), suffix=_SUFFIX, dir=path.parent)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # a file system without locks, where no leftover is removed either
            return descriptor, Path(name)
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)  # another process took it for a leftover before it was locked


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _sync_directory(directory: Path) -> None:
    """Make the rename durable: without it the old file may come back after a power failure."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _message(path: Path, error: OSError) -> str:
    return f"cannot write {path}: {error.strerror or error}"
