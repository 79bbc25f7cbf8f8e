"""The part of a scrape about images and registries: joined from lines rendered beforehand."""

import zlib
from collections.abc import Callable, Collection, Generator, Iterator
from functools import cache

import structlog

from ncr_exporter.metrics.families import RENDERED_FAMILIES
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

_SMALL_TEXT = 128 * 1024
"""Bytes up to which the whole text is compressed at each scrape: blocks of few lines would take
twice the space."""
_GROUPS_PER_STEP = 8
"""Groups whose ages are compressed in one step."""
_LINES_PER_STEP = 400
"""Lines rendered in one step, of a few images or of some dozens: about a millisecond."""
_IMAGES_PER_STEP = 32
"""Images looked at in one step at most."""

CompressedFamilies = dict[tuple[int, bool], GzipPart]
"""Position in `RENDERED_FAMILIES`, and whether in OpenMetrics → the family with its header."""
GzipSteps = Generator[None, None, GzipPart]
"""Work that returns a part, and yields where other tasks may run."""

log = structlog.get_logger()


class ScrapeSnapshot:
    """The lines of all images and registries at one moment."""

    def __init__(
        self,
        groups: tuple[ImageGroup, ...],
        registries: tuple[tuple[bytes, ...], ...],
        compressed: CompressedFamilies,
    ) -> None:
        """`registries` holds the lines of each registry, by position in `REGISTRY_FAMILIES`.

        `compressed` holds the families that did not change since an earlier snapshot. The others
        are added when they are compressed.
        """
        self._groups = groups
        self._registries = registries
        self._compressed = compressed
        self._heads: dict[bool, GzipPart] = {}
        """Whether in OpenMetrics → all `RENDERED_FAMILIES`."""

    def text(self, now: float | None, *, openmetrics: bool) -> Iterator[bytes]:
        """Yield the text in pieces.

        `now` is in seconds since the epoch; None leaves out the ages, which change with it.
        """
        for position, family in enumerate(RENDERED_FAMILIES):
            yield header(family, openmetrics=openmetrics)
            for group in self._groups:
                yield group.cached_text(position)
        if now is not None:
            yield header(LAST_PULLED_AGE, openmetrics=openmetrics)
            for group in self._groups:
                yield group.age_lines(now)
        yield self._registry_text(openmetrics=openmetrics)

    def gzip_part(self, now: float, *, openmetrics: bool) -> GzipSteps:
        """Return the text compressed, reusing blocks of groups that did not change.

        `now` is in seconds since the epoch.
        """
        if sum(group.size for group in self._groups) < _SMALL_TEXT:
            return gzip_part(b"".join(self.text(now, openmetrics=openmetrics)))
        head = self._heads.get(openmetrics)
        if head is None:
            head = GzipPart()
            for position in range(len(RENDERED_FAMILIES)):
                family = yield from self._family(position, openmetrics=openmetrics)
                head = joined((head, family))
            self._heads[openmetrics] = head
        ages = yield from self._ages(now, openmetrics=openmetrics)
        return joined((head, ages, gzip_part(self._registry_text(openmetrics=openmetrics))))

    def _family(self, position: int, *, openmetrics: bool) -> GzipSteps:
        family = self._compressed.get((position, openmetrics))
        if family is None:
            family = yield from self._compress(position, openmetrics=openmetrics)
            self._compressed[position, openmetrics] = family
        return family

    def _compress(self, position: int, *, openmetrics: bool) -> GzipSteps:
        text, block = _header(position, openmetrics=openmetrics)
        blocks, crc, length = [block], zlib.crc32(text), len(text)
        for group in self._groups:
            was_deflated, text = group.is_deflated(position), group.text(position)
            blocks.append(group.deflated(position, text))
            crc, length = zlib.crc32(text, crc), length + len(text)
            if not was_deflated:
                yield
        return GzipPart(tuple(blocks), crc, length)

    def _ages(self, now: float, *, openmetrics: bool) -> GzipSteps:
        parts = [gzip_part(header(LAST_PULLED_AGE, openmetrics=openmetrics))]
        for start in range(0, len(self._groups), _GROUPS_PER_STEP):
            groups = self._groups[start : start + _GROUPS_PER_STEP]
            parts.append(gzip_part(b"".join([group.age_lines(now) for group in groups])))
            yield
        return joined(parts)

    def _registry_text(self, *, openmetrics: bool) -> bytes:
        lines: list[bytes] = []
        for position, family in enumerate(REGISTRY_FAMILIES):
            lines.append(header(family, openmetrics=openmetrics))
            lines += [blocks[position] for blocks in self._registries]
        return b"".join(lines)


