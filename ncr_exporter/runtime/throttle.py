"""Log lines that would be repeated for each of thousands of events, once a minute instead."""

import logging
import time
from collections.abc import Callable

_INTERVAL = 60.0  # seconds
_MOST_KINDS = 64
"""Kinds of line that are remembered: a kind may hold a text of a peer."""


class Throttle:
    """Lets one line of each kind through in a minute."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Let the first line of each kind through; `monotonic` returns monotonic seconds."""
        self._monotonic = monotonic
        self._due: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def times(self, kind: str) -> int:
        """Count an event and return how many a line about it must tell of; 0 to write no line.

        That is this event and all since the last line of its kind.
        """
        now = self._monotonic()
        count = self._held_back.get(kind, 0) + 1
        if now < self._due.get(kind, now):
            self._held_back[kind] = count
            return 0
        self._forget_oldest(kind)
        self._due[kind] = now + _INTERVAL
        self._held_back[kind] = 0
        return count

    def _forget_oldest(self, kind: str) -> None:
        if kind not in self._due and len(self._due) >= _MOST_KINDS:
            oldest = min(self._due, key=self._due.__getitem__)
            del self._due[oldest], self._held_back[oldest]


class OnceAMinute(logging.Filter):
    """Lets each kind of a logger's lines through once a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._throttle = Throttle()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged: the first of its kind in a minute."""
        return self._throttle.times(str(record.msg)) > 0
