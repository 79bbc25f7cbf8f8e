"""How this process treats memory: settings of the interpreter and of the C library."""

import ctypes
import gc
from contextlib import suppress

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_LARGE = 64 * 1024


def give_back_large_blocks() -> None:
    """Have each block of 64 KiB or more returned to the system when it is freed.

    Left alone, glibc keeps the blocks of answers among those of tags, which stay: the process
    would be half as large again. Other C libraries have no such setting, or need none.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


def keep_what_was_imported() -> None:
    """Spare full collections the look at what stays for ever; it held the event loop for 30 ms."""
    gc.freeze()
