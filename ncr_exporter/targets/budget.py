"""Requests per second that polling needs, compared with what an account may send. Pure."""

from collections import defaultdict
from collections.abc import Hashable

import msgspec


class Need(msgspec.Struct, frozen=True, gc=False):
    """What one job sends to an account."""

    account: Hashable
    requests: int
    """Requests per interval."""
    interval: float
    """Seconds."""

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.interval


class Budget:
    """Sums the needs of all jobs by account.

    The sums are updated with each change: they are read at each scrape and for each schedule.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        """Requests per second that each account may send."""
        self._needs: dict[Hashable, Need] = {}
        self._planned: defaultdict[Hashable, float] = defaultdict(float)

    def plan(self, job: Hashable, account: Hashable, interval: float, requests: int = 1) -> bool:
        """Record that a job sends `requests` requests once per `interval` (s).

        Return whether that is another plan than before.
        """
        need = Need(account, requests, interval)
        if self._needs.get(job) == need:  # nearly always
            return False
        self.drop(job)
        self._needs[job] = need
        self._planned[account] += need.rate
        return True

    def change(self, job: Hashable, account: Hashable, interval: float) -> None:
        """Record another account or interval (s) for a job; its number of requests stays."""
        self.plan(job, account, interval, self._needs[job].requests)

    def drop(self, job: Hashable) -> None:
        """Remove a job that has ended; an unknown job is ignored."""
        if job in self._needs:
            need = self._needs.pop(job)
            self._planned[need.account] -= need.rate

    def planned(self, account: Hashable) -> float:
        """Return the requests per second that an account's jobs need to keep their intervals."""
        # Adding and subtracting floats leaves a remainder: without rounding, 0 becomes 1e-17.
        return max(0.0, round(self._planned[account], 9))

    def stretch(self, account: Hashable) -> float:
        """Return the factor, at least 1, by which intervals must grow to fit the limit.

        Stretched intervals keep polls evenly apart. Unstretched ones would let polls pile up.
        """
        return max(1.0, self.planned(account) / self.limit)
