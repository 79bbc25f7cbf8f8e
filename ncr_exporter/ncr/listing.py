"""A list being read, page after page, and the same list read before."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, NamedTuple, Protocol, TypeVar

from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.pages import Page, decode_page
from ncr_exporter.ncr.paths import Operation

MAX_PAGES = 2000
"""A listing longer than this is taken for one that never ends."""


class Named(Protocol):
    """A record of any list."""

    @property
    def name(self) -> str:
        """Its name, which no other record of the list has."""
        ...


Record = TypeVar("Record", bound=Named)


class ReadPage(NamedTuple, Generic[Record]):
    """A page, and the digest of its bytes."""

    digest: bytes
    page: Page[Record]


@dataclass(frozen=True)
class Listing(Generic[Record]):
    """A complete list."""

    records: tuple[Record, ...]
    """With distinct names."""
    left_out: int
    """Records without a usable name: what the list lacks may be one of them."""
    pages: tuple[ReadPage[Record], ...]
    """One per request that reading it once takes; a server may give fewer records than asked."""


class PageReader(Generic[Record]):
    """Reads one list; pages whose bytes are as in the listing before are not decoded again."""

    def __init__(
        self,
        operation: Operation,
        now_ms: Callable[[], float],
        before: Listing[Record] | None = None,
    ) -> None:
        """`now_ms` is the gateway's clock, in milliseconds since the epoch.

        Whether a time can be true is judged by the clock of the host that tells it. By ours, set
        back by years, every pull would lie in the future, and be unknown.
        """
        self.page = 1
        """The page to read next."""
        self.complete = False
        self._operation = operation
        self._now_ms = now_ms
        self._before = before
        self._pages: list[ReadPage[Record]] = []
        self._by_name: dict[str, Record] = {}
        self._left_out = 0
        self._count: int | None = None

    @property
    def listing(self) -> Listing[Record]:
        """The list; the listing before itself where its pages are the same."""
        pages = tuple(self._pages)
        if self._before is not None and pages == self._before.pages:
            return self._before
        return Listing(tuple(self._by_name.values()), self._left_out, pages)

    @property
    def agrees(self) -> bool:
        """Whether the list has as many distinct names as its `count` says."""
        return self._count is None or self._count == len(self._by_name) + self._left_out

    @property
    def numbers(self) -> dict[str, int | None]:
        """The count and the numbers of names that it is compared with, for the log."""
        return {"count": self._count, "names": len(self._by_name), "left_out": self._left_out}

    def add_page(self, body: bytes) -> int:
        """Add the page `self.page` and return how many records and fields of it were malformed.

        Raises:
            MalformedError: it is no page, or does not lead to the end of the list.
        """
        page = self._page_of(body)
        self._add_records(page)
        if page.next is None:
            self.complete = True
        else:
            self._go_to(page.next)
        return page.malformed

    def _page_of(self, body: bytes) -> Page[Record]:
        """Return a page as it was read before, or decode it.

        A page with anything malformed is decoded each time: a time that is too far away now may
        be true later.
        """
        digest = blake2b(body, digest_size=16).digest()
        before, place = self._before.pages if self._before else (), len(self._pages)
        known = before[place] if place < len(before) else None
        if known is not None and known.digest == digest and not known.page.malformed:
            page = known.page
        else:
            page = decode_page(self._operation, body, self._now_ms())
        self._pages.append(ReadPage(digest, page))
        return page

    def _add_records(self, page: Page[Record]) -> None:
        """Add a page's records; of two with one name the one read later is the newer."""
        before = len(self._by_name)
        self._by_name.update((record.name, record) for record in page.records)
        if page.records and len(self._by_name) == before:
            # A server that ignores `page` would answer the same for ever.
            raise MalformedError(f"page {self.page} repeats records of the pages before it")
        self._left_out += page.left_out
        self._count = page.count

    def _go_to(self, following: int) -> None:
        """Go to the next page, which must follow this one: a jump would lose records."""
        if following != self.page + 1:
            raise MalformedError(f"page {self.page} names page {following} as the next")
        if following > MAX_PAGES:
            raise MalformedError(f"the list does not end after {MAX_PAGES} pages")
        self.page = following
