"""The face of polling: start, ready, stop."""

from collections.abc import Iterable

from ncr_exporter.clock import Clock
from ncr_exporter.polling import events, registries
from ncr_exporter.polling.budget import Budget
from ncr_exporter.polling.context import Clients, Polling
from ncr_exporter.polling.expiry import Expiry
from ncr_exporter.polling.scheduler import Scheduler
from ncr_exporter.shard import Shard
from ncr_exporter.store import Store
from ncr_exporter.targets import Catalog, ImageKey


class Poller:
    """Polls until stopped, or everything once; must be made within a running event loop."""

    def __init__(  # noqa: PLR0913 -- what polling works with, each by name
        self,
        clients: Clients,
        store: Store,
        budget: Budget,
        clock: Clock,
        shard: Shard,
        *,
        once: bool = False,
    ) -> None:
        scheduler = Scheduler(clock, first_round=self._first_round_ended, once=once)
        expiry = Expiry(clock, off=once)
        self._polling = Polling(clients, store, budget, clock, shard, scheduler, expiry)

    @property
    def ready(self) -> bool:
        """Whether everything known so far was asked for at least once."""
        return self._polling.scheduler.all_tried

    @property
    def busy(self) -> bool:
        """Whether something is being asked for now."""
        return self._polling.scheduler.busy

    def next_poll(self, key: ImageKey) -> float | None:
        """Return when an image is polled next, in seconds since the epoch; None where it is now."""
        return self._polling.scheduler.due(key)

    def start(self, catalogs: Iterable[Catalog]) -> None:
        """Begin the first round, as fast as each account's limits allow."""
        for catalog in catalogs:
            registries.begin(self._polling, catalog)
        for account in self._polling.clients:
            self._polling.review_plan(account)

    def _first_round_ended(self) -> None:
        """Log the plans: only now is it known how many images and pages there are."""
        for account in self._polling.clients:
            if account not in self._polling.over_limit:  # else that was said already
                events.planned(self._polling.store, self._polling.budget, account)

    async def first_round(self) -> None:
        """Wait until everything, and what was discovered meanwhile, was asked for once."""
        await self._polling.scheduler.idle()

    async def stop(self) -> None:
        """End every job, hung ones too."""
        self._polling.expiry.stop()
        await self._polling.scheduler.stop()
