"""A list being read, page after page, and the same list read before."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, NamedTuple, Protocol, TypeVar

from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.wire import Page

MAX_PAGES = 2000
"""A listing longer than this is taken for one that never ends."""


class Named(Protocol):
    """A record of any list."""

    @property
    def name(self) -> str:
        """Tells it from the others of its list."""
        ...


Record = TypeVar("Record", bound=Named)
Decode = Callable[[bytes, float], Page[Record]]
"""Body and now (ms) → a page."""


class ReadPage(NamedTuple, Generic[Record]):
    """A page, and what its bytes are recognised by."""

    digest: bytes
    page: Page[Record]


@dataclass(frozen=True)
class Listing(Generic[Record]):
    """A complete list."""

    records: tuple[Record, ...]
    """With distinct names."""
    left_out: int
    """Records without a usable name: what the list lacks may be one of them."""
    read: tuple[ReadPage[Record], ...]

    @property
    def pages(self) -> int:
        """Requests that reading it once takes; a server may give fewer per page than asked."""
        return len(self.read)


class Reading(Generic[Record]):
    """The pages read so far; those that are as they were in `before` are not decoded again."""

    def __init__(
        self,
        decode: Decode[Record],
        now_ms: Callable[[], float],
        before: Listing[Record] | None = None,
    ) -> None:
        """`now_ms` is the clock of the host that answers."""
        self.page = 1
        """The page to read next."""
        self.complete = False
        self._decode = decode
        self._now_ms = now_ms
        self._before = before
        self._read: list[ReadPage[Record]] = []
        self._by_name: dict[str, Record] = {}
        self._left_out = 0
        self._count: int | None = None

    @property
    def listing(self) -> Listing[Record]:
        """The list; `before` itself where it is the same."""
        read = tuple(self._read)
        if self._before is not None and read == self._before.read:
            return self._before
        return Listing(tuple(self._by_name.values()), self._left_out, read)

    @property
    def agrees(self) -> bool:
        """Whether the list has as many distinct names as it says."""
        return self._count is None or self._count == len(self._by_name) + self._left_out

    @property
    def numbers(self) -> dict[str, int | None]:
        """What does not agree, to be logged."""
        return {"count": self._count, "names": len(self._by_name), "left_out": self._left_out}

    def accept(self, body: bytes) -> int:
        """Merge a page in and return how much of it was malformed.

        Whether a time can be true is judged by the clock of the host that tells it: by ours, set
        back by years, every pull would lie in the future, and be unknown.

        Raises:
            MalformedError: it is no page, or does not lead to the end of the list.
        """
        page = self._page_of(body)
        self._merge(page)
        if page.next is None:
            self.complete = True
        else:
            self._turn_to(page.next)
        return page.malformed

    def _page_of(self, body: bytes) -> Page[Record]:
        """Return a page as it was read before, or decode it.

        One with anything malformed is decoded each time: a time that is too far away now may not
        be so for ever.
        """
        digest = blake2b(body, digest_size=16).digest()
        before, place = self._before.read if self._before else (), len(self._read)
        known = before[place] if place < len(before) else None
        if known is not None and known.digest == digest and not known.page.malformed:
            page = known.page
        else:
            page = self._decode(body, self._now_ms())
        self._read.append(ReadPage(digest, page))
        return page

    def _merge(self, page: Page[Record]) -> None:
        """Of two records of one name the one read later is the newer."""
        before = len(self._by_name)
        self._by_name.update((record.name, record) for record in page.records)
        if page.records and len(self._by_name) == before:
            # A server that ignores `page` would answer the same for ever.
            raise MalformedError(f"page {self.page} repeats records of the pages before it")
        self._left_out += page.left_out
        self._count = page.count

    def _turn_to(self, following: int) -> None:
        """Go to the next page, which must follow this one: a jump would lose records."""
        if following != self.page + 1:
            raise MalformedError(f"page {self.page} names page {following} as the next")
        if following > MAX_PAGES:
            raise MalformedError(f"the list does not end after {MAX_PAGES} pages")
        self.page = following
