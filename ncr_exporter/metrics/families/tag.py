"""Families with one value per exposed tag, or per platform of one."""

from collections.abc import Callable, Iterable

from ncr_exporter.inventory import ImageSummary, Platform, Tag
from ncr_exporter.metrics.families.family import (
    TAG,
    ListingFamily,
    Number,
    Sample,
    of_tags,
    seconds,
)

_PLATFORM = (*TAG, "os", "architecture", "variant")


def _stale(image: ImageSummary) -> Iterable[Sample]:
    return [((name,), int(is_stale)) for name, is_stale in sorted(image.stale.items())]


def _of_platforms(
    value: Callable[[Platform], Number | None],
) -> Callable[[ImageSummary], list[Sample]]:
    """Return samples of one value per platform of each exposed tag, where asked for."""

    def samples(image: ImageSummary) -> list[Sample]:
        tags = image.exposed if image.platforms_exposed else ()
        return [sample for fact in tags for sample in _platforms(fact.tag, value)]

    return samples


def _platforms(tag: Tag, value: Callable[[Platform], Number | None]) -> Iterable[Sample]:
    """Return one sample per platform; attestations come as several of unknown/unknown."""
    found: dict[tuple[str, ...], Number] = {}
    for platform in tag.platforms:
        number = value(platform)
        if number is not None:
            labels = (tag.name, platform.os, platform.architecture, platform.variant)
            found[labels] = max(number, found.get(labels, number))
    return found.items()


TAG_FAMILIES: tuple[ListingFamily, ...] = (
    ListingFamily(
        "ncr_tag_size_bytes",
        "Size as the registry reports it, as of the last poll; where it reports none, the "
        "largest platform's, never a sum of platforms.",
        TAG,
        samples=of_tags(lambda tag: tag.size),
    ),
    ListingFamily(
        "ncr_tag_last_pulled_timestamp_seconds",
        "Newest pull of any platform, as of the last poll; absent when never or unknown.",
        TAG,
        samples=of_tags(lambda tag: seconds(tag.pulled or None)),
    ),
    ListingFamily(
        "ncr_tag_last_updated_timestamp_seconds",
        "Last update, as of the last poll; where the registry reports none, the newest of its "
        "platforms.",
        TAG,
        samples=of_tags(lambda tag: seconds(tag.updated)),
    ),
    ListingFamily(
        "ncr_tag_info",
        "1; the tag's digest as of the last poll, empty where the registry reports none.",
        (*TAG, "digest"),
        samples=of_tags(lambda _: 1, lambda fact: fact.tag.digest or ""),
    ),
    ListingFamily(
        "ncr_tag_stale",
        "1 if the tag is stale, else 0, as of the last poll; absent while unknown. Not pulled is "
        "not unused: nodes keep copies.",
        TAG,
        samples=_stale,
    ),
    ListingFamily(
        "ncr_tag_platform_size_bytes",
        "Size of one platform, as of the last poll; only with platform_series.",
        _PLATFORM,
        samples=_of_platforms(lambda platform: platform.size or None),
    ),
    ListingFamily(
        "ncr_tag_platform_last_pulled_timestamp_seconds",
        "Newest pull of one platform, as of the last poll; absent when never or unknown; only with "
        "platform_series.",
        _PLATFORM,
        samples=_of_platforms(lambda platform: seconds(platform.pulled or None)),
    ),
)
