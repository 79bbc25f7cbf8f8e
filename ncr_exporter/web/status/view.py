"""What a visitor asked to see: which rows, in which order, which page of them. Pure."""

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

Row = TypeVar("Row")
Base = tuple[tuple[str, str], ...]
_LONGEST_TEXT = 200
_MOST_DIGITS = 6
_RUN = 2000
"""Rows sorted at a time: one or two milliseconds."""


@dataclass(frozen=True)
class Column(Generic[Row]):
    """Something that rows are sorted by."""

    key: str
    """What `?sort=` says."""
    title: str
    value: Callable[[Row], Any]
    """What to compare; None where it is not known, which goes last in either direction."""
    down: bool = True
    """Whether the first click puts the largest first."""


@dataclass(frozen=True)
class View:
    """A query, read. Whatever is odd in it counts for nothing."""

    sort: str
    descending: bool = False
    text: str = ""
    only: str = ""
    page: int = 1
    base: Base = ()
    """Parameters that stay in every link: which image, on an image's own page."""

    def href(self, **changes: object) -> str:
        """Return the link to this view with changes; any but of the page leads to the first."""
        view = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type] # fields by name
        given = (
            ("q", view.text),
            ("only", view.only),
            ("sort", view.sort),
            ("order", "desc" if view.descending else "asc"),
            ("page", str(view.page) if view.page > 1 else ""),
        )
        return link(*view.base, *((name, value) for name, value in given if value))

    def sorted_by(self, column: Column[Row]) -> str:
        """Return the link of a column's head: another click turns the order around."""
        same = column.key == self.sort
        return self.href(sort=column.key, descending=not self.descending if same else column.down)


def link(*parameters: tuple[str, str]) -> str:
    """Return a relative link with a query, so that it holds behind a proxy's prefix too."""
    query = urlencode(parameters, quote_via=quote, errors="replace")
    return f"?{query}" if query else "./"


def view_of(
    query: Mapping[str, str],
    columns: Collection[Column[Row]],
    base: Base = (),
) -> View:
    """Return what a query asks for; sorted by the first column unless it says otherwise."""
    by_key = {column.key: column for column in columns}
    column = by_key.get(query.get("sort", ""), next(iter(columns)))
    orders = {"asc": False, "desc": True}
    page = query.get("page", "")
    is_number = page.isascii() and page.isdigit() and len(page) <= _MOST_DIGITS
    return View(
        sort=column.key,
        descending=orders.get(query.get("order", ""), column.down),
        text=query.get("q", "").strip()[:_LONGEST_TEXT],
        only=query.get("only", "")[:_LONGEST_TEXT],
        page=max(1, int(page)) if is_number else 1,
        base=base,
    )


def in_order(rows: Iterable[Row], column: Column[Row], *, descending: bool) -> list[Row]:
    """Return rows sorted by a column; equal ones stay as they were, unknown ones go last."""
    valued = [(column.value(row), row) for row in rows]
    known = [pair for pair in valued if pair[0] is not None]
    known = in_runs(known, itemgetter(0), reverse=descending)
    return [row for _, row in known] + [row for value, row in valued if value is None]


def in_runs(items: Sequence[Row], key: Callable[[Row], Any], *, reverse: bool = False) -> list[Row]:
    """Return what `sorted` does, by steps: one sort of 100,000 would stop all other threads."""
    starts = range(0, len(items), _RUN)
    runs = [sorted(items[start : start + _RUN], key=key, reverse=reverse) for start in starts]
    return list(heapq.merge(*runs, key=key, reverse=reverse))


@dataclass(frozen=True)
class Cut(Generic[Row]):
    """One page of rows."""

    rows: list[Row]
    page: int
    pages: int
    total: int
    first: int
    """The number of the first row, counting from 1; 0 where there is none."""

    @property
    def last(self) -> int:
        """The number of the last row."""
        return self.first + len(self.rows) - 1 if self.rows else 0


def cut(rows: list[Row], page: int, size: int) -> Cut[Row]:
    """Return a page of rows; past the end, the last."""
    pages = max(1, -(-len(rows) // size))
    page = min(page, pages)
    start = (page - 1) * size
    return Cut(rows[start : start + size], page, pages, len(rows), start + 1 if rows else 0)
