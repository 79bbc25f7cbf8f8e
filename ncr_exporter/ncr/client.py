"""Complete listings: page after page until there is no next, or an error and nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic

import structlog

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.fair_queue import Urgency
from ncr_exporter.ncr.listing import Decode, Listing, Reading, Record
from ncr_exporter.ncr.paths import RegistryPath, page_of, registry_list
from ncr_exporter.ncr.transport import Observer, Purpose, Transport
from ncr_exporter.ncr.wire import ListedImage, ListedRegistry, image_page, registry_page, tag_page

log = structlog.get_logger()


@dataclass(frozen=True)
class Request(Generic[Record]):
    """What to list, and how to read a page of it."""

    path: str
    purpose: Purpose
    urgency: Urgency
    decode: Decode[Record]
    before: Listing[Record] | None = None
    """The list as it was read the last time; what did not change is not decoded again."""


class Client:
    """Lists what one account can see at one gateway."""

    def __init__(self, transport: Transport, *, page_size: int, observer: Observer) -> None:
        self.transport = transport
        self.page_size = page_size
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

    async def tags(
        self, registry: RegistryPath, image: str, before: Listing[Tag] | None = None
    ) -> Listing[Tag]:
        """Return all tags of an image; `before` itself where nothing changed.

        Raises:
            ApiError: the listing is not complete; nothing of it may be used.
        """
        purpose = Purpose(registry.label, "tag_list")
        path = registry.tag_list(image)
        return await self._listed(Request(path, purpose, Urgency.TAG_LIST, tag_page, before))

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

    async def _read(self, request: Request[Record]) -> Reading[Record]:
        """Read page after page; a listing that is begun goes before those that are not."""
        reading = Reading(request.decode, self.transport.gateway_clock.now_ms, request.before)
        urgency = request.urgency
        while not reading.complete:
            path = page_of(request.path, reading.page, self.page_size)
            malformed = await self.transport.get(path, request.purpose, urgency, reading.accept)
            if malformed:
                self._observer.malformed(*request.purpose, malformed)
            urgency = min(urgency, Urgency.NEXT_PAGE)
        return reading
