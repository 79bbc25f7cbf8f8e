"""Expiry of data that was not renewed in time. Measured by the monotonic clock."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import msgspec

from ncr_exporter.runtime.alarms import Alarms
from ncr_exporter.runtime.clock import Clock

Key = TypeVar("Key", bound=Hashable)


class _Lease(msgspec.Struct, frozen=True, gc=False):
    since: float
    """When the data was read."""
    due: float
    """When it expires."""
    expire: Callable[[Any], object]


class Expiry:
    """Calls a function for each key whose data was not renewed in time."""

    def __init__(self, clock: Clock, *, off: bool = False) -> None:
        """With `off` no data expires."""
        self._clock = clock
        self._off = off
        self._leases: dict[Hashable, _Lease] = {}
        self._alarms: Alarms[Hashable] = Alarms(clock, self._on_alarm)
        """One per key. It may come before the end of the lease, which a renewal has extended."""

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
        # An alarm that comes too early stays, and is then set again: most are never needed.
        alarm = self._alarms.due(key)
        if alarm is None or alarm > since + after:
            self._alarms.set(key, since + after)

    def _on_alarm(self, key: Hashable) -> None:
        """Expire the data, or set the alarm again if the data was renewed."""
        lease = self._leases[key]
        if lease.due > self._clock.monotonic():
            self._alarms.set(key, lease.due)
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
        self._alarms.cancel(key)

    def stop(self) -> None:
        """Remove all keys."""
        for key in list(self._leases):
            self.drop(key)
