"""What the documentation of the API leaves open, and what its answers say to it. Pure.

The findings are written to be pasted into an issue: they hold counts, never a name, key or digest.
"""

from collections.abc import Callable, Iterable, Iterator

from ncr_exporter.check_online import fields, paging, records
from ncr_exporter.check_online.observed import NOT_LEARNED, Seen, tally
from ncr_exporter.ncr.signing import TOLERATED


def lessons(seen: Seen) -> Iterator[tuple[str, str]]:
    """Yield topics and findings."""
    for topic, learn in _TOPICS:
        for finding in learn(seen):
            yield topic, finding


def skew_of(seen: Seen) -> float | None:
    """Return the API's clock minus ours in seconds, the median of all answers, or None."""
    ordered = sorted(seen.skews)
    return ordered[len(ordered) // 2] if ordered else None


def _answers(seen: Seen) -> Iterator[str]:
    yield tally(seen.answers) or "none"


def _clock(seen: Seen) -> Iterator[str]:
    skew = skew_of(seen)
    if skew is None:
        yield "the answers have no Date header"
    else:
        off = abs(skew) > TOLERATED
        verdict = "requests are signed by the API's" if off else "near enough"
        yield f"the API's minus this host's: {round(skew):+d} s (to a second); {verdict}"


def _headers(seen: Seen) -> Iterator[str]:
    yield ", ".join(sorted(seen.header_names)) or "none"
    yield f"content type of pages: {', '.join(sorted(seen.content_types)) or NOT_LEARNED}"


_TOPICS: tuple[tuple[str, Callable[[Seen], Iterable[str]]], ...] = (
    ("answers", _answers),
    ("clock", _clock),
    ("page size", paging.page_size),
    ("next", paging.next_page),
    ("count", paging.count),
    ("order", paging.order),
    ("tag digest", records.digests),
    ("full_size", records.sizes),
    ("latest_pulled", records.pulls),
    ("zeros", records.zeros),
    ("times", fields.times),
    ("fields", fields.known),
    ("headers", _headers),
)
