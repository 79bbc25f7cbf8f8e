"""Memory settings of the C library and of the interpreter, for this process."""

import ctypes
import gc
from collections.abc import Mapping
from contextlib import suppress

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_LARGE = 64 * 1024  # bytes
_OLDEST = 2  # the generation of a full collection


def give_back_large_blocks() -> None:
    """Make the allocator return each block of 64 KiB or more to the system when it is freed.

    Setting the threshold also turns off glibc's dynamic one, which rises with each large block
    that is freed (mallopt(3), M_MMAP_THRESHOLD). Above it, blocks of API responses would lie on
    the heap between those of tags, which live long; the heap could not shrink, and the process
    would be half as large again. Other C libraries lack the setting or do not need it.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


def spare_what_lives_long() -> None:
    """Let the garbage collector look once at what lives long, and then never again.

    What exists now is exempt, and from now on what survives a full collection. Else each one
    visits all there is and holds the event loop: 30 ms for imported modules, 0.6 s for what is
    known of 100,000 images. In return a reference cycle is not found that becomes garbage after it
    has survived. Here few objects form cycles; `tests.soak` shows that memory does not grow.
    """
    gc.freeze()
    if _spare_survivors not in gc.callbacks:
        gc.callbacks.append(_spare_survivors)


def _spare_survivors(phase: str, info: Mapping[str, int]) -> None:
    if phase == "stop" and info["generation"] == _OLDEST:
        gc.freeze()
