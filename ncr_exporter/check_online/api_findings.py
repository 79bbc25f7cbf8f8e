"""What the documentation of the API leaves open, and what its answers say to it. Pure.

The findings are written to be pasted into an issue: they hold counts, never a name, key or digest.
"""

from collections.abc import Callable, Iterable, Iterator

from ncr_exporter.check_online import fields, paging, records
from ncr_exporter.check_online.observed import NOT_LEARNED, ObservedResponses, tally
from ncr_exporter.ncr.signing import TOLERATED_SKEW


def lessons(observed: ObservedResponses) -> Iterator[tuple[str, str]]:
    """Yield topics and findings."""
    for topic, learn in _TOPICS:
        for finding in learn(observed):
            yield topic, finding


def skew_of(observed: ObservedResponses) -> float | None:
    """Return the API's clock minus ours in seconds, the median of all answers, or None."""
    ordered = sorted(observed.skews)
    return ordered[len(ordered) // 2] if ordered else None


def _answers(observed: ObservedResponses) -> Iterator[str]:
    yield tally(observed.answers) or "none"


def _clock(observed: ObservedResponses) -> Iterator[str]:
    skew = skew_of(observed)
    if skew is None:
        yield "the answers have no Date header"
    else:
        off = abs(skew) > TOLERATED_SKEW
        verdict = "requests are signed by the API's" if off else "near enough"
        yield f"the API's minus this host's: {round(skew):+d} s (to a second); {verdict}"


def _headers(observed: ObservedResponses) -> Iterator[str]:
    yield ", ".join(sorted(observed.header_names)) or "none"
    yield f"content type of pages: {', '.join(sorted(observed.content_types)) or NOT_LEARNED}"


_TOPICS: tuple[tuple[str, Callable[[ObservedResponses], Iterable[str]]], ...] = (
    ("answers", _answers),
    ("clock", _clock),
    ("page size", paging.page_size),
    ("next", paging.next_page),
    ("count", paging.count),
    ("order", paging.order),
    ("tag digest", records.digests),
    ("tag size", records.sizes),
    ("last pull", records.pulls),
    ("zeros", records.zeros),
    ("times", fields.times),
    ("fields", fields.known),
    ("headers", _headers),
)
