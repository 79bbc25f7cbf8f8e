"""How many requests the plan needs, against what an account may send. Pure."""

from collections import defaultdict
from collections.abc import Hashable
from typing import NamedTuple


class Need(NamedTuple):
    """What a job asks of an account: so many requests once per interval (s)."""

    account: Hashable
    requests: int
    interval: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.interval


class Budget:
    """Adds up what every job needs per account; kept as it changes, since it is asked for often."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        """Requests per second that each account may send."""
        self._needs: dict[Hashable, Need] = {}
        self._planned: defaultdict[Hashable, float] = defaultdict(float)

    def plan(self, job: Hashable, account: Hashable, interval: float, requests: int = 1) -> None:
        """Note that a job sends so many requests once per interval (s)."""
        self.drop(job)
        need = self._needs[job] = Need(account, requests, interval)
        self._planned[account] += need.rate

    def change(self, job: Hashable, account: Hashable, interval: float) -> None:
        """Note that a job asks another account, or at another interval."""
        self.plan(job, account, interval, self._needs[job].requests)

    def drop(self, job: Hashable) -> None:
        """Note that a job has ended."""
        if job in self._needs:
            need = self._needs.pop(job)
            self._planned[need.account] -= need.rate

    def planned(self, account: Hashable) -> float:
        """Return the requests per second that an account's jobs need to keep to their intervals."""
        return max(0.0, round(self._planned[account], 9))

    def stretch(self, account: Hashable) -> float:
        """Return by how much intervals must grow to fit: 1 where the plan does, else more.

        Stretched intervals keep polls evenly apart; kept as they are, polls would pile up.
        """
        return max(1.0, self.planned(account) / self.limit)
