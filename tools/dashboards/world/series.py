"""What exporters publish of a world's images, as a function of time.

Times are told as `ago`: seconds before the world's end.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import inf, pi, sin

from tools.dashboards.world.images import (
    STALE_AFTER,
    TAG_SIZE_LIMIT,
    TAGS_LIMIT,
    Cast,
    Image,
    Registry,
)

DAY, WEEK = 86400, 7 * 86400
INTERVAL = 900
"""Seconds between two polls of an image."""
TAGS_WITH_SERIES = 20
OUTAGES = ("none", "api", "exporter")
OUTAGE = 2700
"""Seconds that the outage of the API lasts already."""
DOWN = 1200
"""Seconds that the exporters are down already."""
FAILING = 5 * 3600
"""Seconds since when single registries and images fail."""
LATELY = 1800
"""Seconds before the end when tags have series: nothing looks back at them."""
RECENTLY = 26 * 3600
"""Seconds before the end when images have the series that no panel of all images looks back at."""
LOOKED_BACK_AT = frozenset(
    {
        "ncr_image_attached_tags",
        "ncr_image_info",
        "ncr_image_overwritten_tags_total",
        "ncr_image_poll_interval_seconds",
        "ncr_image_pulls_total",
        "ncr_image_reclaimable_bytes",
        "ncr_image_size_bytes",
        "ncr_image_stale_tags",
        "ncr_image_tags",
        "ncr_image_up",
    }
)
"""What every image has from the beginning on: all series of a large world take half an hour."""
FEW, MANY_TAGS = 100, 500
"""A world of few images has all series of each, a large one those of images with many tags."""


@dataclass(frozen=True)
class World:
    """A cast, the time that it lived, and how it ends."""

    cast: Cast
    end: int
    """Seconds since the epoch, a whole minute."""
    job: str = "ncr"
    outage: str = "none"

    def since(self, metric: str, image: Image) -> float:
        """Return how many seconds before the end a series of an image begins."""
        is_whole = len(self.cast.images) <= FEW or image.tags >= MANY_TAGS
        return inf if is_whole or metric in LOOKED_BACK_AT else RECENTLY

    def fails_since(self, registry: Registry, *, failing: bool = False) -> float:
        """Return since when polls of a registry's images fail; 0: they do not."""
        started = FAILING if failing or registry.failing else 0
        return max(started, OUTAGE if self.outage == "api" else 0)


@dataclass(frozen=True)
class Series:
    """One series: `ago` → value. What is not `smooth` stands still for an hour at a time."""

    labels: Mapping[str, str]
    value: Callable[[float], float]
    smooth: bool = False
    since: float = inf
    """Seconds before the end when it begins."""


Value = Callable[[float], float]


def still(value: float) -> Value:
    """Return a value that never changes."""
    return lambda _: value


_CONFIGURED: dict[str, Value] = {
    "ncr_image_stale_after_seconds": still(STALE_AFTER * DAY),
    "ncr_image_tags_limit": still(TAGS_LIMIT),
    "ncr_image_tag_size_limit_bytes": still(TAG_SIZE_LIMIT),
}


def of_image(world: World, image: Image) -> Iterator[Series]:
    """Yield every series of an image and of its tags."""
    labels = {
        "instance": world.cast.exporters[image.exporter],
        "registry": image.registry.name,
        "image": image.name,
    }
    polled = _polled(world, image)
    for name, value in {**_polling(world, image, polled), **_CONFIGURED}.items():
        smooth = name.endswith("_total") or "_success_" in name
        yield Series({"__name__": name, **labels}, value, smooth, world.since(name, image))
    if image.owner:
        yield Series({"__name__": "ncr_image_info", **labels, "owner": image.owner}, still(1))
    if not image.missing:
        for name, value in _inventory(world, image).items():
            listed = lambda ago, value=value: value(max(ago, polled))  # noqa: E731 -- with its own value
            smooth = name.endswith(("_age_seconds", "_pulls_total"))
            yield Series({"__name__": name, **labels}, listed, smooth, world.since(name, image))
        yield from _tags(world, image, labels)


def _polled(world: World, image: Image) -> float:
    """Return since when nothing new is known of an image."""
    return world.fails_since(image.registry, failing=image.failing)


def _polling(world: World, image: Image, failing: float) -> dict[str, Value]:
    phase = number_of(image.registry.name, image.name) % INTERVAL

    def polls(ago: float) -> float:
        return (WEEK - ago + phase) // INTERVAL

    def last_success(ago: float) -> float:
        since = (WEEK - max(ago, failing) + phase) % INTERVAL
        return world.end - max(ago, failing) - since

    found: dict[str, Value] = {
        "ncr_image_up": lambda ago: float(not image.missing and ago >= failing),
        "ncr_image_present": still(float(not image.missing)),
        "ncr_image_poll_interval_seconds": still(INTERVAL),
        "ncr_image_poll_duration_seconds": still(0.2 + image.tags / 400),
        "ncr_image_polls_total": polls,
        "ncr_image_poll_failures_total": lambda ago: max(
            0.0, polls(ago) - polls(max(ago, failing))
        ),
    }
    if not image.missing:
        found["ncr_image_last_success_timestamp_seconds"] = last_success
    if image.registry.relisted:
        found["ncr_image_unchanged_polls_total"] = lambda ago: (polls(ago) + phase % 5) * 4 // 5
    return found


