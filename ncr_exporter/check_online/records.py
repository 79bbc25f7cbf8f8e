"""What the records of lists teach. Pure; findings hold counts and no names."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ncr_exporter.check_online.observed import NOT_LEARNED, ObservedResponses, number, tally
from ncr_exporter.ncr.wire import MISSING, RawRecord, raw_platforms

_PLATFORMS = {"one platform": True, "several platforms": False}


def digests(observed: ObservedResponses) -> Iterator[str]:
    """Tell whether a tag's digest is a platform's."""
    tags = observed.records("tag_list")
    given = [tag for tag in tags if isinstance(tag.fields.digest, str) and tag.fields.digest]
    for what, one in _PLATFORMS.items():
        some = _with(given, one=one)
        same = sum(tag.fields.digest in _platform_digests(tag) for tag in some)
        yield f"tags of {what}: a platform's digest in {same} of {len(some)}"
    doubled = sum(tag.fields.digest.startswith("sha256:sha256:") for tag in given)
    yield f"missing in {len(tags) - len(given)} of {len(tags)} tags; `sha256:` doubled in {doubled}"


def _platform_digests(tag: RawRecord) -> list[object]:
    return [platform.fields.digest for platform in raw_platforms(tag)]


def sizes(observed: ObservedResponses) -> Iterator[str]:
    """Tell what a tag's size is."""
    tags = observed.records("tag_list")
    for what, one in _PLATFORMS.items():
        some = _with(tags, one=one)
        kinds = Counter(_size_is(tag) for tag in some)
        yield f"of {len(some)} tags of {what}: {tally(kinds) or NOT_LEARNED}"


def _size_is(tag: RawRecord) -> str:
    """Name what a tag's size equals; the first that fits."""
    size = number(tag.fields.full_size)
    sizes = [number(platform.fields.size) or 0 for platform in raw_platforms(tag)]
    if not size:
        return "0 or missing"
    candidates = {
        "the first platform's": sizes[0],
        "the largest platform's": max(sizes),
        "the sum of platforms": sum(sizes),
    }
    return next((what for what, value in candidates.items() if value == size), "something else")


def pulls(observed: ObservedResponses) -> Iterator[str]:
    """Tell what the time of a platform's last pull holds."""
    platforms = [
        platform for tag in observed.records("tag_list") for platform in raw_platforms(tag)
    ]
    kinds = Counter(_pull_is(platform) for platform in platforms)
    yield f"of {len(platforms)} platforms: {tally(kinds) or NOT_LEARNED}"


def zeros(observed: ObservedResponses) -> Iterator[str]:
    """Compare images' pull counts with the pull times of their tags."""
    counts = {
        (listing.path.prefix, listing.path.registry, record.fields.name): record.fields.pull_count
        for listing in observed.of("image_list")
        for record in listing.records
    }
    pulled, unpulled, contradicting, doubtful = 0, 0, 0, 0
    for listing in observed.of("tag_list"):
        path = listing.path
        count = number(counts.get((path.prefix, path.registry, path.image)))
        if count is None or not listing.complete or not listing.records:
            continue
        platforms = [platform for tag in listing.records for platform in raw_platforms(tag)]
        has_time = any(_pull_is(platform) == "a time" for platform in platforms)
        pulled, unpulled = pulled + (count > 0), unpulled + (count == 0)
        contradicting += count > 0 and not has_time
        doubtful += count == 0 and has_time
    yield f"of {pulled} images with pull_count above 0, {contradicting} have no pull time at all"
    yield f"of {unpulled} images with pull_count 0, {doubtful} have a pull time"


def _pull_is(platform: RawRecord) -> str:
    value = platform.fields.pulled
    if value is MISSING:
        return "missing"
    if value in (0, "0") and not isinstance(value, bool):
        return "0"
    return "null" if value is None else "a time" if number(value) else "something else"


def _with(tags: Iterable[RawRecord], *, one: bool) -> list[RawRecord]:
    """Return the tags of exactly one platform, or of several."""
    return [tag for tag in tags if (n := len(raw_platforms(tag))) and (n == 1) == one]
