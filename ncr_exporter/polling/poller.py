"""Polling as a whole: apply a configuration, report readiness, stop."""

from collections.abc import Iterable

from ncr_exporter.polling import events
from ncr_exporter.polling.images import RegistryPoller
from ncr_exporter.polling.jobs import Jobs
from ncr_exporter.polling.registries import RegistryDiscovery
from ncr_exporter.polling.tags import Clients, ImagePoller
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import ImageKey, RegistryListTarget, RegistryTarget, Shard


class Poller:
    """Polls what configurations ask for until stopped, or everything once.

    It must be created in a running event loop.
    """

    def __init__(  # noqa: PLR0913 -- what polling works with, each by name
        self,
        clients: Clients,
        store: Store,
        budget: Budget,
        clock: Clock,
        shard: Shard,
        *,
        saved: SavedState | None = None,
        once: bool = False,
    ) -> None:
        """`saved` is the data of an earlier run; with `once` nothing is polled a second time.

        `clients` may change while polling: they are looked up for each request.
        """
        self.ready = False
        """Whether everything known at the start was polled once, or restored.

        It stays true: an image pushed later must not make a working exporter unready.
        """
        self._clients = clients
        self._store = store
        self._clock = clock
        self._saved = saved = saved or SavedState()
        self._jobs = Jobs(store, budget, clock, once=once)
        self._began = clock.monotonic()
        images = ImagePoller(clients, store, self._jobs, clock, saved)
        self._registries = RegistryPoller(
            clients, store, self._jobs, clock, images, shard=shard, saved=saved
        )
        self._discoveries: dict[tuple[str, ...], RegistryDiscovery] = {}
        self._is_watched = False
        """Whether the end of the first round is waited for, or was seen."""

    @property
    def busy(self) -> bool:
        """Whether some job is running now."""
        return self._jobs.scheduler.busy

    def next_poll(self, key: ImageKey) -> float | None:
        """Return when an image is polled next (seconds since the epoch); None during a poll."""
        return self._jobs.scheduler.due(key)

    async def apply(self, targets: Iterable[RegistryListTarget]) -> None:
        """Poll the registry lists of a configuration, and all that they name and find.

        What was polled before and is still wanted keeps its data and its schedule. The first round
        runs as fast as each account's limits allow. Other tasks run meanwhile, polls too: a hundred
        thousand images take seconds. Another `apply` must wait until this one has ended.
        """
        self._discover(targets)
        wanted = self._wanted()
        for label, state in list(self._store.registries.items()):
            if label not in wanted or state.target.identity != wanted[label].identity:
                await self._registries.end(state.target)
        # All registries before the first image: a registry list may end at any time now.
        changed = [it for it in wanted.values() if self._registries.begin_or_retarget(it)]
        for target in changed:
            await self._registries.adjust_images(target)
        self._registries.list_restored(changed)
        self._saved.clear()
        for account in self._clients:
            self._jobs.review_plan(account)
        self._watch_first_round()

    def _watch_first_round(self) -> None:
        """Wait for the end of the first round, now that all its jobs are known."""
        if self._is_watched:
            self._jobs.scheduler.check_first_round()
            return
        self._is_watched = True
        self._jobs.scheduler.watch_first_round(
            all_tried=self._become_ready, ended=self._log_first_round
        )

    def _discover(self, targets: Iterable[RegistryListTarget]) -> None:
        """Start, continue and end the registry lists."""
        wanted = {target.key: target for target in targets}
        for key in [key for key in self._discoveries if key not in wanted]:
            self._discoveries.pop(key).end()
        for key, target in wanted.items():
            if discovery := self._discoveries.get(key):
                discovery.retarget(target)
            else:
                discovery = self._discoveries[key] = self._discovery_of(target)
                discovery.begin(self._saved)
            discovery.adopt(self._store.targets)

    def _discovery_of(self, target: RegistryListTarget) -> RegistryDiscovery:
        return RegistryDiscovery(
            target,
            self._clients,
            self._store,
            self._jobs,
            clock=self._clock,
            registries=self._registries,
        )

    def _wanted(self) -> dict[str, RegistryTarget]:
        """Return the registries to poll by label; a named one beats a found one of its label."""
        discoveries = self._discoveries.values()
        wanted = {target.label: target for each in discoveries for target in each.named}
        for discovery in discoveries:
            discovery.retain(lambda target: target.label not in wanted)
        return wanted | {target.label: target for each in discoveries for target in each.found}

    def _become_ready(self) -> None:
        self.ready = True

    def _log_first_round(self) -> None:
        """Log the result, and the plans: the numbers of images and pages are known only now."""
        events.log_first_round(self._store, seconds=self._clock.monotonic() - self._began)
        self._jobs.log_plans(self._clients)

    async def first_round(self) -> None:
        """Wait until everything was polled once, with all that was found meanwhile."""
        await self._jobs.scheduler.idle()

    async def stop(self) -> None:
        """End all jobs, even those that hang."""
        await self._jobs.stop()
