"""Complete listings: page after page until there is no next, or an error and nothing."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

import structlog

from ncr_exporter.clock import Clock
from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.observer import Observer
from ncr_exporter.ncr.paths import RegistryPath, page_of, registry_list
from ncr_exporter.ncr.transport import Purpose, Transport
from ncr_exporter.ncr.turns import Urgency
from ncr_exporter.ncr.wire import (
    ListedImage,
    ListedRegistry,
    Page,
    image_page,
    registry_page,
    tag_page,
)

MAX_PAGES = 2000
"""A listing longer than this is taken for one that never ends."""


class Named(Protocol):
    """A record of any list."""

    @property
    def name(self) -> str:
        """Tells it from the others of its list."""
        ...


Record = TypeVar("Record", bound=Named)

log = structlog.get_logger()


@dataclass(frozen=True)
class Request(Generic[Record]):
    """What to list, and how to read a page of it."""

    path: str
    purpose: Purpose
    urgency: Urgency
    decode: Callable[[bytes, float], Page[Record]]
    """Body and now (ms) → a page."""


@dataclass(frozen=True)
class Listing(Generic[Record]):
    """A complete list."""

    records: tuple[Record, ...]
    """With distinct names."""
    pages: int
    """Requests that reading it once takes; a server may give fewer per page than asked."""
    left_out: int
    """Records without a usable name: what the list lacks may be one of them."""


class Client:
    """Lists what one account can see at one gateway."""

    def __init__(
        self, transport: Transport, *, page_size: int, clock: Clock, observer: Observer
    ) -> None:
        self.transport = transport
        self.page_size = page_size
        self._clock = clock
        self._observer = observer
        self._listings = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def retire(self) -> None:
        """Close all connections once no listing is under way; nothing new must come.

        Of a listing, not of a request: one may be between two pages, or wait to ask again.
        """
        await self._idle.wait()
        await self.transport.close()

    async def tags(self, registry: RegistryPath, image: str) -> Listing[Tag]:
        """Return all tags of an image.

        Raises:
            ApiError: the listing is not complete; nothing of it may be used.
        """
        purpose = Purpose(registry.label, "tag_list")
        path = registry.tag_list(image)
        return await self._listed(Request(path, purpose, Urgency.TAG_LIST, tag_page))

    async def images(self, registry: RegistryPath) -> Listing[ListedImage]:
        """Return all images of a registry; as `tags`."""
        purpose = Purpose(registry.label, "image_list")
        request = Request(registry.image_list, purpose, Urgency.IMAGE_LIST, image_page)
        return await self._listed(request)

    async def registries(self, label: str, prefix: str) -> Listing[ListedRegistry]:
        """Return all registries of the account in a region, counted under `label`; as `tags`."""
        purpose = Purpose(label, "registry_list")
        path = registry_list(prefix)
        return await self._listed(Request(path, purpose, Urgency.IMAGE_LIST, registry_page))

    async def _listed(self, request: Request[Record]) -> Listing[Record]:
        """Return a list whose distinct names agree with its `count`.

        Pages are no snapshot: a push between two of them shows a tag twice, a delete hides one.
        Where the number of names tells of it the list is read once more; `count` is documented
        with another list's words, so what still differs then is believed, and counted.
        """
        with self._listing():
            reading = await self._read(request)
            if reading.agrees:
                return reading.listing
            reading = await self._read(request)
        if not reading.agrees:
            self._observer.miscounted(*request.purpose)
            log.debug("count differs from the names listed", path=request.path, **reading.numbers)
        return reading.listing

    @contextmanager
    def _listing(self) -> Iterator[None]:
        """Keep the connections from being closed meanwhile."""
        self._listings += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._listings -= 1
            if not self._listings:
                self._idle.set()

    async def _read(self, request: Request[Record]) -> "_Reading[Record]":
        """Read page after page; a listing that is begun goes before those that are not."""
        reading = _Reading(request.decode)
        urgency = request.urgency
        while not reading.complete:
            path = page_of(request.path, reading.page, self.page_size)
            accept = partial(reading.accept, now_ms=self._clock.time() * 1000)
            malformed = await self.transport.get(path, request.purpose, urgency, accept)
            if malformed:
                self._observer.malformed(*request.purpose, malformed)
            urgency = min(urgency, Urgency.NEXT_PAGE)
        return reading


class _Reading(Generic[Record]):
    """The pages read so far."""

    def __init__(self, decode: Callable[[bytes, float], Page[Record]]) -> None:
        self.page = 1
        """The page to read next."""
        self.complete = False
        self._decode = decode
        self._by_name: dict[str, Record] = {}
        self._left_out = 0
        self._count: int | None = None

    @property
    def listing(self) -> Listing[Record]:
        return Listing(tuple(self._by_name.values()), self.page, self._left_out)

    @property
    def agrees(self) -> bool:
        return self._count is None or self._count == len(self._by_name) + self._left_out

    @property
    def numbers(self) -> dict[str, int | None]:
        return {"count": self._count, "names": len(self._by_name), "left_out": self._left_out}

    def accept(self, body: bytes, now_ms: float) -> int:
        """Merge a page in and return how much of it was malformed.

        Raises:
            MalformedError: it is no page, or does not lead to the end of the list.
        """
        page = self._decode(body, now_ms)
        self._merge(page)
        if page.next is None:
            self.complete = True
        else:
            self._turn_to(page.next)
        return page.malformed

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
