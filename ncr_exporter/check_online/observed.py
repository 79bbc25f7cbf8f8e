"""What the answers of one run held: pages, listings and records, before anything is concluded."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.paths import ListPath, Operation, PageTarget, parse
from ncr_exporter.ncr.responses import date_of
from ncr_exporter.ncr.vocabulary import ACCESS_KEY_HEADER, ORIGIN_HEADER
from ncr_exporter.ncr.wire import RawPage, RawRecord, decode_raw
from ncr_exporter.recording.exchange import Exchange

NOT_LEARNED = "not learned"
_RECORDS_KEPT = 20_000
"""Of each list operation: enough to learn from, and no account is too large."""


@dataclass(frozen=True)
class ObservedPage:
    """One page of a list."""

    asked: int
    """The page size that was asked for."""
    held: int
    """How many records it held."""
    count: object
    next: object


@dataclass
class ObservedListing:
    """The pages of one list, read in a row."""

    path: ListPath
    pages: list[ObservedPage] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    records: list[RawRecord] = field(default_factory=list)
    """Empty once so many were seen that these teach no more."""

    @property
    def complete(self) -> bool:
        """Whether the last page was read."""
        return bool(self.pages) and self.pages[-1].next in (None, "", 0)


@dataclass
class ObservedResponses:
    """Everything that was answered; `add` is a sink of a `Tap`."""

    answers: Counter[str] = field(default_factory=Counter)
    """How often each status was answered, and by whom."""
    header_names: set[str] = field(default_factory=set)
    content_types: set[str] = field(default_factory=set)
    skews: list[float] = field(default_factory=list)
    """The API's clock minus ours, in seconds, of each answer with a date."""
    _at: defaultdict[Hashable, list[ObservedListing]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """The listings by who asked, and for which path."""
    _kept: defaultdict[Operation, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, exchange: Exchange) -> None:
        """Add one answer."""
        origin = exchange.headers.get(ORIGIN_HEADER, "")
        self.answers[f"HTTP {exchange.status} {origin}".strip()] += 1
        self.header_names.update(exchange.headers)
        date = date_of(exchange.headers)
        if date is not None:
            self.skews.append(date - exchange.received)
        target = parse(exchange.target)
        page = _page(target, exchange) if target else None
        if target and page:
            self.content_types.add(exchange.headers.get("content-type", "none"))
            self._add_page(target, page, _asker(exchange))

    def names(self, path: ListPath) -> tuple[str, ...] | None:
        """Return the names in the last complete list at a path that can be shown, or None."""
        complete = [listing for listing in self.listings if listing.path == path]
        if not complete or not complete[-1].complete:
            return None
        return tuple(name for name in complete[-1].names if name.isprintable())

    @property
    def listings(self) -> list[ObservedListing]:
        """The last of each account and path: one that is read twice was read during a change."""
        return [read[-1] for read in self._at.values() if read]

    def of(self, operation: Operation) -> Iterator[ObservedListing]:
        """Yield the listings of an operation."""
        return (listing for listing in self.listings if listing.path.operation == operation)

    def records(self, operation: Operation) -> list[RawRecord]:
        """Return the records that were kept."""
        return [record for listing in self.of(operation) for record in listing.records]

    def _add_page(self, target: PageTarget, page: RawPage, asker: Hashable) -> None:
        read = self._at[asker, target.list]
        if target.number == 1 or not read:
            read.append(ObservedListing(target.list))
        listing, operation = read[-1], target.list.operation
        listing.pages.append(
            ObservedPage(target.size, page.item_count, page.sent_count, page.sent_next)
        )
        listing.names += [
            name for record in page.records if isinstance(name := record.fields.name, str)
        ]
        if self._kept[operation] < _RECORDS_KEPT:
            self._kept[operation] += len(page.records)
            listing.records += page.records


def _asker(exchange: Exchange) -> Hashable:
    """Return what distinguishes accounts, which may read one path at the same time."""
    headers = exchange.request_headers
    return headers.get("host"), headers.get(ACCESS_KEY_HEADER)


def _page(target: PageTarget, exchange: Exchange) -> RawPage | None:
    if exchange.status != HTTPStatus.OK:
        return None
    try:
        return decode_raw(target.list.operation, exchange.body)
    except MalformedError:
        return None


def number(value: object) -> int | None:
    """Return a whole number that may be written as text, or None."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def tally(counter: Counter[str]) -> str:
    """Return `this (12), that (3)`, the most frequent first."""
    return ", ".join(f"{what} ({amount})" for what, amount in counter.most_common())
