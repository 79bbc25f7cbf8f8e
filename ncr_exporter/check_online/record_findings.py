"""Findings on the records of lists and on their fields. Pure; the texts hold counts, no names."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ncr_exporter.check_online.observed import (
    NOT_LEARNED,
    ObservedResponses,
    kind_of_pull,
    number,
    tally,
)
from ncr_exporter.ncr.datetimes import milliseconds
from ncr_exporter.ncr.vocabulary import RECORD_FIELDS, Fields
from ncr_exporter.ncr.wire import RawRecord, raw_platforms

_PLATFORMS = {"one platform": True, "several platforms": False}
_LONGEST_SHOWN = 40
_SECONDS, _MILLISECONDS = (10**9, 10**10), (10**12, 10**13)
"""The range of times from 2001 to 2286 in either unit."""


def digests(observed: ObservedResponses) -> Iterator[str]:
    """Yield whether the digest of a tag is the digest of one of its platforms."""
    tags = observed.records("tag_list")
    given = [tag for tag in tags if isinstance(tag.fields.digest, str) and tag.fields.digest]
    for what, one in _PLATFORMS.items():
        some = _with(given, one=one)
        same = sum(tag.fields.digest in _platform_digests(tag) for tag in some)
        yield f"tags with {what}: the digest is a platform's in {same} of {len(some)}"
    several = [tag for tag in given if len(raw_platforms(tag)) > 1]
    owners = Counter(_owner_of_digest(tag) for tag in several)
    yield f"tags with several platforms: it is that of {tally(owners) or NOT_LEARNED}"
    doubled = sum(tag.fields.digest.startswith("sha256:sha256:") for tag in given)
    yield f"missing in {len(tags) - len(given)} of {len(tags)} tags; `sha256:` doubled in {doubled}"


def _owner_of_digest(tag: RawRecord) -> str:
    """Return which platform a tag's digest belongs to, the representative one first."""
    platforms = raw_platforms(tag)
    owners = [each for each in platforms if each.fields.digest == tag.fields.digest]
    if any((each.fields.os, each.fields.architecture) == ("linux", "amd64") for each in owners):
        return "linux/amd64"
    if not owners:
        return "none of them"
    return "the first of them" if owners[0] is platforms[0] else "another of them"


def _platform_digests(tag: RawRecord) -> list[object]:
    return [platform.fields.digest for platform in raw_platforms(tag)]


def sizes(observed: ObservedResponses) -> Iterator[str]:
    """Yield what the size of a tag equals."""
    tags = observed.records("tag_list")
    for what, one in _PLATFORMS.items():
        some = _with(tags, one=one)
        kinds = Counter(_kind_of_size(tag) for tag in some)
        yield f"{len(some)} tags with {what}: {tally(kinds) or NOT_LEARNED}"


def _kind_of_size(tag: RawRecord) -> str:
    """Return what a tag's size equals; the first of several."""
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
    """Yield what the time of a platform's last pull holds."""
    platforms = [
        platform for tag in observed.records("tag_list") for platform in raw_platforms(tag)
    ]
    kinds = Counter(kind_of_pull(platform.fields.pulled) for platform in platforms)
    yield f"{len(platforms)} platforms: {tally(kinds) or NOT_LEARNED}"


def zeros(observed: ObservedResponses) -> Iterator[str]:
    """Yield whether images with pulls have pull times, and those without have none."""
    counts = {
        (listing.host, listing.path.prefix, listing.path.registry, record.fields.name): (
            record.fields.pull_count
        )
        for listing in observed.of("image_list")
        for record in listing.records
    }
    pulled, unpulled, contradicting, doubtful = 0, 0, 0, 0
    for listing in observed.of("tag_list"):
        path = listing.path
        count = number(counts.get((listing.host, path.prefix, path.registry, path.image)))
        if count is None or not listing.complete or not listing.records:
            continue
        platforms = [platform for tag in listing.records for platform in raw_platforms(tag)]
        has_time = any(kind_of_pull(platform.fields.pulled) == "a time" for platform in platforms)
        pulled, unpulled = pulled + (count > 0), unpulled + (count == 0)
        contradicting += count > 0 and not has_time
        doubtful += count == 0 and has_time
    yield f"images with pull_count above 0: {contradicting} of {pulled} have no pull time"
    yield f"images with pull_count 0: {doubtful} of {unpulled} have a pull time"


def _with(tags: Iterable[RawRecord], *, one: bool) -> list[RawRecord]:
    """Return the tags with exactly one platform, or with several."""
    return [tag for tag in tags if (n := len(raw_platforms(tag))) and (n == 1) == one]


def documented_fields(observed: ObservedResponses) -> Iterator[str]:
    """Yield which documented fields no record has, and which fields are not documented."""
    for kind, records in _kinds(observed):
        sent = {name for record in records for name in record.sent}
        documented = _documented(observed, kind).keys()
        missing, more = sorted(documented - sent), sorted(map(_printable, sent - documented))
        finding = f"missing {', '.join(missing)}" if missing else "all documented fields"
        finding += f"; undocumented {', '.join(more)}" if more else ""
        yield f"{kind}: {finding if records else NOT_LEARNED}"


def _documented(observed: ObservedResponses, kind: str) -> Fields:
    """Return the documented fields of a type of record in the version that was observed."""
    version = next(iter(observed.versions), "v2")
    return RECORD_FIELDS[version][kind]


def times(observed: ObservedResponses) -> Iterator[str]:
    """Yield the unit and the type of times."""
    for kind, records in _kinds(observed):
        for name, content in _documented(observed, kind).items():
            if records and content == "time":
                kinds = Counter(_kind_of_time(record, name) for record in records)
                yield f"{kind} {name}: {tally(kinds)}"


def _printable(name: str) -> str:
    is_plain = name.isidentifier() and len(name) <= _LONGEST_SHOWN
    return name if is_plain else ascii(name)[:_LONGEST_SHOWN]


def _kinds(observed: ObservedResponses) -> Iterator[tuple[str, Sequence[RawRecord]]]:
    tags = observed.records("tag_list")
    yield "registry", observed.records("registry_list")
    yield "image", observed.records("image_list")
    yield "tag", tags
    yield "platform", [platform for tag in tags for platform in raw_platforms(tag)]


def _kind_of_time(record: RawRecord, name: str) -> str:
    if name not in record.sent:
        return "missing"
    value, since_epoch = record.sent[name], number(record.sent[name])
    if value is None or since_epoch == 0:
        return "null" if value is None else "0"
    if isinstance(value, str) and milliseconds(value) is not None:
        return "RFC 3339"
    if since_epoch is None:
        return f"{type(value).__name__} that is no number"
    unit = "out of range"
    for low, high, name_of_unit in ((*_MILLISECONDS, "milliseconds"), (*_SECONDS, "seconds")):
        if low <= since_epoch < high:
            unit = name_of_unit
    return f"{unit} as text" if isinstance(value, str) else unit
