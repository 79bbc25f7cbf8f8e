"""Rows as a table for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ncr_exporter.report.rows import ImageRow, Report, never
from ncr_exporter.report.words import age_text, size_text

_UNKNOWN = Text("?", "dim")
_FOLDED = {"IMAGE", "TAG"}
_DISPENSABLE = ("LAST PULL", "TAGS", "STALE", "SIZE", "UNUSED")
"""Columns that go first where there is no room for all."""
_GAP = 2
_LEAST_WIDTH = 28
"""Of a folded column, where it has as much to show."""
_CAUTION = "An upper bound: layers are shared. Not pulled is not unused: nodes keep copies."

Cells = Mapping[str, Text]
"""A row: column → cell."""


def images_as_table(console: Console, report: Report) -> Iterator[str]:
    """Yield the images that were listed and what they come to, as `console` shows it."""
    listed = [row for row in report.images if row.tags is not None]
    rows = [
        {
            "IMAGE": _name(row.registry, row.image),
            "TAGS": _number(row.tags),
            "SIZE": _size(row.size),
            "STALE": _number(row.stale_tags),
            "RECLAIMABLE": _size(row.reclaimable, "bold yellow"),
            "UNUSED": _age(row.unused),
            "LAST PULL": _pull(row.pulled, never=row.never_pulled_tags == row.tags),
        }
        for row in listed
    ]
    hint = f"{_CAUTION} List the tags with --stale."
    yield _drawn(console, rows, _totals(listed), hint if _sum_of_reclaimable(listed) else "")


def tags_as_table(console: Console, report: Report) -> Iterator[str]:
    """Yield the stale tags, likewise."""
    rows = [
        {
            "IMAGE": _name(row.registry, row.image),
            "TAG": Text(row.tag, overflow="fold"),
            "SIZE": _size(row.size),
            "UNUSED": _age(row.unused),
            "LAST PULL": _pull(row.pulled or None, never=never(row) is True),
        }
        for row in report.stale_tags
    ]
    yield _drawn(console, rows, Text(_count(len(rows), "stale tag")), _CAUTION if rows else "")


def _drawn(console: Console, rows: Sequence[Cells], totals: Text, hint: str) -> str:
    with console.capture() as capture:
        if rows:
            console.print(_fitting(console, rows))
            console.print()
        console.print(totals)
        if hint:
            console.print(hint, style="dim")
    return capture.get()


def _fitting(console: Console, rows: Sequence[Cells]) -> Table:
    """Return a table without the columns that a narrow terminal has no room for."""
    widths = {name: _least_width(name, rows) for name in rows[0]}
    for dispensable in _DISPENSABLE:
        if sum(widths.values()) + _GAP * (len(widths) - 1) <= console.width:
            break
        widths.pop(dispensable, None)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for name, width in widths.items():
        folded = name in _FOLDED
        justify: Literal["left", "right"] = "left" if folded else "right"
        table.add_column(name, justify=justify, min_width=width, overflow="fold")
    for row in rows:
        table.add_row(*(row[name] for name in widths))
    return table


def _least_width(name: str, rows: Sequence[Cells]) -> int:
    longest = max(len(name), *(row[name].cell_len for row in rows))
    return min(longest, _LEAST_WIDTH) if name in _FOLDED else longest


def _totals(rows: Sequence[ImageRow]) -> Text:
    tags, size = _sum(row.tags for row in rows), _sum(row.size for row in rows)
    text = Text(f"{_count(len(rows), 'image')}, {_count(tags, 'tag')}, {size_text(size)}")
    if stale := _sum(row.stale_tags for row in rows):
        reclaimable = size_text(_sum_of_reclaimable(rows))
        text.append(f"; {_count(stale, 'stale tag')}, {reclaimable} to reclaim", "bold")
    return text


def _sum_of_reclaimable(rows: Iterable[ImageRow]) -> int:
    return _sum(row.reclaimable for row in rows)


def _sum(values: Iterable[int | None]) -> int:
    return sum(value or 0 for value in values)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _name(registry: str, image: str) -> Text:
    return Text.assemble((f"{registry}/", "dim"), image, overflow="fold")


def _number(value: int | None) -> Text:
    return _UNKNOWN if value is None else Text(f"{value:,}")


def _size(value: int | None, style: str = "") -> Text:
    if value is None:
        return _UNKNOWN
    return Text(size_text(value), style if value else "dim")


def _age(seconds: float | None) -> Text:
    return _UNKNOWN if seconds is None else Text(age_text(seconds))


def _pull(milliseconds: int | None, *, never: bool) -> Text:
    if milliseconds is None:
        return Text("never", "yellow") if never else _UNKNOWN
    return Text(datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d"))
