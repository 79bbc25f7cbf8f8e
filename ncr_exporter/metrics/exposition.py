"""The images' and registries' part of a scrape: joined from what was rendered when it changed."""

from collections.abc import Collection

from ncr_exporter.metrics.chunks import Chunks
from ncr_exporter.metrics.edition import Edition, Known
from ncr_exporter.metrics.rendering import render, render_registry
from ncr_exporter.states import ImageState, RegistryState
from ncr_exporter.targets import ImageKey


class Exposition:
    """Keeps the lines of each image and registry. Listens to the store (`store.Listener`)."""

    def __init__(self) -> None:
        self._images = Chunks()
        self._registries: dict[str, tuple[bytes, ...]] = {}
        self._image_series = 0
        self._known: Known = {}
        self._edition: Edition | None = None

    @property
    def series(self) -> int:
        """How many samples about images and registries a scrape returns."""
        of_registries = (block for blocks in self._registries.values() for block in blocks)
        return self._image_series + sum(block.count(b"\n") for block in of_registries)

    @property
    def edition(self) -> Edition:
        """What is published at this moment, whatever changes while it is sent."""
        if self._edition is None:
            registries = tuple(self._registries.values())
            self._edition = Edition(self._images.snapshot(), registries, self._known)
        return self._edition

    def put(self, state: ImageState) -> None:
        """Render an image whose state changed."""
        key = state.target.key
        before = self._images.get(key)
        rendered = render(state, before)
        self._image_series += rendered.series - (before.series if before else 0)
        self._outdate(self._images.put(key, rendered))

    def remove(self, key: ImageKey) -> None:
        """Publish an image no longer."""
        before = self._images.get(key)
        self._image_series -= before.series if before else 0
        self._outdate(self._images.remove(key))

    def put_registry(self, state: RegistryState) -> None:
        """Render a registry whose state changed."""
        self._registries[state.target.label] = render_registry(state)
        self._outdate()

    def remove_registry(self, label: str) -> None:
        """Publish a registry no longer; it may have been another shard's to publish."""
        self._registries.pop(label, None)
        self._outdate()

    def _outdate(self, families: Collection[int] = ()) -> None:
        """Have another edition next time; these families are to be compressed anew for it."""
        self._known = {
            place: known for place, known in self._known.items() if place[0] not in families
        }
        self._edition = None
