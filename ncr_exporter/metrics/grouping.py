"""Images in groups: what is compressed together, once, until one of them changes."""

from collections.abc import Iterable, Mapping

from ncr_exporter.metrics.families.catalogue import STATE_FAMILIES
from ncr_exporter.metrics.gzip import deflated
from ncr_exporter.metrics.rendering import RenderedImage
from ncr_exporter.targets.targets import ImageKey

_IMAGES = 64
"""Blocks of fewer lines compress badly; larger ones are compressed anew more often."""
_BYTES = 512 * 1024
"""Text beyond which a group takes no further image: compressing it must not hold the loop up."""
_NONE = (b"",) * len(STATE_FAMILIES)

Images = Mapping[ImageKey, RenderedImage]


class ImageGroup:
    """Some images at one moment; never changed, only replaced."""

    __slots__ = ("_deflated", "_texts", "images", "size")

    def __init__(
        self,
        images: Images,
        deflated: list[bytes | None] | None = None,
        texts: list[bytes | None] | None = None,
    ) -> None:
        self.images = images
        self.size = sum(image.size for image in images.values())
        self._deflated = deflated or [None] * len(STATE_FAMILIES)
        self._texts = texts or [None] * len(STATE_FAMILIES)

    @property
    def is_full(self) -> bool:
        """Whether further images should go elsewhere."""
        return len(self.images) >= _IMAGES or self.size >= _BYTES

    def replaced(self, images: Images, changed: Iterable[int]) -> "ImageGroup":
        """Return the group with these images; families that did not change stay compressed."""
        deflated, texts = list(self._deflated), list(self._texts)
        for family in changed:
            deflated[family] = texts[family] = None
        return ImageGroup(images, deflated, texts)

    def text(self, family: int) -> bytes:
        """Return the lines of a family, by its position in the catalogue."""
        known = self._texts[family]
        if known is None:
            known = b"".join([image.blocks[family] for image in self.images.values()])
        return known

    def kept_text(self, family: int) -> bytes:
        """Return the same, and keep it: who once asks for plain text does so again."""
        known = self._texts[family] = self.text(family)
        return known

    def is_deflated(self, family: int) -> bool:
        """Tell whether a family needs no compressing."""
        return self._deflated[family] is not None

    def deflated(self, family: int, text: bytes) -> bytes:
        """Return the lines of a family compressed; `text` is what `text(family)` returns."""
        known = self._deflated[family]
        if known is None:
            known = self._deflated[family] = deflated(text)
        return known

    def ages(self, now: float) -> bytes:
        """Return the lines of the ages at `now` (s)."""
        return "".join([image.age_line(now) for image in self.images.values()]).encode()


class ImageGroups:
    """Every image, in groups that replace each other."""

    def __init__(self) -> None:
        self._groups: dict[int, ImageGroup] = {}
        self._place: dict[ImageKey, int] = {}
        self._open = 0

    def snapshot(self) -> tuple[ImageGroup, ...]:
        """Return the groups of this moment."""
        return tuple(self._groups.values())

    def get(self, key: ImageKey) -> RenderedImage | None:
        """Return an image as it is published now."""
        place = self._place.get(key)
        return None if place is None else self._groups[place].images[key]

    def put(self, key: ImageKey, image: RenderedImage) -> list[int]:
        """Add or replace an image; return the positions of the families that changed."""
        changed = _changed(self.get(key), image)
        place = self._place.setdefault(key, self._open)
        group = self._groups.get(place) or ImageGroup({})
        group = self._groups[place] = group.replaced({**group.images, key: image}, changed)
        if place == self._open and group.is_full:
            self._open += 1
        return changed

    def remove(self, key: ImageKey) -> list[int]:
        """Remove an image; return the positions of the families that changed."""
        changed = _changed(self.get(key), None)
        place = self._place.pop(key)
        group = self._groups[place]
        images = {other: image for other, image in group.images.items() if other != key}
        if images:
            self._groups[place] = group.replaced(images, changed)
        else:
            del self._groups[place]
        return changed


def _changed(before: RenderedImage | None, after: RenderedImage | None) -> list[int]:
    """Return the positions of the families whose lines differ."""
    blocks = zip(before.blocks if before else _NONE, after.blocks if after else _NONE, strict=True)
    return [position for position, (old, new) in enumerate(blocks) if old != new]
