"""Memory settings of the C library and of the interpreter, for this process."""

import ctypes
import gc
from contextlib import suppress

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_LARGE = 64 * 1024  # bytes


def give_back_large_blocks() -> None:
    """Make the allocator return each block of 64 KiB or more to the system when it is freed.

    Setting the threshold also turns off glibc's dynamic one, which rises with each large block
    that is freed (mallopt(3), M_MMAP_THRESHOLD). Above it, blocks of API responses would lie on
    the heap between those of tags, which live long; the heap could not shrink, and the process
    would be half as large again. Other C libraries lack the setting or do not need it.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


def freeze_imported_objects() -> None:
    """Exempt all objects that exist now from garbage collection.

    Modules and classes live as long as the process. Without this a full collection looks at all of
    them, and holds the event loop for 30 ms.
    """
    gc.freeze()