@cache
def _header(position: int, *, openmetrics: bool) -> tuple[bytes, bytes]:
    """Return the header of a family in `RENDERED_FAMILIES`, plain and compressed."""
    text = header(RENDERED_FAMILIES[position], openmetrics=openmetrics)
    return text, deflated(text)


class Exposition:
    """The lines of every image and registry, kept up to date as a `state.store.StateListener`.

    An image is not rendered at once when its state changes, but soon after in `render_changes`, or
    by the next scrape. A single list may change a thousand images, and an image may change several
    times in a row.
    """

    def __init__(self) -> None:
        self.on_change: Callable[[], object] = lambda: None
        """Called when an image waits to be rendered, to have `render_changes` run soon."""
        self._unrendered: dict[ImageKey, ImageState] = {}
        self._images = ImageGroups()
        self._registries: dict[str, tuple[bytes, ...]] = {}
        self._image_series = 0
        self._compressed: CompressedFamilies = {}
        self._changed: set[int] = set()
        """Families that changed since the last snapshot, by their position."""
        self._snapshot: ScrapeSnapshot | None = None

    @property
    def series(self) -> int:
        """The number of samples about images and registries, as rendered last."""
        of_registries = (block for blocks in self._registries.values() for block in blocks)
        return self._image_series + sum(block.count(b"\n") for block in of_registries)

    @property
    def snapshot(self) -> ScrapeSnapshot:
        """The current lines. A snapshot never changes, so it can be sent over several turns."""
        exhaust(self.render_changes())
        return self.rendered

    @property
    def rendered(self) -> ScrapeSnapshot:
        """The lines as rendered last: of images that changed since then, those of before."""
        if self._snapshot is None:
            registries = tuple(self._registries.values())
            groups = self._images.snapshot()
            # A new dict: snapshots in use go on filling the old one with their older lines.
            self._compressed = {
                place: part
                for place, part in self._compressed.items()
                if place[0] not in self._changed
            }
            self._changed.clear()
            self._snapshot = ScrapeSnapshot(groups, registries, self._compressed)
        return self._snapshot

    def render_changes(self) -> Generator[None, None, None]:
        """Render the images whose states changed, in steps, until none is left."""
        while self._unrendered:
            yield from self.render_changes_so_far()

    def render_changes_so_far(self) -> Generator[None, None, None]:
        """Render the images whose states have changed by now, in steps.

        Others may change meanwhile, in a start a hundred thousand.
        """
        lines = 0
        for number, key in enumerate(list(self._unrendered)):
            if (state := self._unrendered.get(key)) is not None:
                lines += yield from self._render(key, state)
            if lines >= _LINES_PER_STEP or number % _IMAGES_PER_STEP == 0:
                lines = 0
                yield

    def _render(self, key: ImageKey, state: ImageState) -> Generator[None, None, int]:
        """Render an image, in steps if its lines are many; return how many these are."""
        try:
            rendered = yield from render(state, self._images.get(key))
        except Exception:
            # An image that cannot be rendered must not cost a scrape all other images.
            log.exception("image cannot be published", registry=key[0], image=key[1])
            self.remove(key)
            return 0
        # Between two steps the image may have changed again, or been removed.
        if self._unrendered.get(key) is state:
            del self._unrendered[key]
            self._replace(key, rendered)
        return rendered.series

    def put(self, state: ImageState) -> None:
        """Have an image's new state rendered soon."""
        self._unrendered[state.target.key] = state
        self.on_change()

    def put_deleted(self, image: DeletedImage) -> None:
        """Publish that an image was deleted, and nothing else about it."""
        self._unrendered.pop(image.target.key, None)
        self._replace(image.target.key, render_deleted(image.target.key))

    def _replace(self, key: ImageKey, rendered: RenderedImage) -> None:
        before = self._images.get(key)
        self._image_series += rendered.series - (before.series if before else 0)
        self._invalidate(self._images.put(key, rendered))

    def remove(self, key: ImageKey) -> None:
        """Stop publishing an image."""
        self._unrendered.pop(key, None)
        if before := self._images.get(key):
            self._image_series -= before.series
            self._invalidate(self._images.remove(key))

    def put_registry(self, state: RegistryState) -> None:
        """Render a registry's new state."""
        self._registries[state.target.label] = render_registry(state)
        self._invalidate()

    def remove_registry(self, label: str) -> None:
        """Stop publishing a registry; unknown labels are ignored, for other shards publish some."""
        self._registries.pop(label, None)
        self._invalidate()

    def _invalidate(self, families: Collection[int] = ()) -> None:
        """Drop the snapshot, and what is compressed of the families that changed."""
        self._changed.update(families)
        self._snapshot = None
