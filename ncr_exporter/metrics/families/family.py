"""The kinds of metric family, and helpers for the rows of the tables."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

from ncr_exporter.inventory import ImageSummary
from ncr_exporter.state.model import ImageState, RegistryState

Number = int | float
Type = Literal["gauge", "counter", "histogram"]

REGISTRY_LABELS = ("registry",)
IMAGE_LABELS = ("registry", "image")
TAG_LABELS = ("registry", "image", "tag")


@dataclass(frozen=True)
class Family:
    """One row of the tables: all that is said about a metric anywhere comes from here."""

    name: str
    """As in samples: counters end in `_total`."""
    help: str
    """HELP without its stability mark."""
    labels: tuple[str, ...] = ()
    type: Type = "gauge"
    stability: Literal["STABLE", "EXPERIMENTAL"] = "STABLE"

    @property
    def unit(self) -> str:
        """OpenMetrics' unit, which ends the name: `seconds`, `bytes`, or empty."""
        stem = self.openmetrics_name
        return next((unit for unit in ("seconds", "bytes") if stem.endswith(f"_{unit}")), "")

    @property
    def openmetrics_name(self) -> str:
        """The name of the family in OpenMetrics: a counter's has no `_total`."""
        return self.name.removesuffix("_total") if self.type == "counter" else self.name

    @property
    def help_text(self) -> str:
        """HELP as published: the stability mark first."""
        return f"[{self.stability}] {self.help}"


Sample = tuple[tuple[str, ...], Number]
"""The values of the labels after `registry` and `image`, and the sample's value."""


@dataclass(frozen=True)
class SummaryFamily(Family):
    """A family with at most one sample, computed from the summary of an image's last listing."""

    value: Callable[[ImageSummary], Number | None] = lambda _: None
    """Its value; None makes no sample."""


@dataclass(frozen=True)
class TagFamily(Family):
    """A family with at most one sample of each exposed tag, computed from the summary alone."""

    values: Callable[[ImageSummary], Iterable[Number | None]] = lambda _: ()
    """The value of each of `ImageSummary.exposed`, in that order; None makes no sample."""
    more_label: Callable[[ImageSummary], Iterable[str]] | None = None
    """The value of the label after `tag` of each of `exposed`; None if the family has no other."""


@dataclass(frozen=True)
class PlatformFamily(Family):
    """A family with a sample of each platform of each exposed tag, computed from the summary."""

    samples: Callable[[ImageSummary], Iterable[Sample]] = lambda _: ()


@dataclass(frozen=True)
class StateFamily(Family):
    """A family with at most one sample, computed from an image's state: it changes with that."""

    value: Callable[[ImageState], Number | None] = lambda _: None
    """Its value; None makes no sample."""
    more_label: Callable[[ImageState], str] | None = None
    """The value of the label after `image`; None if the family has no other."""


RenderedFamily = SummaryFamily | TagFamily | PlatformFamily | StateFamily
"""A family whose lines are rendered when an image's state changes."""


@dataclass(frozen=True)
class RegistryFamily(Family):
    """A family computed from a registry's state; its samples change only when that does."""

    samples: Callable[[RegistryState], Iterable[Sample]] = lambda _: ()


@dataclass(frozen=True)
class AgeFamily(Family):
    """A family whose value is the time since a moment, computed at each scrape."""

    since: Callable[[ImageSummary], int | None] = lambda _: None
    """That moment, in milliseconds since the epoch."""


Source = TypeVar("Source")


def one_sample(
    value: Callable[[Source], Number | None],
) -> Callable[[Source], list[Sample]]:
    """Return a function that makes one sample, or none where its value is unknown."""

    def samples(source: Source) -> list[Sample]:
        number = value(source)
        return [] if number is None else [((), number)]

    return samples


def flag(is_set: bool | None) -> int | None:  # noqa: FBT001 -- the value itself
    """Return 1 or 0, or None where it is unknown."""
    return None if is_set is None else int(is_set)


def seconds(milliseconds: int | None) -> Number | None:
    """Return seconds; whole ones as an int, which renders in a quarter of a float's time."""
    if milliseconds is None:
        return None
    return milliseconds / 1000 if milliseconds % 1000 else milliseconds // 1000
