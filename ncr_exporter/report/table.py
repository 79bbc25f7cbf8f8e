"""Rows as a table for people."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ncr_exporter.report.rows import ImageRow, Report, never
from ncr_exporter.report.words import age_text, size_text

_UNKNOWN = Text("?", "dim")
_CAUTION = "An upper bound: layers are shared. Not pulled is not unused: nodes keep copies."


def images_as_table(console: Console, report: Report) -> Iterator[str]:
    """Yield the images that were listed and what they come to, as `console` shows it."""
    listed = [row for row in report.images if row.tags is not None]
    table = _table("IMAGE", "TAGS", "SIZE", "STALE", "RECLAIMABLE", "UNUSED", "LAST PULL")
    for row in listed:
        table.add_row(
            _name(row.registry, row.image),
            _number(row.tags),
            _size(row.size),
            _number(row.stale_tags),
            _size(row.reclaimable, "bold yellow"),
            _age(row.unused),
            _pull(row.pulled, never=row.never_pulled_tags == row.tags),
        )
    hint = f"{_CAUTION} List the tags with --stale."
    yield _drawn(console, table, _totals(listed), hint if _sum_of_reclaimable(listed) else "")


def tags_as_table(console: Console, report: Report) -> Iterator[str]:
    """Yield the stale tags, likewise."""
    rows = report.stale_tags
    table = _table("IMAGE", "TAG", "SIZE", "UNUSED", "LAST PULL")
    for row in rows:
        table.add_row(
            _name(row.registry, row.image),
            Text(row.tag, overflow="fold"),
            _size(row.size),
            _age(row.unused),
            _pull(row.pulled or None, never=never(row) is True),
        )
    yield _drawn(console, table, Text(_count(len(rows), "stale tag")), _CAUTION if rows else "")


def _drawn(console: Console, table: Table, totals: Text, hint: str) -> str:
    with console.capture() as capture:
        if table.row_count:
            console.print(table)
            console.print()
        console.print(totals)
        if hint:
            console.print(hint, style="dim")
    return capture.get()


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        is_text = name in {"IMAGE", "TAG"}
        table.add_column(
            name,
            justify="left" if is_text else "right",
            overflow="fold",
            no_wrap=not is_text,
        )
    return table


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
