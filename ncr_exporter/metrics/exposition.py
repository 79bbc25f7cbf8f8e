"""The images' part of a scrape: rendered once when an image changes, joined when scraped."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import itemgetter

from ncr_exporter.metrics.catalogue import STATE_FAMILIES
from ncr_exporter.metrics.family import IMAGE, Family, Sample
from ncr_exporter.metrics.image_families import LAST_PULLED_AGE
from ncr_exporter.metrics.registry_families import REGISTRY_FAMILIES
from ncr_exporter.metrics.text import header, label_pair, sample_line
from ncr_exporter.states import ImageState, RegistryState
from ncr_exporter.targets import ImageKey

_IMAGES_PER_PIECE = 256
"""Images joined at a time: the event loop gets its turn between pieces."""


@dataclass(frozen=True)
class RenderedImage:
    """An image's lines, ready to be joined."""

    blocks: tuple[bytes, ...]
    """One per family of the catalogue, in its order; empty where nothing is known."""
    pairs: str
    """The label pairs of the image."""
    pulled: int | None
    """Newest pull in ms, for the one value that moves between polls."""

    @property
    def series(self) -> int:
        """How many samples these lines are."""
        return sum(block.count(b"\n") for block in self.blocks) + (self.pulled is not None)


def render(state: ImageState) -> RenderedImage:
    """Return every line that follows from an image's state."""
    pairs = ",".join(map(label_pair, IMAGE, state.target.key))
    blocks = tuple(_block(family, IMAGE, family.samples(state), pairs) for family in STATE_FAMILIES)
    pulled = LAST_PULLED_AGE.since(state.image) if state.image else None
    return RenderedImage(blocks, pairs, pulled)


def render_registry(state: RegistryState) -> tuple[bytes, ...]:
    """Return every line that follows from a registry's state, a block per family."""
    pairs = label_pair("registry", state.target.label)
    return tuple(
        _block(family, ("registry",), family.samples(state), pairs) for family in REGISTRY_FAMILIES
    )


def _block(family: Family, common: tuple[str, ...], samples: Iterable[Sample], pairs: str) -> bytes:
    further = family.labels[len(common) :]
    return "".join(
        sample_line(family.name, ",".join((pairs, *map(label_pair, further, values))), value)
        for values, value in samples
    ).encode()


@dataclass
class Exposition:
    """Keeps the lines of each image and registry; a scrape joins them as they are at one moment."""

    _images: dict[ImageKey, RenderedImage] = field(default_factory=dict)
    _registries: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    _image_series: int = 0

    @property
    def series(self) -> int:
        """How many samples about images and registries a scrape returns."""
        blocks = chain.from_iterable(self._registries.values())
        return self._image_series + sum(block.count(b"\n") for block in blocks)

    def put(self, state: ImageState) -> None:
        """Render an image whose state changed."""
        rendered = render(state)
        before = self._images.get(state.target.key)
        self._image_series += rendered.series - (before.series if before else 0)
        self._images[state.target.key] = rendered

    def remove(self, key: ImageKey) -> None:
        """Publish an image no longer."""
        self._image_series -= self._images.pop(key).series

    def put_registry(self, state: RegistryState) -> None:
        """Render a registry whose state changed."""
        self._registries[state.target.label] = render_registry(state)

    def remove_registry(self, label: str) -> None:
        """Publish a registry no longer; it may have been another shard's to publish."""
        self._registries.pop(label, None)

    def pieces(self, now: float, *, openmetrics: bool) -> Iterator[bytes]:
        """Yield the text in pieces; `now` is in seconds since the epoch.

        The images are those of the moment of the call, whatever changes while pieces are sent.
        """
        images, registries = list(self._images.values()), list(self._registries.values())
        return _pieces(images, registries, now, openmetrics=openmetrics)

    def inventory(self) -> Iterator[bytes]:
        """Yield text 0.0.4 without the ages: a file that holds one is wrong a second later."""
        return _pieces(
            list(self._images.values()), list(self._registries.values()), None, openmetrics=False
        )


def _pieces(
    images: list[RenderedImage],
    registries: list[tuple[bytes, ...]],
    now: float | None,
    *,
    openmetrics: bool,
) -> Iterator[bytes]:
    of_images = [image.blocks for image in images]
    for position, family in enumerate(STATE_FAMILIES):
        yield from _family(family, map(itemgetter(position), of_images), openmetrics=openmetrics)
    if now is not None:
        ages = (_age_line(image, now) for image in images)
        yield from _family(LAST_PULLED_AGE, ages, openmetrics=openmetrics)
    for position, of_registry in enumerate(REGISTRY_FAMILIES):
        blocks = map(itemgetter(position), registries)
        yield from _family(of_registry, blocks, openmetrics=openmetrics)


def _family(family: Family, blocks: Iterator[bytes], *, openmetrics: bool) -> Iterator[bytes]:
    yield header(family, openmetrics=openmetrics)
    while some := list(islice(blocks, _IMAGES_PER_PIECE)):
        yield b"".join(some)


def _age_line(image: RenderedImage, now: float) -> bytes:
    if image.pulled is None:
        return b""
    age = max(0.0, round(now - image.pulled / 1000, 3))
    return sample_line(LAST_PULLED_AGE.name, image.pairs, age).encode()
