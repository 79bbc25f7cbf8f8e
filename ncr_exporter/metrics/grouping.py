"""Images in groups, each compressed once, and again when one of its images changes."""

from collections.abc import Iterable, Mapping

from ncr_exporter.metrics.families import RENDERED_FAMILIES
from ncr_exporter.metrics.gzip import deflated
from ncr_exporter.metrics.rendering import RenderedImage
from ncr_exporter.targets.targets import ImageKey

_FULL_IMAGES = 64
"""Images in a full group. Small groups compress badly, large ones are compressed again more often.
"""
_FULL_BYTES = 512 * 1024
"""Text in a full group: compressing it must not hold up the event loop."""
_NO_LINES = (b"",) * len(RENDERED_FAMILIES)

RenderedImages = Mapping[ImageKey, RenderedImage]


class ImageGroup:
    """Some images at one moment. A change makes a new group; only caches are filled later.

    Families are given by their position in `RENDERED_FAMILIES`.
    """

    __slots__ = ("_deflated", "_texts", "images", "size")

    def __init__(
        self,
        images: RenderedImages,
        size: int = 0,
        deflated: list[bytes | None] | None = None,
        texts: list[bytes | None] | None = None,
    ) -> None:
        """`size` is that of all images' blocks, in bytes.

        `deflated` and `texts` are caches by family, None where nothing is cached.
        """
        self.images = images
        self.size = size
        self._deflated = deflated or [None] * len(RENDERED_FAMILIES)
        self._texts = texts or [None] * len(RENDERED_FAMILIES)

    @property
    def is_full(self) -> bool:
        """Whether further images belong in another group."""
        return len(self.images) >= _FULL_IMAGES or self.size >= _FULL_BYTES

    def with_images(
        self, images: RenderedImages, size: int, changed: Iterable[int]
    ) -> "ImageGroup":
        """Return a group of these images of `size` bytes; caches of unchanged families stay."""
        deflated, texts = list(self._deflated), list(self._texts)
        for family in changed:
            deflated[family] = texts[family] = None
        return ImageGroup(images, size, deflated, texts)

    def text(self, family: int) -> bytes:
        """Return a family's lines."""
        cached = self._texts[family]
        if cached is None:
            return b"".join([image.blocks[family] for image in self.images.values()])
        return cached

    def cached_text(self, family: int) -> bytes:
        """Return a family's lines, and cache them for the next scrape without compression."""
        # Only such scrapes fill this cache: with gzip the text would be held in memory for nothing.
        cached = self._texts[family] = self.text(family)
        return cached

    def is_deflated(self, family: int) -> bool:
        """Return whether a family's compressed lines are cached."""
        return self._deflated[family] is not None

    def deflated(self, family: int, text: bytes) -> bytes:
        """Return a family's lines compressed, and cache them; `text` are these lines."""
        cached = self._deflated[family]
        if cached is None:
            cached = self._deflated[family] = deflated(text)
        return cached

    def age_lines(self, now: float) -> bytes:
        """Return the lines of `LAST_PULLED_AGE` at `now` (seconds since the epoch)."""
        return "".join([image.age_line(now) for image in self.images.values()]).encode()


class ImageGroups:
    """All images, in groups."""

    def __init__(self) -> None:
        self._groups: dict[int, ImageGroup] = {}
        """By number, in published order."""
        self._number_of: dict[ImageKey, int] = {}
        """The number of each image's group: an image stays in its group for good."""
        self._filling = 0
        """The number of the group that new images go to."""

    def snapshot(self) -> tuple[ImageGroup, ...]:
        """Return the current groups, in published order."""
        return tuple(self._groups.values())

    def get(self, key: ImageKey) -> RenderedImage | None:
        """Return an image as rendered last; None if it is not published."""
        number = self._number_of.get(key)
        return None if number is None else self._groups[number].images[key]

    def put(self, key: ImageKey, image: RenderedImage) -> list[int]:
        """Add or replace an image; return the families whose lines changed."""
        before = self.get(key)
        changed = _changed(before, image)
        number = self._number_of.setdefault(key, self._filling)
        group = self._groups.get(number) or ImageGroup({})
        size = group.size - (before.size if before else 0) + image.size
        images = {**group.images, key: image}
        group = self._groups[number] = group.with_images(images, size, changed)
        if number == self._filling and group.is_full:
            self._filling += 1
        return changed

    def remove(self, key: ImageKey) -> list[int]:
        """Remove an image; return the families whose lines changed."""
        number = self._number_of.pop(key)
        group = self._groups[number]
        before = group.images[key]
        changed = _changed(before, None)
        images = {other: image for other, image in group.images.items() if other != key}
        if images:
            self._groups[number] = group.with_images(images, group.size - before.size, changed)
        else:
            del self._groups[number]
        return changed


def _changed(before: RenderedImage | None, after: RenderedImage | None) -> list[int]:
    """Return the families whose lines differ; None is an image without lines."""
    old_blocks = before.blocks if before else _NO_LINES
    new_blocks = after.blocks if after else _NO_LINES
    blocks = zip(old_blocks, new_blocks, strict=True)
    return [family for family, (old, new) in enumerate(blocks) if old != new]
