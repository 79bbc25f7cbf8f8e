"""What all polling shares."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ncr_exporter.clock import Clock
from ncr_exporter.ncr.client import Client
from ncr_exporter.polling.budget import Budget
from ncr_exporter.polling.expiry import Expiry
from ncr_exporter.polling.scheduler import Job, JobKey, Scheduler
from ncr_exporter.shard import Shard
from ncr_exporter.store import Store
from ncr_exporter.targets import Account

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

    def begin(
        self,
        key: JobKey,
        account: Account,
        interval: float,
        run: Callable[[], Awaitable[bool]],
    ) -> None:
        """Start a job of an account; where its plan exceeds its limit, intervals stretch."""
        self.budget.plan(key, account, interval)
        self.scheduler.add(Job(key, lambda: interval * self.budget.stretch(account), run))

    def end(self, key: JobKey) -> None:
        """End a job and all that waits for it."""
        self.scheduler.remove(key)
        self.budget.drop(key)
        self.expiry.drop(key)
