"""Files that are read again after a change."""

from pathlib import Path
from typing import NamedTuple

from ncr_exporter.runtime.timely import read_whole, timely


class _Signature(NamedTuple):
    device: int
    inode: int
    modified_ns: int
    changed_ns: int
    size: int


class WatchedFile:
    """A file and its signature (inode, times, size) at the last read.

    Symbolic links are followed. A mounted ConfigMap or Secret swaps a link to a new directory, so
    that the inode changes. A file written in place keeps its inode, and its times change.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_read = False
        self._signature: _Signature | None = None

    def read(self) -> bytes:
        """Return the content, and remember the signature for `changed`.

        Raises:
            OSError, ValueError: the file cannot be read; `changed` is true once it can.
        """
        # Signature first: after a write in between, `changed` is true and the file is read again.
        # The other way round the new signature would belong to the old content, for ever.
        self._is_read, self._signature = True, _signature(self.path)
        return read_whole(self.path)

    def changed(self) -> bool:
        """Return whether the file differs from the one that was read, or was not read yet."""
        return not self._is_read or _signature(self.path) != self._signature


class WatchedFiles:
    """All files that were read for one purpose; each call blocks for 5 s a file at most."""

    def __init__(self) -> None:
        self._files: dict[Path, WatchedFile] = {}

    def read(self, path: Path) -> bytes:
        """Return the content of the file at `path`, and watch the file.

        Raises:
            OSError, ValueError: the file cannot be read.
        """
        return timely(path, self._files.setdefault(path, WatchedFile(path)).read)

    def changed(self) -> bool:
        """Return whether any of the files differs from the one that was read.

        Raises:
            TimeoutError: the disk of a file hangs.
        """
        return any(timely(path, file.changed) for path, file in self._files.items())


def _signature(path: Path) -> _Signature | None:
    """Return the signature of the file at `path`, or None where no file can be found."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return _Signature(
        found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size
    )
