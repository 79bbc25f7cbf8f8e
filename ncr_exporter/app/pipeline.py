"""What the store tells, handed on to those who publish it."""

from dataclasses import dataclass

from ncr_exporter.metrics.exporter_metrics import OwnMetrics
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.targets.shard import Shard
from ncr_exporter.targets.targets import ImageKey


@dataclass(frozen=True)
class Publisher:
    """Listens to the store (`store.Listener`); a registry is published by its shard alone."""

    exposition: Exposition
    own: OwnMetrics
    shard: Shard

    def put(self, state: ImageState) -> None:
        """Publish an image's state."""
        self.exposition.put(state)

    def remove(self, key: ImageKey) -> None:
        """Publish an image no longer."""
        self.exposition.remove(key)

    def put_registry(self, state: RegistryState) -> None:
        """Publish a registry's state."""
        self.own.add_registry(state.target.label)
        if self.shard.owns(state.target.label):
            self.exposition.put_registry(state)

    def remove_registry(self, label: str) -> None:
        """Publish a registry no longer."""
        self.own.remove_registry(label)
        self.exposition.remove_registry(label)