def _inventory(world: World, image: Image) -> dict[str, Value]:
    """Return what a listing tells, as of the time that it was read."""
    found = {**_sizes(image), **_uses(world, image), **(_stale(image) if image.pulls_known else {})}
    if image.overwritten is not None:
        moments = [(1 + 22 * time) * 3600 for time in range(image.overwritten)]
        found["ncr_image_overwritten_tags_total"] = lambda ago: sum(ago <= at for at in moments)
    return found


def _share(image: Image, ago: float) -> float:
    """Return how much of an image there was."""
    return 1 - image.growth * ago / WEEK


def _tag_count(image: Image, ago: float) -> float:
    return max(1.0, round(image.tags * _share(image, ago)))


def _sizes(image: Image) -> dict[str, Value]:
    largest = round(image.tag_size * 1.2)
    without_series = max(0, image.tags - image.attached - TAGS_WITH_SERIES)
    return {
        "ncr_image_tags": lambda ago: _tag_count(image, ago),
        "ncr_image_attached_tags": still(image.attached),
        "ncr_image_size_bytes": lambda ago: round(image.size * _share(image, ago)),
        "ncr_image_largest_tag_size_bytes": still(largest),
        "ncr_image_newest_tag_size_bytes": still(round(image.tag_size)),
        "ncr_image_oversized_tags": still(2.0 * (largest > TAG_SIZE_LIMIT)),
        "ncr_image_tags_without_series": still(without_series),
    }


def _uses(world: World, image: Image) -> dict[str, Value]:
    def pulls(ago: float) -> float:
        waves = sin((world.end - ago) / DAY * 2 * pi) * image.pulls_per_day / 8
        return round(image.pulls_per_day * (400 - ago / DAY) + waves)

    def pulled(ago: float) -> float:
        last = (image.pulled or 0.0) * DAY
        return world.end - max(last, ago // 300 * 300 + last % 600)

    def updated(ago: float) -> float:
        return world.end - max(image.pushed * DAY, ago // 1800 * 1800)

    found: dict[str, Value] = {
        "ncr_image_pulls_total": pulls,
        "ncr_image_last_updated_timestamp_seconds": updated,
        "ncr_image_last_used_timestamp_seconds": updated,
    }
    if image.pulled is not None:
        used: Value = lambda ago: max(updated(ago), pulled(ago))  # noqa: E731 -- of the two above
        found["ncr_image_last_used_timestamp_seconds"] = used
        found["ncr_image_last_pulled_timestamp_seconds"] = pulled
        found["ncr_image_last_pulled_age_seconds"] = lambda ago: world.end - ago - pulled(ago)
    return found


def _stale(image: Image) -> dict[str, Value]:
    stale = image.stale_tags / max(1, image.tags)
    never_pulled = 1.0 if image.pulled is None else 0.1
    return {
        "ncr_image_never_pulled_tags": lambda ago: round(_tag_count(image, ago) * never_pulled),
        "ncr_image_stale_tags": lambda ago: round(stale * _tag_count(image, ago)),
        "ncr_image_reclaimable_bytes": lambda ago: round(
            0.9 * stale * image.size * _share(image, ago)
        ),
    }


def _tags(world: World, image: Image, labels: Mapping[str, str]) -> Iterator[Series]:
    judged = max(1, image.tags - image.attached)
    each = TAGS_WITH_SERIES // 2
    newest, oldest = range(min(judged, each)), range(max(0, judged - each), judged)
    for place in sorted({*newest, *oldest}):
        name = f"2.{(judged - place) // 10}.{(judged - place) % 10}"
        tag = {**labels, "tag": name}
        values = _tag_values(world, image, place, name)
        if image.pulls_known:
            values["ncr_tag_stale"] = float(place >= judged - image.stale_tags)
        for metric, value in values.items():
            yield Series({"__name__": metric, **tag}, still(value), since=LATELY)
        digest = f"sha256:{sha256(f'{image.name}:{name}'.encode()).hexdigest()}"
        yield Series({"__name__": "ncr_tag_info", **tag, "digest": digest}, still(1), since=LATELY)
        if image.name == "api" or image.tags >= MANY_TAGS:
            yield from _platforms(tag, values)


def _tag_values(world: World, image: Image, place: int, name: str) -> dict[str, float]:
    """Return what is known of a tag; `place` is the number of newer ones."""
    seed = number_of(image.name, name)
    updated = image.pushed + place * (0.5 + image.tags % 7)
    values: dict[str, float] = {
        "ncr_tag_size_bytes": round(image.tag_size * (1 + seed % 20 / 100)),
        "ncr_tag_last_updated_timestamp_seconds": world.end - round(updated * DAY),
    }
    if image.pulled is not None and seed % 9:
        pulled = image.pulled + updated - image.pushed
        values["ncr_tag_last_pulled_timestamp_seconds"] = world.end - round(pulled * DAY)
    return values


def _platforms(tag: Mapping[str, str], values: Mapping[str, float]) -> Iterator[Series]:
    for architecture in ("amd64", "arm64"):
        labels = {**tag, "os": "linux", "architecture": architecture, "variant": ""}
        for name in ("size_bytes", "last_pulled_timestamp_seconds"):
            if f"ncr_tag_{name}" in values:
                value = still(values[f"ncr_tag_{name}"])
                yield Series(
                    {"__name__": f"ncr_tag_platform_{name}", **labels}, value, since=LATELY
                )


def number_of(*words: str) -> int:
    """Return a number that looks random and is the same for the same words."""
    return int.from_bytes(sha256("\n".join(words).encode()).digest()[:4], "big")
