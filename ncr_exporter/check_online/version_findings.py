"""Findings on an image whose tags were listed in both versions. Pure; the texts hold no names."""

from collections import Counter
from collections.abc import Iterator, Mapping

from ncr_exporter.check_online.observed import (
    NOT_LEARNED,
    ObservedListing,
    ObservedResponses,
    kind_of_pull,
    moment,
    number,
    tally,
)
from ncr_exporter.ncr.versions import VERSIONS
from ncr_exporter.ncr.wire import RawRecord, raw_platforms

_SECOND = 1000  # ms: version 3 may send whole seconds


def side_by_side(observed: ObservedResponses) -> Iterator[str]:
    """Yield what the two versions say of the same tags."""
    pairs = list(_pairs(observed))
    if not pairs:
        yield f"{NOT_LEARNED}: no image's tags were listed in both versions"
    for v2, v3 in pairs:
        both = v2.keys() & v3.keys()
        alone = f"{len(v2) - len(both)} in v2 alone, {len(v3) - len(both)} in v3 alone"
        yield f"one image: {len(both)} tags in both, {alone}"
        tags = [(v2[name], v3[name]) for name in sorted(both)]
        yield f"equal in both: {', '.join(_equal_fields(tags))}"
        pulls = Counter(pull for tag in tags for pull in _pulls(*tag))
        yield f"last pulls of the same platforms, v2 and v3: {tally(pulls) or NOT_LEARNED}"


_Tags = Mapping[str, RawRecord]


def _pairs(observed: ObservedResponses) -> Iterator[tuple[_Tags, _Tags]]:
    """Yield the tags of each image that was listed in both versions, by name."""
    listings = [
        {
            (listing.path.registry, listing.path.image): listing
            for listing in observed.in_version(version).of("tag_list")
            if listing.complete
        }
        for version in VERSIONS
    ]
    for image in listings[0].keys() & listings[1].keys():
        v2, v3 = (_by_name(each[image]) for each in listings)
        yield v2, v3


def _by_name(listing: ObservedListing) -> _Tags:
    records = listing.records
    return {name: each for each in records if isinstance(name := each.fields.name, str)}


def _equal_fields(tags: list[tuple[RawRecord, RawRecord]]) -> Iterator[str]:
    for what, equal in (
        ("digest", sum(a.fields.digest == b.fields.digest for a, b in tags)),
        ("size", sum(number(a.fields.full_size) == number(b.fields.full_size) for a, b in tags)),
        ("update", sum(_same_time(a.fields.last_updated, b.fields.last_updated) for a, b in tags)),
        ("platforms", sum(len(raw_platforms(a)) == len(raw_platforms(b)) for a, b in tags)),
    ):
        yield f"{what} {equal} of {len(tags)}"


def _same_time(v2: object, v3: object) -> bool:
    first, second = moment(v2), moment(v3)
    if first is None or second is None:
        return first == second
    return abs(first - second) < _SECOND


def _pulls(v2: RawRecord, v3: RawRecord) -> Iterator[str]:
    """Yield what both versions say of the last pull of each platform that both list by digest."""
    others = {each.fields.digest: each.fields.pulled for each in raw_platforms(v3)}
    for platform in raw_platforms(v2):
        digest = platform.fields.digest
        if isinstance(digest, str) and digest in others:
            yield _pull(platform.fields.pulled, others[digest])


def _pull(v2: object, v3: object) -> str:
    if moment(v2) and moment(v3):
        return "the same time" if _same_time(v2, v3) else "different times"
    return f"{kind_of_pull(v2)} and {kind_of_pull(v3)}"
