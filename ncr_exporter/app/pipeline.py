"""The wiring from configuration to exposition, for `serve`, `once` and `check --online`."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ncr_exporter.app.accounts import Accounts, ClientFactory, account_uses
from ncr_exporter.config import Config
from ncr_exporter.metrics.exporter_metrics import AccountUse, ExporterMetrics
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.ncr.corrected_clock import CorrectedClock
from ncr_exporter.ncr.http import Hook
from ncr_exporter.polling.poller import Poller
from ncr_exporter.runtime.clock import Clock, SystemClock
from ncr_exporter.runtime.cooperative import BackgroundTask
from ncr_exporter.runtime.threads import in_own_thread
from ncr_exporter.state.model import DeletedImage, Failure, ImageState, RegistryState
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import ImageKey, RegistryListTarget, Shard, registry_list_targets

PATIENCE = 60.0
"""Seconds in total for which polling once waits while the API throttles: no next round follows."""


@dataclass(frozen=True)
class FailedPoll:
    """A poll of an image, or a list of a registry, that failed."""

    place: str
    """The registry's label, or registry/image."""
    failure: Failure
    matters: bool
    """False for an image list that no glob needs: all images of the registry are named."""


class Pipeline:
    """Polls the API and publishes the results. Leaving its `async with` ends all polls."""

    def __init__(  # noqa: PLR0913 -- what the ways of running differ in, each by name
        self,
        config: Config,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Clock | None = None,
        shard: Shard | None = None,
        saved: SavedState | None = None,
        once: bool = False,
        hooks: Sequence[Hook] = (),
        language: str = "",
    ) -> None:
        """Wire the parts together. The first request is sent after `use` or `poll_once`.

        `environ` may hold API keys. `saved` is the data of an earlier run. With `once` each list is
        requested once, and no data expires. `hooks` are awaited with each response of the API.
        `language`, such as `ko-KR`, is that of the API's errors for a person who reads them.
        """
        shard, saved = shard or Shard(), saved or SavedState()
        self.config = config
        host_clock = clock or SystemClock()
        self.exposition = Exposition()
        self.exporter_metrics = metrics = ExporterMetrics(series=lambda: self.exposition.series)
        self.store = Store(Publisher(self.exposition, metrics, shard))
        patience = PATIENCE if once else 0.0
        factory = ClientFactory(environ, host_clock, metrics, hooks, patience, language)
        self.accounts = Accounts(factory)
        # `saved` may be read later, while the port is open.
        gateways = self.accounts.gateway_clocks
        self.clock = CorrectedClock(host_clock, gateways, lambda: saved.correction)
        self._shards = shard.total
        self._budget = Budget(self._rate(config))
        clients = self.accounts.clients
        self.poller = Poller(
            clients, self.store, self._budget, self.clock, shard, saved=saved, once=once
        )
        metrics.publish_account_uses(self._account_uses)
        if not once:
            self.exposition.on_change = BackgroundTask(self.exposition.render_changes).wake

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.poller.stop()
        await self.accounts.aclose()

    async def use(self, config: Config) -> None:
        """Poll what a configuration asks for, instead of what the one before asked for.

        Raises:
            UserError: it cannot be used; nothing was changed.
        """
        await self.poll(config, await self.connect(config))

    async def connect(self, config: Config) -> tuple[RegistryListTarget, ...]:
        """Make a client for each account of a configuration; return its registry lists.

        The files of keys and certificates are read in a thread.

        Raises:
            UserError: it cannot be used; nothing was changed.
        """
        targets = registry_list_targets(config)
        rate = self._rate(config)
        self.accounts.put(
            await in_own_thread(lambda: self.accounts.made(config, targets, rate=rate))
        )
        self.exporter_metrics.record_config(config.digest, self.clock.time())
        return targets

    async def poll(self, config: Config, targets: Iterable[RegistryListTarget]) -> None:
        """Start or continue polling `targets`: registry lists of a configuration, connected."""
        self._budget.limit = self._rate(config)
        await self.poller.apply(targets)
        self.accounts.retire_unused()
        self.config = config

    async def poll_once(self, targets: Iterable[RegistryListTarget] | None = None) -> None:
        """Poll what the configuration asks for once, or only these of its registry lists.

        Raises:
            UserError: the configuration cannot be used.
        """
        connected = await self.connect(self.config)
        await self.poll(self.config, connected if targets is None else targets)
        await self.poller.first_round()

    def failed_polls(self) -> Iterator[FailedPoll]:
        """Yield what failed in the last polls: registries first, each in the order of the store."""
        for registry in self.store.registries.values():
            label, failure = registry.target.label, registry.failure
            if failure is not None:
                yield FailedPoll(label, failure, matters=registry.target.finds_images)
        for image in self.store.images.values():
            if image.failure is not None:
                yield FailedPoll("/".join(image.target.key), image.failure, matters=True)

    def _rate(self, config: Config) -> float:
        return config.api.requests_per_second / self._shards

    def _account_uses(self) -> Iterable[AccountUse]:
        now = self.clock.monotonic()
        return account_uses(self.accounts.clients, self.store.targets, self._budget, now)


@dataclass(frozen=True)
class Publisher:
    """Hands each state that changes to what publishes it, as a `state.store.StateListener`.

    Every shard lists a registry, but only the one that owns it publishes it.
    """

    exposition: Exposition
    exporter_metrics: ExporterMetrics
    shard: Shard

    def put(self, state: ImageState) -> None:
        """Publish an image's state."""
        self.exposition.put(state)

    def put_deleted(self, image: DeletedImage) -> None:
        """Publish that an image was deleted, and nothing else about it."""
        self.exposition.put_deleted(image)

    def remove(self, key: ImageKey) -> None:
        """Stop publishing an image."""
        self.exposition.remove(key)

    def put_registry(self, state: RegistryState) -> None:
        """Publish a registry's state."""
        self.exporter_metrics.add_registry(state.target.label)
        if self.shard.owns(state.target.label):
            self.exposition.put_registry(state)

    def remove_registry(self, label: str) -> None:
        """Stop publishing a registry."""
        self.exporter_metrics.remove_registry(label)
        self.exposition.remove_registry(label)
