"""Tags that did not come from the API, checked as its answers are. Pure."""

from collections.abc import Collection, Iterable, Sequence

from ncr_exporter.inventory import Tag, is_platform
from ncr_exporter.ncr.fields import (
    DAY_MS,
    DOUBLED,
    EARLIEST_MS,
    LARGEST_SIZE,
    LONGEST_TEXT,
    UNUSABLE_NAMES,
)


def could_be_listed(tags: Sequence[Tag], now_ms: float) -> bool:
    """Return whether a tag list of the API could be decoded to these tags at `now_ms`.

    All tags are looked at together: a state file has millions, and their fields one by one take
    three times as long. `now_ms` is as for `FieldParser`.
    """
    platforms = [platform for tag in tags for platform in tag.platforms]
    # Sets: the platform of nearly every tag repeats its digest, and the words of the one before.
    names = {tag.name for tag in tags}
    digests = {tag.digest for tag in tags} | {platform.digest for platform in platforms}
    systems = {platform.os for platform in platforms}
    words = {word for each in platforms for word in (each.architecture, each.variant)}
    known_digests = {digest for digest in digests if digest is not None}
    sizes = [tag.full_size for tag in tags] + [platform.size for platform in platforms]
    moments = [tag.last_updated for tag in tags]
    moments += [moment for each in platforms for moment in (each.pulled or None, each.updated)]
    return (
        len(names) == len(tags)
        and names.isdisjoint(UNUSABLE_NAMES)
        and all(known_digests)
        and not any(digest.startswith(DOUBLED) for digest in known_digests)
        and all(map(is_platform, systems))
        and _are_texts(names | known_digests | systems | words)
        and _lie_within(0, LARGEST_SIZE, sizes)
        and _lie_within(EARLIEST_MS, now_ms + DAY_MS, moments)
    )


def _are_texts(texts: Collection[str]) -> bool:
    return "".join(texts).isprintable() and max(map(len, texts), default=0) <= LONGEST_TEXT


def _lie_within(low: float, high: float, numbers: Iterable[int | None]) -> bool:
    known = [number for number in numbers if number is not None]
    return not known or (low <= min(known) and max(known) <= high)
