"""Everything polled once, within the limits: what `once` and `check --online` share."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ncr_exporter.app.accounts import connected, uses
from ncr_exporter.app.pipeline import Publisher
from ncr_exporter.config import Config
from ncr_exporter.config.globs import is_glob
from ncr_exporter.metrics.exporter_metrics import OwnMetrics
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.ncr.http import Hook
from ncr_exporter.polling.poller import Poller
from ncr_exporter.runtime.clock import Clock, SystemClock
from ncr_exporter.state.model import Failure
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.shard import Shard
from ncr_exporter.targets.targets import Catalog, RegistryTarget, catalogs

PATIENCE = 60.0
"""Seconds, in all, that a round waits where the API throttles: there is no next one."""


class OneRound:
    """One poll of every list and image; what is known may be looked at while it goes."""

    def __init__(self, config: Config, environ: Mapping[str, str] = os.environ) -> None:
        self.exposition = Exposition()
        self.own = OwnMetrics(series=lambda: self.exposition.series)
        self.store = Store(Publisher(self.exposition, self.own, Shard()))
        self.clock: Clock = SystemClock()
        self.own.configured(config.digest, self.clock.time())
        self._config = config
        self._environ = environ

    async def run(
        self, wanted: Iterable[Catalog] | None = None, hooks: Sequence[Hook] = ()
    ) -> None:
        """Ask for all that `wanted` leads to; by default, all that the configuration asks for.

        Raises:
            UserError: the configuration cannot be used.
        """
        config, api = self._config, self._config.api
        every = catalogs(config) if wanted is None else tuple(wanted)
        budget = Budget(api.requests_per_second)
        async with connected(
            config,
            every,
            rate=api.requests_per_second,
            environ=self._environ,
            clock=self.clock,
            observer=self.own,
            hooks=hooks,
            patience=PATIENCE,
        ) as clients:
            poller = Poller(clients, self.store, budget, self.clock, Shard(), once=True)
            poller.apply(every)
            try:
                await poller.first_round()
            finally:
                await poller.stop()
            now = self.clock.monotonic()
            used = list(uses(clients, self.store.targets, budget, now))
            self.own.watch(lambda: used)


@dataclass(frozen=True)
class Failed:
    """Something that could not be had."""

    place: str
    """A registry, or registry/image."""
    failure: Failure
    matters: bool
    """False for an image list that no glob needs: its registry's images were polled by name."""


def failed(store: Store) -> Iterator[Failed]:
    """Yield what failed in the last polls: registries first, images in the order of the store."""
    for registry in store.registries.values():
        if registry.failure is not None:
            yield Failed(registry.target.label, registry.failure, finds_images(registry.target))
    for image in store.images.values():
        if image.failure is not None:
            yield Failed("/".join(image.target.key), image.failure, matters=True)


def finds_images(target: RegistryTarget) -> bool:
    """Tell whether images of a registry are known only from its list."""
    return target.is_every or any(is_glob(rule.pattern) for rule in target.rules)
