"""The one wiring of `serve`, `once` and `check --online`: from configuration to exposition."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ncr_exporter.app.accounts import Accounts, ClientFactory, account_uses
from ncr_exporter.config import Config
from ncr_exporter.metrics.exporter_metrics import AccountUse, ExporterMetrics
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.ncr.http import Hook
from ncr_exporter.polling.poller import Poller
from ncr_exporter.runtime.clock import Clock, SystemClock
from ncr_exporter.runtime.cooperative import BackgroundTask
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import ImageKey, RegistryListTarget, Shard, registry_list_targets

PATIENCE = 60.0
"""Seconds in all that polling everything once waits for an API that throttles: there is no next
round."""


class Pipeline:
    """What polls and publishes. Closed with `async with`, which ends every poll."""

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
    ) -> None:
        """Wire the parts together; nothing is asked before `use` or `poll_once`.

        `saved` is what is known from before the start. With `once` each list is asked for once,
        and nothing expires. `hooks` are awaited with each response of the API.
        """
        shard = shard or Shard()
        self.config = config
        self.clock = clock or SystemClock()
        self.exposition = Exposition()
        self.exporter_metrics = ExporterMetrics(series=lambda: self.exposition.series)
        self.store = Store(Publisher(self.exposition, self.exporter_metrics, shard))
        self.accounts = Accounts(
            ClientFactory(
                environ, self.clock, self.exporter_metrics, hooks, PATIENCE if once else 0.0
            )
        )
        self._shards = shard.total
        self._budget = Budget(self._rate(config))
        self.poller = Poller(
            self.accounts.clients,
            self.store,
            self._budget,
            self.clock,
            shard,
            saved=saved,
            once=once,
        )
        self.exporter_metrics.publish_account_uses(self._account_uses)
        if not once:
            self.exposition.on_change = BackgroundTask(self.exposition.render_changes).wake

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.poller.stop()
        await self.accounts.__aexit__()

    def use(self, config: Config) -> None:
        """Put a configuration in force.

        Raises:
            UserError: it cannot be used; nothing was changed.
        """
        self.poll(config, self.connect(config))

    def connect(self, config: Config) -> tuple[RegistryListTarget, ...]:
        """Return what a configuration asks for, with a client for each of its accounts.

        Raises:
            UserError: it cannot be used; nothing was changed.
        """
        targets = registry_list_targets(config)
        self.accounts.apply(config, targets, rate=self._rate(config))
        return targets

    def poll(self, config: Config, targets: Iterable[RegistryListTarget]) -> None:
        """Begin or continue polling `targets`, the lists of a configuration that is connected."""
        self._budget.limit = self._rate(config)
        self.poller.apply(targets)
        self.config = config
        self.exporter_metrics.record_config(config.digest, self.clock.time())

    async def poll_once(self, targets: Iterable[RegistryListTarget] | None = None) -> None:
        """Poll everything that the configuration asks for, or these of its lists, and wait.

        Raises:
            UserError: the configuration cannot be used.
        """
        connected = self.connect(self.config)
        self.poll(self.config, connected if targets is None else targets)
        await self.poller.first_round()

    def _rate(self, config: Config) -> float:
        return config.api.requests_per_second / self._shards

    def _account_uses(self) -> Iterable[AccountUse]:
        now = self.clock.monotonic()
        return account_uses(self.accounts.clients, self.store.targets, self._budget, now)


@dataclass(frozen=True)
class Publisher:
    """Hands each state that changed in the store to what renders it (`state.store.Listener`).

    A registry is published by its shard alone.
    """

    exposition: Exposition
    exporter_metrics: ExporterMetrics
    shard: Shard

    def put(self, state: ImageState) -> None:
        """Publish an image's state."""
        self.exposition.put(state)

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
