"""Jobs: the schedule, request budget and data expiry of each list that is polled."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from ncr_exporter.polling import events
from ncr_exporter.polling.expiry import Expiry
from ncr_exporter.polling.scheduler import (
    AtOnce,
    Job,
    JobKey,
    Scheduler,
    impossible,
    phase_of,
)
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Account, Timing

Key = TypeVar("Key", bound=JobKey)


class Jobs:
    """Schedules jobs, with longer intervals where an account's plan exceeds its limit."""

    def __init__(self, store: Store, budget: Budget, clock: Clock, *, once: bool = False) -> None:
        """With `once` no job runs a second time, and no data expires."""
        self.scheduler = Scheduler(clock, budget.stretch, once=once)
        self.expiry = Expiry(clock, off=once)
        self._store = store
        self._budget = budget
        self._warned_about: set[Account] = set()
        """Accounts whose plan exceeds their limit."""

    def begin(  # noqa: PLR0913 -- how a job begins, each by name
        self,
        key: Key,
        account: Account,
        interval: float,
        run: Callable[[Key, float], Awaitable[bool]],
        *,
        at_once: Callable[[Key], AtOnce] = impossible,
        registry: str | None = None,
        tried: bool = False,
    ) -> None:
        """Start a job that runs now, and then once per `interval` (s).

        `run` gets the key and when its time came (monotonic seconds), and returns whether it
        succeeded. It is called where `at_once` could do nothing without waiting. With a `registry`
        it waits for its turn if many jobs of the account do, in rotation with other registries'.
        The job is planned with one request per interval until `plan` says otherwise. With `tried`
        its data was restored, so that the exporter is ready before the first run.
        """
        self._budget.plan(key, account, interval)
        job = Job(key, account, interval, phase_of(*key), run, at_once, registry)
        self.scheduler.add(job, tried=tried)

    def change(self, key: JobKey, account: Account, timing: Timing) -> None:
        """Continue a job with another account, interval or expiry."""
        self._budget.change(key, account, timing.interval)
        self.scheduler.change(key, account, timing.interval)
        self.expiry.change(key, timing.expire_after)

    def plan(self, key: JobKey, account: Account, interval: float, requests: int) -> None:
        """Record how many requests a job sends per `interval` (s)."""
        if self._budget.plan(key, account, interval, requests):
            self.review_plan(account)

    def review_plan(self, account: Account) -> None:
        """Log once when an account's plan exceeds its limit, and once when it fits again."""
        exceeds, exceeded = self._budget.stretch(account) > 1, account in self._warned_about
        if exceeds != exceeded:
            self._warned_about.symmetric_difference_update({account})
            events.log_plan(self._store, self._budget, account)

    def log_plans(self, accounts: Iterable[Account]) -> None:
        """Log the plan of each account that was not warned about."""
        for account in accounts:
            if account not in self._warned_about:
                events.log_plan(self._store, self._budget, account)

    def end(self, key: JobKey) -> None:
        """End a job, even during a run, and the expiry of its data."""
        self.scheduler.remove(key)
        self._budget.drop(key)
        self.expiry.drop(key)

    async def stop(self) -> None:
        """End all jobs, even those that hang."""
        self.expiry.stop()
        await self.scheduler.stop()
