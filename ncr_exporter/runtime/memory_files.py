"""Files that are on no disk, for libraries that read only from a path."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO


@contextmanager
def file_in_memory(content: bytes) -> Iterator[str]:
    """Yield a path to a file in memory that holds `content`.

    Python's ssl module loads certificate chains and keys from a path only. A key that was given in
    a mounted Secret must not be copied to a disk, and a path on a disk may hang when it is opened.
    """
    with _unnamed() as file:
        file.write(content)
        file.seek(0)
        yield f"/dev/fd/{file.fileno()}"


def _unnamed() -> BinaryIO:
    if hasattr(os, "memfd_create"):  # Linux
        return os.fdopen(os.memfd_create("content"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)
