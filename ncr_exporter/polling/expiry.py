"""Expiry of data that was not renewed in time. Measured by the monotonic clock."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import msgspec

from ncr_exporter.runtime.clock import Clock, Timer

Key = TypeVar("Key", bound=Hashable)


class _Lease(msgspec.Struct, frozen=True, gc=False):
    since: float
    """When the data was read."""
    due: float
    """When it expires."""
    expire: Callable[[Any], object]


class _RunningTimer(msgspec.Struct, frozen=True, gc=False):
    due: float
    timer: Timer


class Expiry:
    """Calls a function for each key whose data was not renewed in time."""

    def __init__(self, clock: Clock, *, off: bool = False) -> None:
        """With `off` no data expires."""
        self._clock = clock
        self._off = off
        self._on_any_timer = self._on_timer  # one object for all timers
        self._leases: dict[Hashable, _Lease] = {}
        self._timers: dict[Hashable, _RunningTimer] = {}
        """One per key. It may run out before the lease, which a renewal has extended."""

    def renew(
        self, key: Key, after: float, expire: Callable[[Key], object], *, age: float = 0.0
    ) -> None:
        """Call `expire` with `key` when the data of that is `after` seconds old.

        Another call for the key replaces this one. `age` is how old the data is now, in seconds.
        """
        if self._off:
            return
        since = self._clock.monotonic() - age
        self._leases[key] = _Lease(since, since + after, expire)
        # A timer that runs out too early stays, and is then set again. To replace it at each poll
        # left thousands of cancelled timers in the event loop, each until its time.
        running = self._timers.get(key)
        if running is None or running.due > since + after:
            self._set_timer(key)

    def _set_timer(self, key: Hashable) -> None:
        if running := self._timers.get(key):
            running.timer.cancel()
        due = self._leases[key].due
        delay = max(0.0, due - self._clock.monotonic())
        timer = self._clock.call_later(delay, self._on_any_timer, key)
        self._timers[key] = _RunningTimer(due, timer)

    def _on_timer(self, key: Hashable) -> None:
        """Expire the data, or set the timer again if the data was renewed."""
        lease, ended = self._leases[key], self._timers.pop(key)
        if lease.due > ended.due:
            self._set_timer(key)
        else:
            del self._leases[key]
            lease.expire(key)

    def change(self, key: Hashable, after: float) -> None:
        """Let the data of a key expire at another age, in seconds; an unknown key is ignored."""
        if lease := self._leases.get(key):
            age = self._clock.monotonic() - lease.since
            self.renew(key, after, lease.expire, age=age)

    def drop(self, key: Hashable) -> None:
        """Remove a key without expiring its data; an unknown key is ignored."""
        self._leases.pop(key, None)
        if running := self._timers.pop(key, None):
            running.timer.cancel()

    def stop(self) -> None:
        """Remove all keys."""
        for key in list(self._leases):
            self.drop(key)
