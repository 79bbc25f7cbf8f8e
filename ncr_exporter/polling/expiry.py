"""Data that nobody renewed leaves after a while, by monotonic time."""

from collections.abc import Callable, Hashable

from ncr_exporter.clock import Clock, Timer


class Expiry:
    """One timer per key; renewing starts it again. Switched `off`, nothing ever leaves."""

    def __init__(self, clock: Clock, *, off: bool = False) -> None:
        self._clock = clock
        self._off = off
        self._timers: dict[Hashable, Timer] = {}

    def renew(self, key: Hashable, after: float, callback: Callable[[], object]) -> None:
        """Call `callback` after so many seconds, unless renewed or dropped before."""
        self.drop(key)
        if not self._off:
            self._timers[key] = self._clock.call_later(after, callback)

    def drop(self, key: Hashable) -> None:
        """Forget a key."""
        if timer := self._timers.pop(key, None):
            timer.cancel()

    def stop(self) -> None:
        """Forget every key."""
        for key in list(self._timers):
            self.drop(key)
