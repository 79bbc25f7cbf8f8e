"""The images' and registries' part of a scrape: joined from what was rendered when it changed."""

from collections.abc import Callable, Collection, Generator
from itertools import islice

import structlog

from ncr_exporter.metrics.chunks import Chunks
from ncr_exporter.metrics.edition import Edition, Known
from ncr_exporter.metrics.rendering import RenderedImage, render, render_registry
from ncr_exporter.runtime.cooperative import ended
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.targets.targets import ImageKey

log = structlog.get_logger()

_AT_A_TIME = 4
"""Images rendered in one step: some tenths of a millisecond each."""


class Exposition:
    """Keeps the lines of each image and registry. Listens to the store (`store.Listener`).

    An image is rendered soon after it changed, not at once: one list may change a thousand of
    them, and an image several times in a row.
    """

    def __init__(self) -> None:
        self.changed: Callable[[], object] = lambda: None
        """Called when there is something to render; if not, who asks first waits for it."""
        self._unrendered: dict[ImageKey, ImageState] = {}
        self._images = Chunks()
        self._registries: dict[str, tuple[bytes, ...]] = {}
        self._image_series = 0
        self._known: Known = {}
        self._edition: Edition | None = None

    @property
    def series(self) -> int:
        """How many samples about images and registries a scrape returns."""
        ended(self.rendering())
        of_registries = (block for blocks in self._registries.values() for block in blocks)
        return self._image_series + sum(block.count(b"\n") for block in of_registries)

    @property
    def edition(self) -> Edition:
        """What is published at this moment, whatever changes while it is sent."""
        ended(self.rendering())
        if self._edition is None:
            registries = tuple(self._registries.values())
            self._edition = Edition(self._images.snapshot(), registries, self._known)
        return self._edition

    def rendering(self) -> Generator[None, None, None]:
        """Render what changed, in steps."""
        while self._unrendered:
            for key, state in list(islice(self._unrendered.items(), _AT_A_TIME)):
                try:
                    rendered = yield from render(state, self._images.get(key))
                except Exception:
                    # One image that we cannot render must not cost the scrapes all others.
                    log.exception("image cannot be published", registry=key[0], image=key[1])
                    self.remove(key)
                    continue
                if self._unrendered.get(key) is state:  # else it changed again, or left, meanwhile
                    del self._unrendered[key]
                    self._replace(key, rendered)
            yield

    def put(self, state: ImageState) -> None:
        """Take in that an image's state changed."""
        self._unrendered[state.target.key] = state
        self.changed()

    def _replace(self, key: ImageKey, rendered: RenderedImage) -> None:
        before = self._images.get(key)
        self._image_series += rendered.series - (before.series if before else 0)
        self._outdate(self._images.put(key, rendered))

    def remove(self, key: ImageKey) -> None:
        """Publish an image no longer."""
        self._unrendered.pop(key, None)
        if before := self._images.get(key):
            self._image_series -= before.series
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
