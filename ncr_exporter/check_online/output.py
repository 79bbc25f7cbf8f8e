"""Findings and lessons on a terminal, or as plain lines."""

from collections.abc import Iterable, Iterator, Sequence

from ncr_exporter.check_online.results import Finding
from ncr_exporter.report.terminal import Cell, Span, columns_of

_STYLES = {"ok": "green", "warning": "yellow", "FAILED": "bold red", "not asked": "dim"}
_NAMED = 3
"""Places of one remedy that are named; the rest are counted."""


def findings_drawn(found: Sequence[Finding]) -> Iterator[Cell]:
    """Yield a line for each finding, then each remedy once."""
    verdicts = max((len(finding.verdict) for finding in found), default=0)
    places = max((columns_of(finding.place) for finding in found), default=0)
    for finding in found:
        verdict = Span(f"{finding.verdict:{verdicts}}", _STYLES[finding.verdict])
        space = " " * (places - columns_of(finding.place))
        yield [verdict, Span(f"  {finding.place}{space}  {finding.text}")]
    remedies = list(_remedies(found))
    if remedies:
        yield []
        yield [Span("What to do", "bold")]
        yield from ([Span(f"  {remedy}")] for remedy in remedies)


def lessons_drawn(title: str, learned: Iterable[tuple[str, str]]) -> Iterator[Cell]:
    """Yield what was learned, a topic in front of its findings."""
    yield [Span(title, "bold")]
    before = ""
    for topic, finding in learned:
        yield [Span(f"  {topic if topic != before else '':13}  {finding}")]
        before = topic
    yield [Span("  These lines hold no names, keys or digests: please put them into an issue.")]


def _remedies(found: Iterable[Finding]) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for finding in found:
        if finding.remedy:
            places.setdefault(finding.remedy, []).append(finding.place)
    for remedy, names in places.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{', '.join(names[:_NAMED])}{more}: {remedy}"
