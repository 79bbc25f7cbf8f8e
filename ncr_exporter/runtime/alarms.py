"""Many moments, each with its key, on one timer of the event loop."""

import heapq
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from ncr_exporter.runtime.clock import Clock, Timer

Key = TypeVar("Key", bound=Hashable)

_PER_TURN = 32
"""Alarms in one turn of the event loop: after a pause of the machine, thousands may be due."""


_SLACK = 64
"""Moments that no longer count and may be kept besides as many as do."""


class Alarms(Generic[Key]):
    """Calls a function with each key whose moment has come. A key has one moment at most.

    A timer of the event loop for each key would be an object that every full garbage collection
    visits. A hundred thousand of them held all others up for tenths of a second. What is kept here
    is tuples of numbers and texts, which the collector does not track.
    """

    def __init__(self, clock: Clock, call: Callable[[Key], object]) -> None:
        """`call` may set and cancel alarms. What it raises the event loop reports."""
        self._clock = clock
        self._call = call
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        """Also moments that were changed or cancelled since: those in `_due` count."""
        self._timer: Timer | None = None
        self._timer_due = 0.0
        self._is_calling = False

    def due(self, key: Key) -> float | None:
        """Return the moment of a key (monotonic seconds), or None."""
        return self._due.get(key)

    def set(self, key: Key, due: float) -> None:
        """Call with `key` at `due` (monotonic seconds), instead of at any other moment."""
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))
        if len(self._heap) > _SLACK + 2 * len(self._due):
            self._heap = [(due, key) for key, due in self._due.items()]
            heapq.heapify(self._heap)
        self._wait()

    def cancel(self, key: Key) -> None:
        """Forget a key; one that is not known is ignored."""
        if self._due.pop(key, None) is not None:
            self._wait()

    def _wait(self) -> None:
        """Have the timer run out when the next moment comes."""
        if self._is_calling:
            return  # at the end, once
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if not self._heap:
            self._stop()
        elif self._timer is None or self._heap[0][0] != self._timer_due:
            self._stop()
            self._timer_due = self._heap[0][0]
            delay = max(0.0, self._timer_due - self._clock.monotonic())
            self._timer = self._clock.call_later(delay, self._on_timer)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer, self._is_calling = None, True
        now = max(self._clock.monotonic(), self._timer_due)  # a timer may be a hair early
        try:
            for _ in range(_PER_TURN):
                if not self._heap or self._heap[0][0] > now:
                    break
                due, key = heapq.heappop(self._heap)
                if self._due.get(key) == due:
                    del self._due[key]
                    self._call(key)
        finally:
            self._is_calling = False
            self._wait()
