"""The images' and registries' part of a scrape: joined from what was rendered when it changed."""

import zlib
from collections.abc import Callable, Collection, Generator, Iterator
from functools import cache
from itertools import islice

import structlog

from ncr_exporter.metrics.families.catalogue import STATE_FAMILIES
from ncr_exporter.metrics.families.image import LAST_PULLED_AGE
from ncr_exporter.metrics.families.registry import REGISTRY_FAMILIES
from ncr_exporter.metrics.grouping import ImageGroup, ImageGroups
from ncr_exporter.metrics.gzip import GzipPart, deflated, gzip_part, joined
from ncr_exporter.metrics.rendering import (
    RenderedImage,
    header,
    render,
    render_deleted,
    render_registry,
)
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.state.model import DeletedImage, ImageState, RegistryState
from ncr_exporter.targets.targets import ImageKey

_SMALL = 128 * 1024
"""Bytes that are compressed whole each time: blocks of few lines would be twice as large."""
_GROUPS_AT_A_TIME = 8
"""Whose ages are compressed together."""

Known = dict[tuple[int, bool], GzipPart]
"""Position of a family, and whether in OpenMetrics → the family with its header."""
Steps = Generator[None, None, GzipPart]
"""Work that pauses where the event loop may have its turn, and its result."""


class ScrapeSnapshot:
    """The lines of every image and registry at one moment."""

    def __init__(
        self,
        groups: tuple[ImageGroup, ...],
        registries: tuple[tuple[bytes, ...], ...],
        known: Known,
    ) -> None:
        """`known` are the families that are compressed already; those to come are added."""
        self._groups = groups
        self._registries = registries
        self._known = known
        self._heads: dict[bool, GzipPart] = {}

    def text(self, now: float | None, *, openmetrics: bool) -> Iterator[bytes]:
        """Yield the text in pieces; without `now` (s) it has no ages."""
        for position, family in enumerate(STATE_FAMILIES):
            yield header(family, openmetrics=openmetrics)
            for group in self._groups:
                yield group.kept_text(position)
        if now is not None:
            yield header(LAST_PULLED_AGE, openmetrics=openmetrics)
            for group in self._groups:
                yield group.ages(now)
        yield self._of_registries(openmetrics=openmetrics)

    def gzip_part(self, now: float, *, openmetrics: bool) -> Steps:
        """Return the same text compressed; what did not change since the last time is joined."""
        if sum(group.size for group in self._groups) < _SMALL:
            return gzip_part(b"".join(self.text(now, openmetrics=openmetrics)))
        head = self._heads.get(openmetrics)
        if head is None:
            head = GzipPart()
            for position in range(len(STATE_FAMILIES)):
                family = yield from self._family(position, openmetrics=openmetrics)
                head = joined((head, family))
            self._heads[openmetrics] = head
        ages = yield from self._ages(now, openmetrics=openmetrics)
        return joined((head, ages, gzip_part(self._of_registries(openmetrics=openmetrics))))

    def _family(self, position: int, *, openmetrics: bool) -> Steps:
        known = self._known.get((position, openmetrics))
        if known is None:
            known = yield from self._compressed(position, openmetrics=openmetrics)
            self._known[position, openmetrics] = known
        return known

    def _compressed(self, position: int, *, openmetrics: bool) -> Steps:
        text, block = _header(position, openmetrics=openmetrics)
        blocks, crc, length = [block], zlib.crc32(text), len(text)
        for group in self._groups:
            is_known, text = group.is_deflated(position), group.text(position)
            blocks.append(group.deflated(position, text))
            crc, length = zlib.crc32(text, crc), length + len(text)
            if not is_known:
                yield
        return GzipPart(tuple(blocks), crc, length)

    def _ages(self, now: float, *, openmetrics: bool) -> Steps:
        parts = [gzip_part(header(LAST_PULLED_AGE, openmetrics=openmetrics))]
        for start in range(0, len(self._groups), _GROUPS_AT_A_TIME):
            groups = self._groups[start : start + _GROUPS_AT_A_TIME]
            parts.append(gzip_part(b"".join([group.ages(now) for group in groups])))
            yield
        return joined(parts)

    def _of_registries(self, *, openmetrics: bool) -> bytes:
        lines: list[bytes] = []
        for position, family in enumerate(REGISTRY_FAMILIES):
            lines.append(header(family, openmetrics=openmetrics))
            lines += [blocks[position] for blocks in self._registries]
        return b"".join(lines)


@cache
def _header(position: int, *, openmetrics: bool) -> tuple[bytes, bytes]:
    """Return a family's header, plain and compressed."""
    text = header(STATE_FAMILIES[position], openmetrics=openmetrics)
    return text, deflated(text)


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
        self._images = ImageGroups()
        self._registries: dict[str, tuple[bytes, ...]] = {}
        self._image_series = 0
        self._known: Known = {}
        self._snapshot: ScrapeSnapshot | None = None

    @property
    def series(self) -> int:
        """How many samples about images and registries a scrape returns."""
        exhaust(self.rendering())
        of_registries = (block for blocks in self._registries.values() for block in blocks)
        return self._image_series + sum(block.count(b"\n") for block in of_registries)

    @property
    def snapshot(self) -> ScrapeSnapshot:
        """What is published at this moment, whatever changes while it is sent."""
        exhaust(self.rendering())
        if self._snapshot is None:
            registries = tuple(self._registries.values())
            self._snapshot = ScrapeSnapshot(self._images.snapshot(), registries, self._known)
        return self._snapshot

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

    def put_deleted(self, image: DeletedImage) -> None:
        """Publish that an image was deleted, and nothing else about it."""
        self._unrendered.pop(image.target.key, None)
        self._replace(image.target.key, render_deleted(image.target.key))

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
        self._snapshot = None
