"""A lock that one process holds on a file until it ends, even if it is killed."""

import fcntl
import os
from pathlib import Path


class FileLock:
    """An exclusive lock (flock) on a file that exists for nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock, or find that this object holds it; return False if another one does.

        The file is created if it is missing. If it was removed since, the lock is taken again: the
        one held before would keep nobody out.

        Raises:
            OSError: the file cannot be created, or its file system has no locks.
        """
        if self._descriptor is not None and not self._is_current(self._descriptor):
            self.release()
        if self._descriptor is None:
            self._descriptor = self._locked()
        return self._descriptor is not None

    def release(self) -> None:
        """Give the lock up, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _locked(self) -> int | None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except OSError:
            return False
