"""Files that are read again when they changed."""

from pathlib import Path
from typing import NamedTuple


class _Signature(NamedTuple):
    device: int
    inode: int
    modified_ns: int
    changed_ns: int
    size: int


class WatchedFile:
    """One file, and what it was when it was read last.

    Symbolic links are followed. So a mounted ConfigMap or Secret, where a link is swapped to a new
    directory, changes its inode; a file that is written in place changes its times.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_read = False
        self._seen: _Signature | None = None

    def read(self) -> bytes:
        """Return the content.

        Raises:
            OSError, ValueError: it cannot be read; `changed` is true once it can.
        """
        # Looked at before, not after: a change in between must not be taken for the old one.
        self._is_read, self._seen = True, _signature(self.path)
        return self.path.read_bytes()

    def changed(self) -> bool:
        """Return whether the file is another than the one that was read, or was not read yet."""
        return not self._is_read or _signature(self.path) != self._seen


class WatchedFiles:
    """Every file that was read for one purpose."""

    def __init__(self) -> None:
        self._files: dict[Path, WatchedFile] = {}

    def read(self, path: Path) -> bytes:
        """Return what the file at `path` holds, and watch it.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        return self._files.setdefault(path, WatchedFile(path)).read()

    def changed(self) -> bool:
        """Return whether any of the files is another than the one that was read."""
        return any(file.changed() for file in self._files.values())


def _signature(path: Path) -> _Signature | None:
    """Return what a change changes; None where there is no file, or can be none at such a path."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return _Signature(
        found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size
    )
