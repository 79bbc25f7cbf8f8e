"""The content of all responses of one run: pages, listings and records."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from ncr_exporter.ncr.datetimes import milliseconds
from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.pages import Page, paging_of
from ncr_exporter.ncr.paths import ListPath, Operation, PageTarget, parse
from ncr_exporter.ncr.responses import gateway_time
from ncr_exporter.ncr.versions import VERSIONS
from ncr_exporter.ncr.vocabulary import ACCESS_KEY_HEADER, ORIGIN_HEADER
from ncr_exporter.ncr.wire import MISSING, RawPage, RawRecord, WirePage
from ncr_exporter.recording.exchange import Exchange

NOT_LEARNED = "not learned"
_RECORDS_KEPT = 20_000
"""Per list operation: enough for findings, and little memory for any account."""
_NO_PAGE = -1
"""In place of the number of a next page that is no number."""


@dataclass(frozen=True)
class ObservedPage:
    """One page of a list."""

    requested: int | None
    """The page size in the request; None if it had none."""
    held: int
    """The number of records in the response."""
    sent: WirePage[Any]
    """What the page says about its list, as it was sent."""
    shape: str
    """Where that stands."""


@dataclass
class ObservedListing:
    """The pages of one list, read one after another."""

    path: ListPath
    host: str = ""
    """The gateway that was asked."""
    pages: list[ObservedPage] = field(default_factory=list)
    paging: list[Page[Any]] = field(default_factory=list)
    """The pages as the client follows them, without records."""
    names: list[str] = field(default_factory=list)
    records: list[RawRecord] = field(default_factory=list)
    """Empty if `_RECORDS_KEPT` records of the operation were kept before."""

    @property
    def complete(self) -> bool:
        """Whether the last page was read."""
        return bool(self.pages) and not self.goes_on(len(self.pages))

    def goes_on(self, pages: int) -> bool:
        """Return whether the list goes on after its first `pages` pages."""
        try:
            following = VERSIONS[self.path.style.version].next_page(self.paging[:pages])
        except MalformedError:
            return True
        return following is not None


@dataclass
class ObservedResponses:
    """All responses of one run. `add` is a sink of a `Tap`."""

    statuses: Counter[str] = field(default_factory=Counter)
    """`HTTP 200 ENDPOINT`: status and origin of a response → how often it came."""
    header_names: set[str] = field(default_factory=set)
    content_types: set[str] = field(default_factory=set)
    skews: list[float] = field(default_factory=list)
    """The API's clock minus this host's (s), for each response with a Date header."""
    _listings: defaultdict[Hashable, list[ObservedListing]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Gateway, account and path → the listings, the newest last."""
    _kept: defaultdict[Operation, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, exchange: Exchange) -> None:
        """Add one response."""
        origin = exchange.headers.get(ORIGIN_HEADER, "")
        self.statuses[f"HTTP {exchange.status} {origin}".strip()] += 1
        self.header_names.update(exchange.headers)
        date = gateway_time(exchange.headers)
        if date is not None:
            self.skews.append(date - exchange.received)
        target = parse(exchange.target)
        page = _page(target, exchange) if target else None
        if target and page:
            self.content_types.add(exchange.headers.get("content-type", "none"))
            self._add_page(target, page, exchange.request_headers)

    @property
    def skew(self) -> float | None:
        """The API's clock minus this host's (s): the median of all responses, None if none."""
        ordered = sorted(self.skews)
        return ordered[len(ordered) // 2] if ordered else None

    def names(self, path: ListPath) -> tuple[str, ...] | None:
        """Return the printable names in the list at a path.

        None if its last listing is not complete.
        """
        complete = [listing for listing in self.listings if listing.path == path]
        if not complete or not complete[-1].complete:
            return None
        return tuple(name for name in complete[-1].names if name.isprintable())

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions of the API whose lists were read."""
        found = {listing.path.style.version for listing in self.listings}
        return tuple(version for version in VERSIONS if version in found)

    def in_version(self, version: str) -> "ObservedResponses":
        """Return what was observed of the lists of one version."""
        listings = {
            key: [listing for listing in each if listing.path.style.version == version]
            for key, each in self._listings.items()
        }
        return replace(self, _listings=defaultdict(list, listings))

    @property
    def listings(self) -> list[ObservedListing]:
        """The last listing of each account and path.

        A list is read a second time if it changed during the first, which is therefore ignored.
        """
        return [listings[-1] for listings in self._listings.values() if listings]

    def of(self, operation: Operation) -> Iterator[ObservedListing]:
        """Yield the listings of an operation."""
        return (listing for listing in self.listings if listing.path.operation == operation)

    def records(self, operation: Operation) -> list[RawRecord]:
        """Return the records of an operation that were kept."""
        return [record for listing in self.of(operation) for record in listing.records]

    def _add_page(self, target: PageTarget, page: RawPage, headers: Mapping[str, str]) -> None:
        host = headers.get("host", "")
        # Two accounts may read one path at once.
        listings = self._listings[host, headers.get(ACCESS_KEY_HEADER), target.list]
        if target.is_first or not listings:
            listings.append(ObservedListing(target.list, host))
        listing, operation = listings[-1], target.list.operation
        listing.pages.append(ObservedPage(target.size, page.item_count, page.page, page.shape))
        listing.paging.append(_paging(page))
        listing.names += [
            name for record in page.records if isinstance(name := record.fields.name, str)
        ]
        if self._kept[operation] < _RECORDS_KEPT:
            self._kept[operation] += len(page.records)
            listing.records += page.records


def _page(target: PageTarget, exchange: Exchange) -> RawPage | None:
    if exchange.status != HTTPStatus.OK:
        return None
    try:
        wire = VERSIONS[target.list.style.version].wire
        return wire.decode_raw(target.list.operation, exchange.body)
    except MalformedError:
        return None


def _paging(page: RawPage) -> Page[Any]:
    """Return a page as the client follows it; one that it cannot follow names no page after it."""
    try:
        return paging_of(page)
    except MalformedError:
        return Page((), _NO_PAGE, None, page.item_count, 1)


def number(value: object) -> int | None:
    """Return a whole number, which may be sent as text; None if it is anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def moment(value: object) -> int | None:
    """Return a time, sent as a number or in RFC 3339, so that it can be compared; None if none."""
    known = number(value)
    return milliseconds(value) if known is None and isinstance(value, str) else known


def kind_of_pull(pull: object) -> str:
    """Return what the time of a platform's last pull is, as it was sent."""
    if pull is MISSING:
        return "missing"
    if pull is None:
        return "null"
    at = moment(pull)
    return "0" if at == 0 else "a time" if at else "something else"


def tally(counter: Counter[str]) -> str:
    """Return `this (12), that (3)`: each text with its count, the most frequent first."""
    return ", ".join(f"{what} ({amount})" for what, amount in counter.most_common())
