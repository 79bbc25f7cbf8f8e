"""The status page's query: which rows, in which order, and which page of them. Pure."""

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from ncr_exporter.texts.text import LANGUAGES

Row = TypeVar("Row")
Base = tuple[tuple[str, str], ...]
LONGEST_TEXT = 200
_MOST_DIGITS = 6
_RUN = 2000
"""Rows sorted at a time, which takes one or two milliseconds."""


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column that rows can be sorted by."""

    key: str
    """Its value of the parameter `sort`."""
    title: str
    """The key of its title in the catalogue."""
    value: Callable[[Row], Any]
    """The value to compare; None if unknown."""
    descending_first: bool = True
    """Whether the first click on the column's head puts the largest value first."""


@dataclass(frozen=True)
class Query:
    """A parsed query of the status page. `PARAMETERS` has its parameters."""

    sort: str
    """The key of the column to sort by."""
    descending: bool = False
    text: str = ""
    """Text that the name must contain."""
    only: str = ""
    """`stale`, a `PollStatus`, or the reason of a failure; empty for all rows."""
    page: int = 1
    language: str = ""
    """The language that the visitor chose; empty where the browser's headers decide."""
    base: Base = ()
    """Parameters that stay in every link: on the page of one image, which image it is."""

    @property
    def parameters(self) -> Base:
        """The parameters that lead back to this query, without those that are empty."""
        texts = ((parameter.name, parameter.text(self)) for parameter in PARAMETERS)
        return (*self.base, *((name, text) for name, text in texts if text))

    @property
    def chosen_language(self) -> Base:
        """The parameter that keeps the language in links to other pages; none if not chosen."""
        return (("lang", self.language),) if self.language else ()

    @property
    def kept_by_search(self) -> Base:
        """The parameters that stay when a visitor searches for another text."""
        return replace(self, text="", page=1).parameters

    def href(self, **changes: object) -> str:
        """Return the link to this query with some fields changed.

        The link leads to the first page unless `page` is among the changes.
        """
        changed = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type] # fields by name
        return link(*changed.parameters)

    def sort_href(self, column: Column[Row]) -> str:
        """Return the link of a column's head; a second click reverses the order."""
        same = column.key == self.sort
        descending = not self.descending if same else column.descending_first
        return self.href(sort=column.key, descending=descending)


class Parameter(NamedTuple):
    """One parameter of the query, and the field of `Query` that it sets."""

    name: str
    field: str
    text: Callable[[Query], str]
    """The field → the parameter's text; empty if links need not contain it."""
    value: Callable[[str, Column[Any]], object]
    """The parameter's text and the column to sort by → the field; invalid text → the default."""


def _order_of(text: str, column: Column[Any]) -> bool:
    return {"asc": False, "desc": True}.get(text, column.descending_first)


def _page_of(text: str, _: Column[Any]) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return max(1, int(text)) if is_number else 1


def language_of(text: str) -> str:
    """Return the language that a parameter `lang` chooses; empty if it is none of ours."""
    return text if text in LANGUAGES else ""


PARAMETERS = (
    Parameter("q", "text", lambda query: query.text, lambda text, _: text.strip()[:LONGEST_TEXT]),
    Parameter("only", "only", lambda query: query.only, lambda text, _: text[:LONGEST_TEXT]),
    Parameter("sort", "sort", lambda query: query.sort, lambda _, column: column.key),
    Parameter(
        "order", "descending", lambda query: "desc" if query.descending else "asc", _order_of
    ),
    Parameter("page", "page", lambda query: str(query.page) if query.page > 1 else "", _page_of),
    Parameter("lang", "language", lambda query: query.language, lambda text, _: language_of(text)),
)
"""Every parameter but those of `Query.base`, in the order of links."""


def parse_query(
    given: Mapping[str, str],
    columns: Collection[Column[Row]],
    base: Base = (),
    *,
    default: str = "",
) -> Query:
    """Return the query of a request; a missing or invalid parameter has its default.

    Args:
        given: the parameters of the request.
        columns: the columns to sort by.
        base: the parameters that every link on the page must keep.
        default: the key of the column to sort by unless the request says so; else the first.
    """
    by_key = {column.key: column for column in columns}
    column = by_key.get(given.get("sort", ""), by_key.get(default, next(iter(columns))))
    fields: dict[str, Any] = {
        parameter.field: parameter.value(given.get(parameter.name, ""), column)
        for parameter in PARAMETERS
    }
    return Query(**fields, base=base)


def link(*parameters: tuple[str, str]) -> str:
    """Return a link with these parameters; relative, so that it works behind a path prefix."""
    query = urlencode(parameters, quote_via=quote, errors="replace")
    return f"?{query}" if query else "./"


def sorted_by(rows: Iterable[Row], column: Column[Row], *, descending: bool) -> list[Row]:
    """Return the rows sorted by a column; the sort is stable, and unknown values come last."""
    valued = [(column.value(row), row) for row in rows]
    known = [pair for pair in valued if pair[0] is not None]
    known = sorted_in_runs(known, itemgetter(0), reverse=descending)
    return [row for _, row in known] + [row for value, row in valued if value is None]


def sorted_in_runs(
    items: Sequence[Row], key: Callable[[Row], Any], *, reverse: bool = False
) -> list[Row]:
    """Return `sorted(items, key=key, reverse=reverse)`, computed in many short sorts.

    One sort does not release the interpreter before it is done: with 100,000 rows the event loop,
    and so a scrape, would wait for all of it. Between short sorts the threads can switch.
    """
    starts = range(0, len(items), _RUN)
    runs = [sorted(items[start : start + _RUN], key=key, reverse=reverse) for start in starts]
    return list(heapq.merge(*runs, key=key, reverse=reverse))


@dataclass(frozen=True)
class RowPage(Generic[Row]):
    """One page of rows."""

    rows: list[Row]
    number: int
    """The page's number, counted from 1."""
    pages: int
    total: int
    """Rows on all pages."""
    first: int
    """The number of the first row, counted from 1; 0 if there are no rows."""

    @property
    def last(self) -> int:
        """The number of the last row."""
        return self.first + len(self.rows) - 1 if self.rows else 0


def paginated(rows: list[Row], number: int, size: int) -> RowPage[Row]:
    """Return page `number` of the rows, counted from 1; the last page if there are fewer."""
    pages = max(1, -(-len(rows) // size))
    number = min(number, pages)
    start = (number - 1) * size
    return RowPage(rows[start : start + size], number, pages, len(rows), start + 1 if rows else 0)
