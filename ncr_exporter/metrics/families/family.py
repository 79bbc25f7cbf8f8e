"""What a metric family is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from ncr_exporter.inventory import ImageSummary, TagFacts
from ncr_exporter.state.model import ImageState, RegistryState

Number = int | float
Type = Literal["gauge", "counter", "histogram"]

IMAGE = ("registry", "image")
TAG = ("registry", "image", "tag")


@dataclass(frozen=True)
class Family:
    """One row of the catalogue; everything said about a metric anywhere comes from here."""

    name: str
    """As in samples; counters end in `_total`."""
    help: str
    labels: tuple[str, ...] = ()
    type: Type = "gauge"
    stability: Literal["STABLE", "EXPERIMENTAL"] = "STABLE"

    @property
    def unit(self) -> str:
        """The unit at the end of the name, as OpenMetrics wants it named, or nothing."""
        stem = self.openmetrics_name
        return next((unit for unit in ("seconds", "bytes") if stem.endswith(f"_{unit}")), "")

    @property
    def openmetrics_name(self) -> str:
        """The name without a counter's `_total`, as OpenMetrics names families."""
        return self.name.removesuffix("_total") if self.type == "counter" else self.name

    @property
    def help_text(self) -> str:
        """HELP as published: the stability mark first."""
        return f"[{self.stability}] {self.help}"


Sample = tuple[tuple[str, ...], Number]
"""The values of the labels after those of the image or registry, and the value."""


@dataclass(frozen=True)
class ListingFamily(Family):
    """A family whose samples follow from what an image's listing tells, and from nothing else."""

    samples: Callable[[ImageSummary], Iterable[Sample]] = lambda _: ()


@dataclass(frozen=True)
class ImageFamily(Family):
    """A family whose samples follow from an image's state and change only with it."""

    samples: Callable[[ImageState], Iterable[Sample]] = lambda _: ()


@dataclass(frozen=True)
class RegistryFamily(Family):
    """A family whose samples follow from a registry's state and change only with it."""

    samples: Callable[[RegistryState], Iterable[Sample]] = lambda _: ()


@dataclass(frozen=True)
class AgeFamily(Family):
    """A family whose value is the time since a moment (ms), computed when scraped."""

    since: Callable[[ImageSummary], int | None] = lambda _: None


def of_state(value: Callable[[ImageState], Number | None]) -> Callable[[ImageState], list[Sample]]:
    """Return samples of one value per image; unknown is absent."""

    def samples(state: ImageState) -> list[Sample]:
        number = value(state)
        return [] if number is None else [((), number)]

    return samples


def of_image(
    value: Callable[[ImageSummary], Number | None],
) -> Callable[[ImageSummary], list[Sample]]:
    """Return samples of one value per image that was listed; unknown is absent."""

    def samples(image: ImageSummary) -> list[Sample]:
        number = value(image)
        return [] if number is None else [((), number)]

    return samples


def of_tags(
    value: Callable[[TagFacts], Number | None], *labels: Callable[[TagFacts], str]
) -> Callable[[ImageSummary], list[Sample]]:
    """Return samples of one value per exposed tag, with further labels; unknown is absent."""

    def samples(image: ImageSummary) -> list[Sample]:
        return [
            ((tag.name, *[label(tag) for label in labels]), number)
            for tag in image.exposed
            if (number := value(tag)) is not None
        ]

    return samples


def seconds(milliseconds: int | None) -> Number | None:
    """Return seconds; whole ones as an int, which renders at a quarter of a float's cost."""
    if milliseconds is None:
        return None
    return milliseconds / 1000 if milliseconds % 1000 else milliseconds // 1000
