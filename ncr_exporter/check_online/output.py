"""Lines of check results and of API findings, styled and fitted for a terminal."""

import re
from collections.abc import Iterable, Iterator, Sequence

from ncr_exporter.check_online.results import CheckResult
from ncr_exporter.config.suggestions import some_of
from ncr_exporter.report.terminal import Cell, Span, columns_of, prose

_STYLES = {"ok": "green", "warning": "yellow", "FAILED": "bold red", "not asked": "dim"}
_NAMED = 3
"""Places named in front of a remedy that concerns more; the others are counted."""
_LEAST_TEXT = 30
"""Columns for the text of a result, else it begins on a line of its own."""
_STATUS_AND_CODE = re.compile(r"HTTP \d+/\w+")
_TOPIC = 13
"""Columns of a finding's topic."""


def result_lines(results: Sequence[CheckResult], width: int | None) -> Iterator[Cell]:
    """Yield the lines of each result, then what `HTTP 401/210` means if one says so.

    `width` is that of the terminal in columns; None is unlimited.
    """
    verdicts = max((len(result.verdict) for result in results), default=0)
    places = max((columns_of(result.place) for result in results), default=0)
    for result in results:
        verdict = Span(f"{result.verdict:{verdicts}}", _STYLES[result.verdict])
        place = f"  {result.place}{' ' * (places - columns_of(result.place))}  "
        begin = verdicts + columns_of(place)
        if width is not None and width - begin < _LEAST_TEXT:
            place, begin = "", verdicts + 4
            yield [verdict, Span(f"  {result.place}")]
        hanging = " " * begin
        first, *others = prose(result.text, width, indent=hanging, hanging=hanging)
        yield [verdict, Span(f"{place}{first[begin:]}")] if place else [Span(first)]
        yield from ([Span(line)] for line in others)
    yield from _legend(results, width)


def _legend(results: Iterable[CheckResult], width: int | None) -> Iterator[Cell]:
    found = (_STATUS_AND_CODE.search(result.text) for result in results)
    example = next((match[0] for match in found if match), None)
    if example:
        text = f"{example}: the status of the response, and the error code in its body."
        yield []
        yield from ([Span(line, "dim")] for line in prose(text, width))


def remedy_lines(results: Iterable[CheckResult], width: int | None) -> Iterator[Cell]:
    """Yield each distinct remedy with the places it concerns, below a title; nothing if none."""
    remedies = list(_remedies(results))
    if remedies:
        yield [Span("What to do", "bold")]
    for remedy in remedies:
        yield from ([Span(line)] for line in prose(remedy, width, indent="  ", hanging="    "))


def finding_lines(
    title: str, findings: Iterable[tuple[str, str]], width: int | None
) -> Iterator[Cell]:
    """Yield the lines of each finding; only the first finding of a topic shows the topic."""
    yield from ([Span(line, "bold")] for line in prose(title, width, hanging="  "))
    before, hanging = "", " " * (_TOPIC + 4)
    for topic, finding in findings:
        start = f"  {topic if topic != before else '':{_TOPIC}}  "
        yield from ([Span(line)] for line in prose(finding, width, indent=start, hanging=hanging))
        before = topic
    please = "These lines contain no names, keys or digests. Please put them into an issue."
    yield from ([Span(line)] for line in prose(please, width, indent="  ", hanging="  "))


def _remedies(results: Iterable[CheckResult]) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for result in results:
        if result.remedy:
            places.setdefault(result.remedy, []).append(result.place)
    for remedy, names in places.items():
        yield f"{some_of(dict.fromkeys(names), _NAMED)}: {remedy}"
