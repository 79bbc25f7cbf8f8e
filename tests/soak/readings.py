"""What a scrape says, and what is wrong with it. Pure; slow, so it is done in another process."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.samples import Sample

from tests.soak.plan import Image
from tests.support.expositions import Key, families_of, key_of

_COUNTS = ("_total", "_bucket", "_count", "_sum")
_UNTYPED = {"unknown", "untyped"}


@dataclass(frozen=True)
class Reading:
    """One exposition, read."""

    problems: tuple[str, ...] = ()
    counters: Mapping[Key, float] = field(default_factory=dict)
    tags: Mapping[Image, float] = field(default_factory=dict)
    """Image → `ncr_image_tags`."""
    up: Mapping[Image, float] = field(default_factory=dict)
    inventory: frozenset[Image] = frozenset()
    """Images of which anything is said that a listing tells."""
    series: int = 0


def read(text: str, *, openmetrics: bool) -> Reading:
    """Return what an exposition says; one that does not parse is a problem, too."""
    try:
        families = families_of(text, openmetrics=openmetrics)
    except Exception as error:  # noqa: BLE001 -- whatever a parser raises, it is what we look for
        return Reading((f"does not parse: {type(error).__name__}: {error}",))
    samples = [(family, sample) for family in families for sample in family.samples]
    return Reading(
        problems=(*_unusual(families), *_twice(samples), *_impossible(samples)),
        counters={key_of(sample): sample.value for _, sample in samples if _counts(sample)},
        tags=_by_image(samples, "ncr_image_tags"),
        up=_by_image(samples, "ncr_image_up"),
        inventory=frozenset(_listed(samples)),
        series=len(samples),
    )


def fallen(before: Reading, after: Reading) -> Iterator[tuple[Key, float, float]]:
    """Yield the counters that are in both and went down, with their two values."""
    for key, value in after.counters.items():
        if value < before.counters.get(key, -math.inf):
            yield key, before.counters[key], value


def _unusual(families: list[Metric]) -> Iterator[str]:
    for name, times in Counter(family.name for family in families).items():
        if times > 1:
            yield f"the family {name} stands there {times} times"
    for family in families:
        if not family.documentation:
            yield f"{family.name} has no HELP"
        if family.type in _UNTYPED:
            yield f"{family.name} has no TYPE"


def _twice(samples: list[tuple[Metric, Sample]]) -> Iterator[str]:
    for key, times in Counter(key_of(sample) for _, sample in samples).items():
        if times > 1:
            yield f"{_shown(key)} stands there {times} times"


def _impossible(samples: list[tuple[Metric, Sample]]) -> Iterator[str]:
    for _, sample in samples:
        skewed = sample.name == "ncr_api_clock_skew_seconds"
        if math.isnan(sample.value) or (sample.value < 0 and not skewed):
            yield f"{_shown(key_of(sample))} is {sample.value:g}"


def _by_image(samples: list[tuple[Metric, Sample]], name: str) -> dict[Image, float]:
    return {_image(sample): sample.value for _, sample in samples if sample.name == name}


def _listed(samples: list[tuple[Metric, Sample]]) -> Iterator[Image]:
    """Yield the images of which there are sizes, times or tags, rather than polls alone."""
    for _, sample in samples:
        if sample.name.startswith("ncr_tag_") or sample.name == "ncr_image_tags":
            yield _image(sample)


def _image(sample: Sample) -> Image:
    return sample.labels.get("registry", ""), sample.labels.get("image", "")


def _counts(sample: Sample) -> bool:
    return sample.name.endswith(_COUNTS)


def _shown(key: Key) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in key[1])
    return f"{key[0]}{{{labels}}}"
