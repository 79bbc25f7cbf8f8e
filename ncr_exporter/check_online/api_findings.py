"""Findings on what the documentation of the API leaves open. Pure.

Users paste findings into issues, so they contain counts, and never a name, a key or a digest.
"""

from collections.abc import Callable, Iterable, Iterator

from ncr_exporter.check_online import list_findings, record_findings, version_findings
from ncr_exporter.check_online.observed import NOT_LEARNED, ObservedResponses, tally
from ncr_exporter.ncr.signing import TOLERATED_SKEW


def api_findings(observed: ObservedResponses) -> Iterator[tuple[str, str]]:
    """Yield the topic and the text of each finding; those of one topic come in a row.

    Where lists of both versions of the API were read, their findings stand side by side.
    """
    versions = observed.versions
    for topic, findings in _TOPICS:
        if len(versions) < 2 or findings in _OF_ALL:  # noqa: PLR2004 -- both
            yield from ((topic, finding) for finding in findings(observed))
            continue
        for version in versions:
            for finding in findings(observed.in_version(version)):
                yield topic, f"{version}: {finding}"


def _responses(observed: ObservedResponses) -> Iterator[str]:
    yield tally(observed.statuses) or "none"


def _clock(observed: ObservedResponses) -> Iterator[str]:
    skew = observed.skew
    if skew is None:
        yield "no response has a Date header"
    else:
        off = abs(skew) > TOLERATED_SKEW
        verdict = "requests are signed by the API's clock" if off else "close enough"
        yield f"the API's minus this host's: {round(skew):+d} s, accurate to 1 s; {verdict}"


def _headers(observed: ObservedResponses) -> Iterator[str]:
    yield ", ".join(sorted(observed.header_names)) or "none"
    yield f"content type of pages: {', '.join(sorted(observed.content_types)) or NOT_LEARNED}"


_Findings = Callable[[ObservedResponses], Iterable[str]]
_TOPICS: tuple[tuple[str, _Findings], ...] = (
    ("responses", _responses),
    ("clock", _clock),
    ("envelope", list_findings.envelope),
    ("page size", list_findings.page_size),
    ("next", list_findings.next_page),
    ("count", list_findings.count),
    ("order", list_findings.order),
    ("tag digest", record_findings.digests),
    ("tag size", record_findings.sizes),
    ("last pull", record_findings.pulls),
    ("zeros", record_findings.zeros),
    ("times", record_findings.times),
    ("fields", record_findings.documented_fields),
    ("both versions", version_findings.side_by_side),
    ("headers", _headers),
)
_OF_ALL: frozenset[_Findings] = frozenset(
    {_responses, _clock, _headers, version_findings.side_by_side}
)
"""Findings on all responses, whatever their version."""
