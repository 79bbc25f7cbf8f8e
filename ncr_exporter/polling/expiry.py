"""Data that nobody renewed leaves after a while, by monotonic time."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import NamedTuple

from ncr_exporter.runtime.clock import Clock, Timer


class _Lease(NamedTuple):
    since: float
    due: float
    callback: Callable[[], object]


class _Look(NamedTuple):
    due: float
    timer: Timer


class Expiry:
    """One timer per key. Switched `off`, nothing ever leaves.

    A timer that is due before the data is stays, and looks again: to replace it at each poll left
    thousands of cancelled ones with the event loop.
    """

    def __init__(self, clock: Clock, *, off: bool = False) -> None:
        self._clock = clock
        self._off = off
        self._leases: dict[Hashable, _Lease] = {}
        self._looks: dict[Hashable, _Look] = {}

    def renew(
        self, key: Hashable, after: float, callback: Callable[[], object], *, age: float = 0.0
    ) -> None:
        """Call `callback` once the data is so many seconds old, unless renewed or dropped before.

        `age` is how old it is now.
        """
        if self._off:
            return
        since = self._clock.monotonic() - age
        self._leases[key] = _Lease(since, since + after, callback)
        look = self._looks.get(key)
        if look is None or look.due > since + after:
            self._look_later(key)

    def _look_later(self, key: Hashable) -> None:
        if look := self._looks.get(key):
            look.timer.cancel()
        due = self._leases[key].due
        delay = max(0.0, due - self._clock.monotonic())
        self._looks[key] = _Look(due, self._clock.call_later(delay, partial(self._look, key)))

    def _look(self, key: Hashable) -> None:
        """Let data leave, unless it was renewed since this was to be looked at."""
        lease, look = self._leases[key], self._looks.pop(key)
        if lease.due > look.due:
            self._look_later(key)
        else:
            del self._leases[key]
            lease.callback()

    def change(self, key: Hashable, after: float) -> None:
        """Let data that is there expire at another age."""
        if lease := self._leases.get(key):
            age = self._clock.monotonic() - lease.since
            self.renew(key, after, lease.callback, age=age)

    def drop(self, key: Hashable) -> None:
        """Forget a key."""
        self._leases.pop(key, None)
        if look := self._looks.pop(key, None):
            look.timer.cancel()

    def stop(self) -> None:
        """Forget every key."""
        for key in list(self._leases):
            self.drop(key)
