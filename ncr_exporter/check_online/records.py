"""What the records of lists teach. Pure; findings hold counts and no names."""

from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from ncr_exporter.check_online.observed import (
    NOT_LEARNED,
    Record,
    Seen,
    number,
    platforms_of,
    tally,
)

_PLATFORMS = {"one platform": True, "several platforms": False}


def digests(seen: Seen) -> Iterator[str]:
    """Tell whether a tag's digest is a platform's."""
    tags = seen.records("tag_list")
    given = [tag for tag in tags if isinstance(tag.get("digest"), str) and tag["digest"]]
    for what, one in _PLATFORMS.items():
        some = _with(given, one=one)
        same = sum(tag["digest"] in [p.get("digest") for p in platforms_of(tag)] for tag in some)
        yield f"tags of {what}: a platform's digest in {same} of {len(some)}"
    doubled = sum(tag["digest"].startswith("sha256:sha256:") for tag in given)
    yield f"missing in {len(tags) - len(given)} of {len(tags)} tags; `sha256:` doubled in {doubled}"


def sizes(seen: Seen) -> Iterator[str]:
    """Tell what a tag's `full_size` is."""
    tags = seen.records("tag_list")
    for what, one in _PLATFORMS.items():
        some = _with(tags, one=one)
        kinds = Counter(_size_is(tag) for tag in some)
        yield f"of {len(some)} tags of {what}: {tally(kinds) or NOT_LEARNED}"


def _size_is(tag: Record) -> str:
    """Name what `full_size` equals; the first that fits."""
    size = number(tag.get("full_size"))
    sizes = [number(platform.get("size")) or 0 for platform in platforms_of(tag)]
    if not size:
        return "0 or missing"
    candidates = {
        "the first platform's": sizes[0],
        "the largest platform's": max(sizes),
        "the sum of platforms": sum(sizes),
    }
    return next((what for what, value in candidates.items() if value == size), "something else")


def pulls(seen: Seen) -> Iterator[str]:
    """Tell what `latest_pulled` holds."""
    platforms = [platform for tag in seen.records("tag_list") for platform in platforms_of(tag)]
    kinds = Counter(_pull_is(platform) for platform in platforms)
    yield f"of {len(platforms)} platforms: {tally(kinds) or NOT_LEARNED}"


def zeros(seen: Seen) -> Iterator[str]:
    """Compare images' pull counts with the pull times of their tags."""
    counts = {
        f"{listing.path}/{quote(str(record.get('name')), safe='')}/tags": record.get("pull_count")
        for listing in seen.of("image_list")
        for record in listing.records
    }
    pulled, unpulled, contradicting, doubtful = 0, 0, 0, 0
    for listing in seen.of("tag_list"):
        count = number(counts.get(listing.path))
        if count is None or not listing.complete or not listing.records:
            continue
        platforms = [platform for tag in listing.records for platform in platforms_of(tag)]
        has_time = any(_pull_is(platform) == "a time" for platform in platforms)
        pulled, unpulled = pulled + (count > 0), unpulled + (count == 0)
        contradicting += count > 0 and not has_time
        doubtful += count == 0 and has_time
    yield f"of {pulled} images with pull_count above 0, {contradicting} have no pull time at all"
    yield f"of {unpulled} images with pull_count 0, {doubtful} have a pull time"


def _pull_is(platform: Record) -> str:
    if "latest_pulled" not in platform:
        return "missing"
    value = platform["latest_pulled"]
    if value in (0, "0") and not isinstance(value, bool):
        return "0"
    return "null" if value is None else "a time" if number(value) else "something else"


def _with(tags: Iterable[Record], *, one: bool) -> list[Record]:
    """Return the tags of exactly one platform, or of several."""
    return [tag for tag in tags if (n := len(platforms_of(tag))) and (n == 1) == one]
