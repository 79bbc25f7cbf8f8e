"""Families with one value per exposed tag, or per platform of one."""

from collections.abc import Callable, Iterable

from ncr_exporter.inventory import ImageSummary, Platform, Tag
from ncr_exporter.metrics.families.family import (
    TAG_LABELS,
    Number,
    PlatformFamily,
    Sample,
    TagFamily,
    seconds,
)

_PLATFORM_LABELS = (*TAG_LABELS, "os", "architecture", "variant")


def _staleness(summary: ImageSummary) -> Iterable[Number | None]:
    is_stale = {None: None, False: 0, True: 1}
    return [is_stale[summary.stale.get(tag.name)] for tag in summary.exposed]


def _sample_per_platform(
    value: Callable[[Platform], Number | None],
) -> Callable[[ImageSummary], list[Sample]]:
    """Return a function that makes one sample of each platform of each exposed tag.

    It makes none without `platform_series`, and none where the value is unknown.
    """

    def samples(summary: ImageSummary) -> list[Sample]:
        tags = summary.exposed if summary.platforms_exposed else ()
        return [sample for fact in tags for sample in _of_platforms(fact.tag, value)]

    return samples


def _of_platforms(tag: Tag, value: Callable[[Platform], Number | None]) -> Iterable[Sample]:
    # A tag may list several platforms with equal labels. A series may stand only once in an
    # exposition, so the largest value is published.
    largest: dict[tuple[str, ...], Number] = {}
    for platform in tag.platforms:
        number = value(platform)
        if number is not None:
            labels = (tag.name, platform.os, platform.architecture, platform.variant)
            largest[labels] = max(number, largest.get(labels, number))
    return largest.items()


TAG_FAMILIES: tuple[TagFamily | PlatformFamily, ...] = (
    TagFamily(
        "ncr_tag_size_bytes",
        "Size of the largest platform, as of the last poll; at least the size that the registry "
        "reports for the tag. Never a sum of platforms.",
        labels=TAG_LABELS,
        values=lambda summary: [tag.size for tag in summary.exposed],
    ),
    TagFamily(
        "ncr_tag_last_pulled_timestamp_seconds",
        "Time of the newest pull of the tag's content, under any of its names, as of the last "
        "poll. Absent if never pulled or unknown.",
        labels=TAG_LABELS,
        values=lambda summary: [seconds(tag.pulled or None) for tag in summary.exposed],
    ),
    TagFamily(
        "ncr_tag_last_updated_timestamp_seconds",
        "Time of the last update, as of the last poll. If the registry reports none, the newest "
        "update of any platform.",
        labels=TAG_LABELS,
        values=lambda summary: [seconds(tag.updated) for tag in summary.exposed],
    ),
    TagFamily(
        "ncr_tag_info",
        "Always 1. The label digest is the tag's digest as of the last poll, or empty if the "
        "registry reports none.",
        labels=(*TAG_LABELS, "digest"),
        values=lambda summary: [1] * len(summary.exposed),
        more_label=lambda summary: [fact.tag.digest or "" for fact in summary.exposed],
    ),
    TagFamily(
        "ncr_tag_stale",
        "1 if the tag is stale, else 0, as of the last poll. Absent while unknown. Not pulled is "
        "not unused: nodes keep copies.",
        labels=TAG_LABELS,
        values=_staleness,
    ),
    PlatformFamily(
        "ncr_tag_platform_size_bytes",
        "Size of one platform, as of the last poll. Only with platform_series.",
        labels=_PLATFORM_LABELS,
        samples=_sample_per_platform(lambda platform: platform.size or None),
    ),
    PlatformFamily(
        "ncr_tag_platform_last_pulled_timestamp_seconds",
        "Time of the newest pull of one platform, as of the last poll. Absent if never pulled or "
        "unknown. Only with platform_series.",
        labels=_PLATFORM_LABELS,
        samples=_sample_per_platform(lambda platform: seconds(platform.pulled or None)),
    ),
)
