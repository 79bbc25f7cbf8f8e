"""Files as they were when they were read."""

from pathlib import Path

_Signature = tuple[int, int, int, int]


class Snapshot:
    """Reads files and tells afterwards whether one of them is another by now."""

    def __init__(self) -> None:
        self._seen: dict[Path, _Signature | None] = {}

    def read(self, path: Path) -> bytes:
        """Return what the file holds.

        Raises:
            OSError, ValueError: it cannot be read; that it can be later is a change, too.
        """
        # Looked at before, not after: a change in between must not be taken for the old one.
        self._seen[path] = _signature(path)
        return path.read_bytes()

    def changed(self) -> bool:
        """Look at every file once more; symbolic links are followed, as mounted volumes have."""
        return any(_signature(path) != seen for path, seen in self._seen.items())


def _signature(path: Path) -> _Signature | None:
    try:
        found = path.stat()
    except (OSError, ValueError):  # a ValueError for a path that cannot be
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
