"""Findings and lessons on a terminal, or as plain lines."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.text import Text

from ncr_exporter.online.findings import Finding

_STYLES = {"ok": "green", "warning": "yellow", "FAILED": "bold red", "not asked": "dim"}
_NAMED = 3
"""Places of one remedy that are named; the rest are counted."""


def draw_findings(console: Console, found: Sequence[Finding]) -> None:
    """Draw a line for each finding, then each remedy once."""
    verdicts = max((len(finding.verdict) for finding in found), default=0)
    places = max((len(finding.place) for finding in found), default=0)
    for finding in found:
        line = Text.assemble(
            (f"{finding.verdict:{verdicts}}", _STYLES[finding.verdict]),
            f"  {finding.place:{places}}  {finding.text}",
        )
        console.print(line, soft_wrap=True)
    remedies = list(_remedies(found))
    if remedies:
        console.print()
        console.print("What to do", style="bold")
        for remedy in remedies:
            console.print(f"  {remedy}", soft_wrap=True)


def draw_lessons(console: Console, title: str, learned: Iterable[tuple[str, str]]) -> None:
    """Draw what was learned, a topic in front of its findings."""
    console.print(title, style="bold")
    before = ""
    for topic, finding in learned:
        shown = topic if topic != before else ""
        console.print(f"  {shown:13}  {finding}", soft_wrap=True)
        before = topic
    console.print("  These lines hold no names, keys or digests: please put them into an issue.")


def _remedies(found: Iterable[Finding]) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for finding in found:
        if finding.remedy:
            places.setdefault(finding.remedy, []).append(finding.place)
    for remedy, names in places.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{', '.join(names[:_NAMED])}{more}: {remedy}"
