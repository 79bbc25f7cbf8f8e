"""Lines of check results and of API findings, styled for a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from ncr_exporter.check_online.results import CheckResult
from ncr_exporter.report.terminal import Cell, Span, columns_of

_STYLES = {"ok": "green", "warning": "yellow", "FAILED": "bold red", "not asked": "dim"}
_NAMED = 3
"""Places named in front of a remedy that concerns more; the others are counted."""


def result_lines(results: Sequence[CheckResult]) -> Iterator[Cell]:
    """Yield a line per result, then each distinct remedy with the places it concerns."""
    verdicts = max((len(result.verdict) for result in results), default=0)
    places = max((columns_of(result.place) for result in results), default=0)
    for result in results:
        verdict = Span(f"{result.verdict:{verdicts}}", _STYLES[result.verdict])
        space = " " * (places - columns_of(result.place))
        yield [verdict, Span(f"  {result.place}{space}  {result.text}")]
    remedies = list(_remedies(results))
    if remedies:
        yield []
        yield [Span("What to do", "bold")]
        yield from ([Span(f"  {remedy}")] for remedy in remedies)


def finding_lines(title: str, findings: Iterable[tuple[str, str]]) -> Iterator[Cell]:
    """Yield a line per finding; only the first finding of a topic shows the topic."""
    yield [Span(title, "bold")]
    before = ""
    for topic, finding in findings:
        yield [Span(f"  {topic if topic != before else '':13}  {finding}")]
        before = topic
    yield [Span("  These lines contain no names, keys or digests. Please put them into an issue.")]


def _remedies(results: Iterable[CheckResult]) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for result in results:
        if result.remedy:
            places.setdefault(result.remedy, []).append(result.place)
    for remedy, names in places.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{', '.join(names[:_NAMED])}{more}: {remedy}"
