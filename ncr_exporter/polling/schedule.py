"""When an image is polled. Pure; all times are seconds on one monotonic clock."""

import hashlib
import math

FAILED_AGAIN_AFTER = 1 / 5
"""Of its interval: when an image whose poll failed is asked again."""


def phase_of(*names: str) -> float:
    """Return the place within its interval of what has these names, from 0 up to 1.

    Derived from the names alone, so that polls spread evenly and each stays where it is, whatever
    comes and goes beside it; a NUL parts the names, which no name holds.
    """
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def next_poll(now: float, start: float, interval: float, phase: float, *, failed: bool) -> float:
    """Return when to poll next after a poll that ended at `now`; ticks missed are skipped.

    `start` is when the schedule began; ticks are at `start + (n + phase) * interval`.
    """
    if failed:
        return now + interval * FAILED_AGAIN_AFTER
    ticks = math.floor((now - start) / interval - phase) + 1
    tick = start + (ticks + phase) * interval
    return tick if tick > now else tick + interval  # rounding may put a tick at now itself
