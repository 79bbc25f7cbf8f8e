"""What the answers of one run held: pages, listings and records, before anything is concluded."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from ncr_exporter.ncr.responses import date_of
from ncr_exporter.ncr.transport import Operation
from ncr_exporter.recording.exchange import Exchange

Record = dict[str, Any]

_RECORDS_KEPT = 20_000
"""Of each list operation: enough to learn from, and no account is too large."""
_TARGET = re.compile(r"(?P<path>.*/repositories(?P<names>[^?]*))\?page=(\d+)&pagesize=(\d+)")
_OPERATIONS: dict[int, Operation] = {0: "registry_list", 1: "image_list", 3: "tag_list"}


@dataclass(frozen=True)
class Page:
    """One page of a list."""

    asked: int
    """Its `pagesize`."""
    held: int
    """How many records."""
    count: object
    next: object


@dataclass
class Listing:
    """The pages of one list, read in a row."""

    operation: Operation
    path: str
    pages: list[Page] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    """Empty once so many were seen that these teach no more."""

    @property
    def complete(self) -> bool:
        """Whether the last page was read."""
        return bool(self.pages) and self.pages[-1].next in (None, "", 0)


@dataclass
class Seen:
    """Everything seen; `take` is a sink of a `Tap`."""

    answers: Counter[str] = field(default_factory=Counter)
    """How often each status was answered, and by whom."""
    header_names: set[str] = field(default_factory=set)
    content_types: set[str] = field(default_factory=set)
    skews: list[float] = field(default_factory=list)
    """The API's clock minus ours, in seconds, of each answer with a date."""
    _at: defaultdict[Hashable, list[Listing]] = field(default_factory=lambda: defaultdict(list))
    """The listings by who asked, and for which path."""
    _kept: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def take(self, exchange: Exchange) -> None:
        """Take one answer in."""
        origin = exchange.headers.get("x-ncp-apigw-response-origin", "")
        self.answers[f"HTTP {exchange.status} {origin}".strip()] += 1
        self.header_names.update(exchange.headers)
        date = date_of(exchange.headers)
        if date is not None:
            self.skews.append(date - exchange.received)
        match = _TARGET.fullmatch(exchange.target)
        page = _page(exchange)
        if match and page is not None:
            self.content_types.add(exchange.headers.get("content-type", "none"))
            self._add(match, page, _asker(exchange))

    def names(self, path: str) -> tuple[str, ...] | None:
        """Return the names in the last complete list at a path that can be shown, or None."""
        complete = [listing for listing in self.listings if listing.path == path]
        if not complete or not complete[-1].complete:
            return None
        return tuple(name for name in complete[-1].names if name.isprintable())

    @property
    def listings(self) -> list[Listing]:
        """The last of each account and path: one that is read twice was read during a change."""
        return [read[-1] for read in self._at.values() if read]

    def of(self, operation: Operation) -> Iterator[Listing]:
        """Yield the listings of an operation."""
        return (listing for listing in self.listings if listing.operation == operation)

    def records(self, operation: Operation) -> list[Record]:
        """Return the records that were kept."""
        return [record for listing in self.of(operation) for record in listing.records]

    def _add(self, match: re.Match[str], page: Record, asker: Hashable) -> None:
        path, number, asked = match["path"], int(match[3]), int(match[4])
        read = self._at[asker, path]
        operation = _OPERATIONS[match["names"].count("/")]
        if number == 1 or not read:
            read.append(Listing(operation, path))
        results = [record for record in page["results"] if isinstance(record, dict)]
        listing = read[-1]
        listing.pages.append(Page(asked, len(page["results"]), page.get("count"), page.get("next")))
        listing.names += [name for r in results if isinstance(name := r.get("name"), str)]
        if self._kept[operation] < _RECORDS_KEPT:
            self._kept[operation] += len(results)
            listing.records += results


def _asker(exchange: Exchange) -> Hashable:
    """Return what tells accounts apart, which may read one path at the same time."""
    headers = exchange.request_headers
    return headers.get("host"), headers.get("x-ncp-iam-access-key")


def _page(exchange: Exchange) -> Record | None:
    if exchange.status != HTTPStatus.OK:
        return None
    try:
        content = json.loads(exchange.body)
    except (ValueError, RecursionError):
        return None
    is_page = isinstance(content, dict) and isinstance(content.get("results"), list)
    return content if is_page else None


NOT_LEARNED = "not learned"


def number(value: object) -> int | None:
    """Return a whole number that may be written as text, or None."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def platforms_of(tag: Record) -> list[Record]:
    """Return the platforms of a tag that are objects."""
    platforms = tag.get("images")
    return [p for p in platforms if isinstance(p, dict)] if isinstance(platforms, list) else []


def tally(counter: Counter[str]) -> str:
    """Return `this (12), that (3)`, the most frequent first."""
    return ", ".join(f"{what} ({amount})" for what, amount in counter.most_common())
