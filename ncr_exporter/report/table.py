"""Reports as a table that fits the terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from math import inf
from textwrap import wrap

from ncr_exporter.report.in_use import InUse
from ncr_exporter.report.rows import ImageRow, Report, TagRow, age_text, never, size_text
from ncr_exporter.report.terminal import Cell, Span, Terminal, width_of, wrapped

_UNKNOWN: Cell = [Span("?", "dim")]
_WRAPPED = {"IMAGE": 28, "TAG": 16, "VERDICT": 16}
"""Column that wraps → its least width, unless its longest value is shorter."""
_DISPENSABLE = ("LAST PULL", "OWNER", "TAGS", "STALE", "SIZE", "UNUSED")
"""Columns to leave out, in this order, if the terminal is too narrow for all."""
_GAP = "  "
_DIGEST = len("sha256-") + 8
"""Columns of a digest in the name of an attached tag."""
_CAUTION = (
    "Sizes are upper bounds: images share layers, and what deleting frees the registry decides. "
    "Not pulled is not unused: nodes keep copies."
)
_ASK_THE_CLUSTER = "--in-use=FILE spares what runs."

Cells = Mapping[str, Cell]
"""A row: column → cell."""


def images_as_table(terminal: Terminal, report: Report) -> Iterator[str]:
    """Yield a table of the images whose tags are known, and its totals, in lines."""
    listed = [row for row in report.images if row.tags is not None]
    rows = [
        {
            "IMAGE": _name(row.registry, row.image),
            **_owner(row.owner, listed),
            "TAGS": _number(row.tags),
            "SIZE": _size(row.size),
            "STALE": _number(row.stale_tags),
            "RECLAIMABLE": _size(row.reclaimable, "bold yellow"),
            "UNUSED": _age(row.unused),
            "LAST PULL": _pull(row.pulled, never=row.never_pulled),
        }
        for row in listed
    ]
    hint = f"{_CAUTION} --stale lists the stale tags." if _sum_of_reclaimable(listed) else ""
    yield from _lines(terminal, rows, _totals(listed), hint)


def stale_tags_as_table(terminal: Terminal, report: Report) -> Iterator[str]:
    """Yield a table of the stale tags, their number, and what of them was spared, in lines."""
    listed = report.stale_tags
    yield from _tag_lines(terminal, listed, report)


def tags_as_table(terminal: Terminal, report: Report) -> Iterator[str]:
    """Yield a table of all tags with their verdicts, and their numbers, in lines."""
    yield from _tag_lines(terminal, list(report.tags()), report)


def _tag_lines(terminal: Terminal, listed: Sequence[TagRow], report: Report) -> Iterator[str]:
    differing = len({row.verdict for row in listed}) > 1
    rows = [
        {
            "IMAGE": _name(row.registry, row.image),
            "TAG": [Span(_short(row.tag) if row.attached else row.tag)],
            **_owner(row.owner, listed),
            "SIZE": _size(row.size),
            "UNUSED": _age(row.unused),
            "LAST PULL": _pull(row.pulled or None, never=never(row) is True),
            **({"VERDICT": _verdict(row)} if differing else {}),
        }
        for row in listed
    ]
    stale = [row for row in listed if row.stale]
    totals = [
        Span(
            _tag_totals(listed, stale, report.reclaimable),
            "bold" if 0 < len(stale) < len(listed) else "",
        )
    ]
    hint = f"{_CAUTION}{'' if report.in_use else f' {_ASK_THE_CLUSTER}'}" if stale else ""
    yield from _lines(terminal, rows, [*totals, *_in_use(report.in_use)], hint)


def _tag_totals(listed: Sequence[TagRow], stale: Sequence[TagRow], reclaimable: int) -> str:
    attached = sum(row.attached for row in stale)
    tags = "" if len(stale) == len(listed) else f"{_count(len(listed), 'tag')}, "
    more = f", and {attached:,} attached to them" if attached else ""
    freed = f", {size_text(reclaimable)} that only they refer to" if stale else ""
    return f"{tags}{_count(len(stale) - attached, 'stale tag')}{more}{freed}"


def _in_use(in_use: InUse | None) -> Iterator[Span]:
    if in_use is not None:
        given = _count(in_use.references, "reference")
        yield Span(f"{given} in use: {in_use.placed:,} placed, {in_use.not_placed:,} not placed")


def _lines(
    terminal: Terminal, rows: Sequence[Cells], totals: Iterable[Span], hint: str
) -> Iterator[str]:
    if rows:
        yield from _table(terminal, rows)
        yield "\n"
    yield from (f"{terminal.painted([total])}\n" for total in totals)
    for line in wrap(hint, terminal.width) if terminal.width else filter(None, [hint]):
        yield f"{terminal.painted([Span(line, 'dim')])}\n"


def _table(terminal: Terminal, rows: Sequence[Cells]) -> Iterator[str]:
    widths = _fitting({name: _natural(name, rows) for name in rows[0]}, terminal.width or inf)
    header = {name: [Span(name, "bold")] for name in widths}
    for row in (header, *rows):
        cells = [list(wrapped(row[name], width)) for name, width in widths.items()]
        for line in zip_longest(*cells, fillvalue=[]):
            placed = zip(widths.items(), line, strict=True)
            parts = [_placed(terminal, cell, name, width) for (name, width), cell in placed]
            yield f"{_GAP.join(parts).rstrip()}\n"


def _placed(terminal: Terminal, cell: Cell, name: str, width: int) -> str:
    space, text = " " * (width - width_of(cell)), terminal.painted(cell)
    return f"{text}{space}" if name in _WRAPPED else f"{space}{text}"


def _natural(name: str, rows: Sequence[Cells]) -> int:
    return max(len(name), *(width_of(row[name]) for row in rows))


def _fitting(widths: dict[str, int], width: float) -> dict[str, int]:
    """Return the columns that fit into `width`, and the width of each."""
    least = {name: min(w, _WRAPPED.get(name, w)) for name, w in widths.items()}
    for dispensable in _DISPENSABLE:
        if _width(least) <= width:
            break
        least.pop(dispensable, None)
    room = max(0, width - _width(least))
    for name in sorted(_WRAPPED.keys() & least):  # columns that wrap share the remaining room
        more = min(room, widths[name] - least[name])
        least[name] += int(more)
        room -= more
    return least


def _width(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _totals(rows: Sequence[ImageRow]) -> Iterator[Span]:
    tags, size = _sum(row.tags for row in rows), _sum(row.size for row in rows)
    yield Span(f"{_count(len(rows), 'image')}, {_count(tags, 'tag')}, {size_text(size)}")
    if stale := _sum(row.stale_tags for row in rows):
        reclaimable = size_text(_sum_of_reclaimable(rows))
        yield Span(f"{_count(stale, 'stale tag')}, {reclaimable} that only they refer to", "bold")


def _sum_of_reclaimable(rows: Iterable[ImageRow]) -> int:
    return _sum(row.reclaimable for row in rows)


def _sum(values: Iterable[int | None]) -> int:
    return sum(value or 0 for value in values)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _name(registry: str, image: str) -> Cell:
    return [Span(f"{registry}/", "dim"), Span(image)]


def _short(tag: str) -> str:
    """Return the name of an attached tag with as much of its digest as people compare."""
    digest, dot, kind = tag.partition(".")
    return f"{digest[:_DIGEST]}…{dot}{kind}"


def _owner(owner: str | None, listed: Iterable[ImageRow | TagRow]) -> dict[str, Cell]:
    """Return the cell of the column of owners; there is none where no image has one."""
    return {"OWNER": [Span(owner or "")]} if any(row.owner for row in listed) else {}


def _verdict(row: TagRow) -> Cell:
    return [Span(row.verdict, {True: "bold yellow", False: "", None: "dim"}[row.stale])]


def _number(value: int | None) -> Cell:
    return _UNKNOWN if value is None else [Span(f"{value:,}")]


def _size(value: int | None, style: str = "") -> Cell:
    return _UNKNOWN if value is None else [Span(size_text(value), style if value else "dim")]


def _age(seconds: float | None) -> Cell:
    return _UNKNOWN if seconds is None else [Span(age_text(seconds))]


def _pull(milliseconds: int | None, *, never: bool) -> Cell:
    if milliseconds is None:
        return [Span("never", "yellow")] if never else _UNKNOWN
    return [Span(datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d"))]
