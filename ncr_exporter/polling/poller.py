"""The face of polling: what to poll, whether all was tried, stop."""

from collections.abc import Iterable

from ncr_exporter.polling import events, images
from ncr_exporter.polling.context import Clients, Polling
from ncr_exporter.polling.expiry import Expiry
from ncr_exporter.polling.registries import Watch
from ncr_exporter.polling.scheduler import JobKey, Scheduler
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.state.saved import Kept
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.shard import Shard
from ncr_exporter.targets.targets import Catalog, ImageKey, RegistryTarget


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
        kept: Kept | None = None,
        once: bool = False,
    ) -> None:
        """`kept` is what is known from before; with `once` nothing is polled a second time."""
        scheduler = Scheduler(clock, first_round=self._first_round_ended, once=once)
        expiry = Expiry(clock, off=once)
        self.ready = False
        """Whether everything known at the start was asked for once. For good: an image that is
        pushed later must not take an exporter at work out of its service."""
        self._watches: dict[JobKey, Watch] = {}
        self._polling = Polling(
            clients, store, budget, clock, shard, scheduler, expiry, kept=kept or Kept()
        )

    @property
    def busy(self) -> bool:
        """Whether something is being asked for now."""
        return self._polling.scheduler.busy

    def next_poll(self, key: ImageKey) -> float | None:
        """Return when an image is polled next, in seconds since the epoch; None where it is now."""
        return self._polling.scheduler.due(key)

    def apply(self, catalogs: Iterable[Catalog]) -> None:
        """Poll what these catalogs ask for, at first as fast as each account's limits allow.

        Of what was polled before, data and moments stay where they are still asked for.
        """
        self._watch(catalogs)
        wanted = self._wanted()
        for label, state in list(self._polling.store.registries.items()):
            if label not in wanted or not state.target.is_at(wanted[label]):
                images.end(self._polling, state.target)
        for target in wanted.values():
            images.begin_or_go_on(self._polling, target)
        self._polling.kept.clear()
        for account in self._polling.clients:
            self._polling.review_plan(account)
        if self._polling.scheduler.all_tried:  # what was known from before needs no first poll
            self.ready = True

    def _watch(self, catalogs: Iterable[Catalog]) -> None:
        """Begin, go on with and end the registry lists."""
        wanted = {catalog.key: catalog for catalog in catalogs}
        for key in [key for key in self._watches if key not in wanted]:
            self._watches.pop(key).end()
        for key, catalog in wanted.items():
            if watch := self._watches.get(key):
                watch.take(catalog)
            else:
                watch = self._watches[key] = Watch(self._polling, catalog)
                watch.begin()
            watch.adopt(self._polling.store.targets)

    def _wanted(self) -> dict[str, RegistryTarget]:
        """Return every registry by its label; one that is named beats one of its name found."""
        watches = self._watches.values()
        wanted = {target.label: target for watch in watches for target in watch.named}
        for watch in watches:
            watch.keep(lambda target: target.label not in wanted)
        return wanted | {target.label: target for watch in watches for target in watch.absences}

    def _first_round_ended(self) -> None:
        """Log the plans: only now is it known how many images and pages there are."""
        self.ready = True
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
