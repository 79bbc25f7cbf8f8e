"""What all polling shares."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.listing import Listing
from ncr_exporter.polling import events
from ncr_exporter.polling.expiry import Expiry
from ncr_exporter.polling.scheduler import Job, JobKey, Scheduler
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.state.saved import Kept
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.shard import Shard
from ncr_exporter.targets.targets import Account, Timing

Clients = Mapping[Account, Client]


@dataclass(frozen=True)
class Polling:
    """The parts that polls of every kind work with."""

    clients: Clients
    store: Store
    budget: Budget
    clock: Clock
    shard: Shard
    scheduler: Scheduler
    expiry: Expiry
    told: set[tuple[str, ...]] = field(default_factory=set)
    """What was warned of already: registries and images of whose pulls nothing is known."""
    kept: Kept = field(default_factory=Kept)
    """What is known from before the start, until the first configuration took its share."""
    listings: dict[JobKey, Listing[Tag]] = field(default_factory=dict)
    """The last complete listing of each image, by which the next one is recognised."""
    over_limit: set[Account] = field(default_factory=set)
    """Accounts whose plan is known to exceed their limit, each told of once."""

    def begin(
        self,
        key: JobKey,
        account: Account,
        interval: float,
        run: Callable[[], Awaitable[bool]],
        *,
        tried: bool = False,
    ) -> None:
        """Start a job of an account; `tried` where what it is to find is known from before."""
        self.budget.plan(key, account, interval)
        self.scheduler.add(Job(key, self._stretched(account, interval), run), tried=tried)

    def change(self, key: JobKey, account: Account, timing: Timing) -> None:
        """Go on with a job of an account as often as is wanted now."""
        self.budget.change(key, account, timing.interval)
        self.scheduler.change(key, self._stretched(account, timing.interval))
        self.expiry.change(key, timing.expire_after)

    def _stretched(self, account: Account, interval: float) -> Callable[[], float]:
        """Return an interval that grows where an account's plan exceeds its limit."""
        return lambda: interval * self.budget.stretch(account)

    def plan(self, key: JobKey, account: Account, interval: float, requests: int = 1) -> None:
        """Note what a job was seen to send per interval (s)."""
        self.budget.plan(key, account, interval, requests)
        self.review_plan(account)

    def review_plan(self, account: Account) -> None:
        """Say once that an account's plan exceeds its limit, and once that it fits again."""
        is_over, was_over = self.budget.stretch(account) > 1, account in self.over_limit
        if is_over != was_over:
            self.over_limit.symmetric_difference_update({account})
            events.planned(self.store, self.budget, account)

    def end(self, key: JobKey) -> None:
        """End a job and all that waits for it."""
        self.scheduler.remove(key)
        self.budget.drop(key)
        self.expiry.drop(key)
        self.told.discard(key)
        self.listings.pop(key, None)
