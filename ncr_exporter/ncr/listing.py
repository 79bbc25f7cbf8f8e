"""Listings: the pages of a list read into one, and compared with an earlier listing."""

from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import Generic, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from ncr_exporter.inventory import Tag, TagList
from ncr_exporter.ncr.errors import MalformedError, PagingError
from ncr_exporter.ncr.odd_counts import NOT_ODD, OddCount
from ncr_exporter.ncr.pages import Page, decode_page
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.ncr.versions import V2, ApiVersion
from ncr_exporter.texts import failures

MAX_PAGES = 2000
"""A list with more pages is taken for one that never ends."""


class Named(Protocol):
    """A record of any list."""

    @property
    def name(self) -> str:
        """The name, unique within a list."""
        ...


Record = TypeVar("Record", bound=Named)


class ReadPage(msgspec.Struct, Generic[Record], frozen=True, gc=False):
    """A decoded page, with the BLAKE2 digest of its body."""

    digest: bytes
    page: Page[Record]


class Listing(msgspec.Struct, Generic[Record], frozen=True, gc=False):
    """A complete list."""

    records: Collection[Record]
    """All records, with distinct names."""
    left_out: int
    """Records without a usable name; a name that is missing may be one of them."""
    pages: tuple[ReadPage[Record], ...]
    """The pages, one for each request; a server may return fewer records per page than asked."""
    requests: int
    """The requests for its pages, in both readings where it was read twice."""
    odd_count: OddCount = NOT_ODD
    """What is known of a `count` that differs from the distinct names, for the next listing."""

    @property
    def count_matches(self) -> bool:
        """Whether the list has as many distinct names as its `count` says."""
        return self.odd_count == NOT_ODD

    @property
    def is_short(self) -> bool:
        """Whether the list has fewer records than its own `count` says."""
        count = self.pages[-1].page.count if self.pages else None
        return count is not None and count > len(self.records) + self.left_out


def packed(listing: Listing[Tag]) -> Listing[Tag]:
    """Return a listing as it is kept until the next one: with its tags packed."""
    if isinstance(listing.records, TagList):
        return listing
    pages = tuple([replace(read, page=_packed_page(read.page)) for read in listing.pages])
    records = TagList.joined(TagList.of(read.page.records) for read in pages)
    if len(records) != len(listing.records):  # two pages have a tag of the same name
        records = TagList.of(listing.records)
    return replace(listing, records=records, pages=pages)


def _packed_page(page: Page[Tag]) -> Page[Tag]:
    return replace(page, records=TagList.of(page.records))


class PageReader(Generic[Record]):
    """Reads one list; a page with the same bytes as in an earlier listing is not decoded again."""

    def __init__(
        self,
        operation: Operation,
        now_ms: Callable[[], float],
        before: Listing[Record] | None = None,
        version: ApiVersion = V2,
    ) -> None:
        """Start before the first page.

        Args:
            operation: the operation whose pages are read.
            now_ms: returns the gateway's time in milliseconds since the epoch. Times of records are
                checked against it: by this host's clock, if it is set back by years, every pull
                would be in the future, and so unknown.
            before: an earlier listing of the same list.
            version: the version of the API that the pages are of.
        """
        self.page = version.paths.first_page
        """The number of the page to read next."""
        self.complete = False
        """Whether all pages are read."""
        self._version = version
        self._operation = operation
        self._now_ms = now_ms
        self._before = before
        self._pages: list[ReadPage[Record]] = []
        self._unchanged = before
        """The earlier listing, while all pages are its own; None from the first that is not."""
        self._by_name: dict[str, Record] = {}
        """The records of all pages; empty while these are unchanged."""
        self._left_out = 0
        self._count: int | None = None

    @property
    def is_new(self) -> bool:
        """Whether no page was read yet."""
        return not self._pages

    def listing(self, requests: int, odd_count: OddCount = NOT_ODD) -> Listing[Record]:
        """Return the complete list; the earlier listing itself if nothing of it changed.

        Args:
            requests: the requests that it took.
            odd_count: what is known of a `count` that differs from the distinct names.
        """
        before = self._unchanged
        if before is None:
            records, pages = tuple(self._by_name.values()), tuple(self._pages)
            return Listing(records, self._left_out, pages, requests, odd_count)
        if (requests, odd_count) == (before.requests, before.odd_count):
            return before
        return replace(before, requests=requests, odd_count=odd_count)

    @property
    def _distinct(self) -> int:
        """The number of distinct names in the complete list."""
        return len(self._by_name if self._unchanged is None else self._unchanged.records)

    @property
    def difference(self) -> int:
        """The list's `count` minus its distinct names; 0 if it does not say its count."""
        return 0 if self._count is None else self._count - self._distinct - self._left_out

    def agrees_with(self, other: "PageReader[Record]") -> bool:
        """Return whether another reading of the list had the same names or the same difference."""
        if self.difference == other.difference:
            return True
        return self._names == other._names  # noqa: SLF001 -- its own class

    @property
    def _names(self) -> set[str]:
        """The names in the complete list."""
        return {record.name for read in self._pages for record in read.page.records}

    @property
    def counts(self) -> dict[str, int | None]:
        """The list's `count`, and the numbers that it is compared with, for the log."""
        return {"count": self._count, "names": self._distinct, "left_out": self._left_out}

    def add_page(self, body: bytes) -> int:
        """Add the page number `page` and return how many of its records and fields are malformed.

        Args:
            body: the body of the response.

        Raises:
            MalformedError: the body is not a page, or following it would not end the list.
        """
        digest = blake2b(body, digest_size=16).digest()
        page = self._known_page(digest)
        if page is None:
            page = decode_page(self._operation, body, self._now_ms(), self._version.wire)
            self._leave_before()
        if self._unchanged is None:
            self._add_names(page.records)
        self._pages.append(ReadPage(digest, page))
        self._left_out += page.left_out
        self._count = page.count
        following = self._version.next_page([read.page for read in self._pages])
        if following is None:
            self.complete = True
            if self._unchanged is not None and len(self._unchanged.pages) != len(self._pages):
                self._leave_before()
        else:
            self._continue_at(following)
        return page.malformed

    def _known_page(self, digest: bytes) -> Page[Record] | None:
        """Return the page of the earlier listing if it has the same bytes.

        A page with malformed fields is decoded each time: a time that is too far in the future now
        may be valid later.
        """
        before, index = self._before.pages if self._before else (), len(self._pages)
        known = before[index] if index < len(before) else None
        if known is None or known.digest != digest or known.page.malformed:
            return None
        return known.page

    def _leave_before(self) -> None:
        """Look at the pages so far, if that was not needed yet: the list is another than before."""
        if self._unchanged is not None:
            self._unchanged = None
            for read in self._pages:
                self._add_names(read.page.records)

    def _add_names(self, records: Collection[Record]) -> None:
        """Add a page's records; of two with one name, the one read later replaces the other."""
        before = len(self._by_name)
        self._by_name.update((record.name, record) for record in records)
        if records and len(self._by_name) == before:
            # A server that ignores `page` would return the same page for ever. But it may also be
            # that the only record of the last page was pushed again, and is on the first one now.
            raise PagingError(failures.REPEATED_PAGE(page=self.page))

    def _continue_at(self, number: int) -> None:
        """Set the page to read next; a jump would leave out records."""
        if number != self.page + 1:
            raise MalformedError(failures.JUMPING_PAGE(page=self.page, next=number))
        if len(self._pages) >= MAX_PAGES:
            raise MalformedError(failures.ENDLESS_LIST(pages=MAX_PAGES))
        self.page = number
