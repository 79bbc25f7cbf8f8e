"""Which jobs have started: some of each account at a time, while the others wait as keys."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from ncr_exporter.ncr.fair_queue import FairQueue, Priority

Key = TypeVar("Key", bound=Hashable)

MOST_STARTED = 512
"""Jobs of one account that have started: twice the requests that may be in flight at most."""
_PER_TURN = 32
"""Jobs taken from a queue in one turn of the event loop: some may end as soon as they start."""


class Admission(Generic[Key]):
    """Lets some jobs of each account start, and each further one as another ends.

    A hundred thousand jobs that wait for the rate limit would be as many tasks. They take hundreds
    of megabytes, and each full garbage collection visits them all. Keys are little, and it skips
    them.
    """

    def __init__(self, start: Callable[[Key, float], bool]) -> None:
        """`start` starts a job that has waited since a moment; it returns whether it runs now."""
        self._start = start
        self._accounts: dict[Key, Hashable] = {}
        """Each job that has started → its account then."""
        self._started: dict[Hashable, int] = {}
        """How many these are of each account."""
        self._queues: dict[Hashable, FairQueue[Key]] = {}
        """By account, the jobs that wait, and such as were dropped since."""
        self._waiting: dict[Key, float] = {}
        """Each job that waits → since when."""
        self._filling: set[Hashable] = set()
        """Accounts of which further jobs start in the next turn of the event loop."""

    def __bool__(self) -> bool:
        """Return whether a job waits."""
        return bool(self._waiting)

    def admits(self, key: Key, account: Hashable, registry: str, now: float) -> bool:
        """Return whether a job may start now; else it waits, in rotation with other registries'.

        `now` is handed to `start` later.
        """
        if self._has_room(account) and account not in self._queues:
            self._count(key, account)
            return True
        queue = self._queues.setdefault(account, FairQueue())
        queue.put(key, registry, Priority.TAG_LIST)
        self._waiting[key] = now
        return False

    def drop(self, key: Key) -> None:
        """Give the place of a job that has ended to another; one that waits does so no longer."""
        self._waiting.pop(key, None)
        account = self._accounts.pop(key, None)
        if account is not None:
            self._started[account] -= 1
            self._fill(account)

    def clear(self) -> None:
        """Forget all jobs that wait."""
        self._waiting.clear()
        self._queues.clear()

    def _has_room(self, account: Hashable) -> bool:
        return self._started.get(account, 0) < MOST_STARTED

    def _count(self, key: Key, account: Hashable) -> None:
        self._accounts[key] = account
        self._started[account] = self._started.get(account, 0) + 1

    def _fill(self, account: Hashable) -> None:
        """Start jobs that wait while there is room, some in one turn of the event loop."""
        queue = self._queues.get(account)
        for _ in range(_PER_TURN):
            if queue is None or not self._has_room(account):
                return
            self._start_next(queue, account)
            if not queue:
                del self._queues[account]
                return
        if account not in self._filling:
            self._filling.add(account)
            asyncio.get_running_loop().call_soon(self._fill_again, account)

    def _fill_again(self, account: Hashable) -> None:
        self._filling.discard(account)
        self._fill(account)

    def _start_next(self, queue: FairQueue[Key], account: Hashable) -> None:
        key = queue.pop()
        since = self._waiting.pop(key, None)
        if since is not None and self._start(key, since):
            self._count(key, account)
