"""Data that nobody renewed leaves after a while, by monotonic time."""

from collections.abc import Callable, Hashable
from typing import NamedTuple

from ncr_exporter.clock import Clock, Timer


class _Lease(NamedTuple):
    since: float
    timer: Timer
    callback: Callable[[], object]


class Expiry:
    """One timer per key; renewing starts it again. Switched `off`, nothing ever leaves."""

    def __init__(self, clock: Clock, *, off: bool = False) -> None:
        self._clock = clock
        self._off = off
        self._leases: dict[Hashable, _Lease] = {}

    def renew(
        self, key: Hashable, after: float, callback: Callable[[], object], *, age: float = 0.0
    ) -> None:
        """Call `callback` once the data is so many seconds old, unless renewed or dropped before.

        `age` is how old it is now.
        """
        self.drop(key)
        if not self._off:
            timer = self._clock.call_later(max(0.0, after - age), callback)
            self._leases[key] = _Lease(self._clock.monotonic() - age, timer, callback)

    def change(self, key: Hashable, after: float) -> None:
        """Let data that is there expire at another age."""
        if lease := self._leases.get(key):
            age = self._clock.monotonic() - lease.since
            self.renew(key, after, lease.callback, age=age)

    def drop(self, key: Hashable) -> None:
        """Forget a key."""
        if lease := self._leases.pop(key, None):
            lease.timer.cancel()

    def stop(self) -> None:
        """Forget every key."""
        for key in list(self._leases):
            self.drop(key)
