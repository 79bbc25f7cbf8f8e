"""Complete listings: page after page until there is no next, or an error and nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.fair_queue import Priority
from ncr_exporter.ncr.listing import Listing, PageReader, Record
from ncr_exporter.ncr.pages import ListedImage, ListedRegistry
from ncr_exporter.ncr.paths import ListPath, RegistryPath
from ncr_exporter.ncr.transport import ClientMetrics, RequestLabels, Transport

log = structlog.get_logger()


class Client:
    """Lists what one account can see at one gateway."""

    def __init__(self, transport: Transport, *, page_size: int, metrics: ClientMetrics) -> None:
        self.transport = transport
        self.page_size = page_size
        self._metrics = metrics
        self._listings = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def retire(self) -> None:
        """Close all connections once no listing is under way; no new one may begin.

        A listing is more than a request: it may be between two pages, or wait to retry.
        """
        await self._idle.wait()
        await self.transport.close()

    async def tags(
        self, registry: RegistryPath, image: str, before: Listing[Tag] | None = None
    ) -> Listing[Tag]:
        """Return all tags of an image; `before` itself where no page of it changed.

        Raises:
            ApiError: the listing is not complete; nothing of it may be used.
        """
        return await self._listing(registry.tag_list(image), registry.label, before)

    async def images(self, registry: RegistryPath) -> Listing[ListedImage]:
        """Return all images of a registry.

        Raises:
            ApiError: the listing is not complete; nothing of it may be used.
        """
        return await self._listing(registry.image_list, registry.label)

    async def registries(self, label: str, prefix: str) -> Listing[ListedRegistry]:
        """Return all registries of the account in a region; requests are counted under `label`.

        Raises:
            ApiError: the listing is not complete; nothing of it may be used.
        """
        return await self._listing(ListPath(prefix), label)

    async def _listing(
        self, path: ListPath, label: str, before: Listing[Record] | None = None
    ) -> Listing[Record]:
        """Return a list whose distinct names agree with its `count`.

        Pages are no snapshot: a push between two of them shows a tag twice, a delete hides one.
        Where the number of names tells of it the list is read once more. `count` is documented
        with another list's words, so what still differs then is believed, and counted.
        """
        labels = RequestLabels(label, path.operation)
        with self._keeping_connections():
            reader = await self._read(path, labels, before)
            if reader.agrees:
                return reader.listing
            reader = await self._read(path, labels, before)
        if not reader.agrees:
            self._metrics.miscounted(*labels)
            log.debug("count differs from the names listed", path=str(path), **reader.numbers)
        return reader.listing

    @contextmanager
    def _keeping_connections(self) -> Iterator[None]:
        """Keep `retire` waiting meanwhile."""
        self._listings += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._listings -= 1
            if not self._listings:
                self._idle.set()

    async def _read(
        self, path: ListPath, labels: RequestLabels, before: Listing[Record] | None
    ) -> PageReader[Record]:
        """Read page after page; a list that is begun goes before those that are not."""
        reader = PageReader(path.operation, self.transport.gateway_clock.now_ms, before)
        priority = Priority.of(path.operation)
        while not reader.complete:
            target = path.page(reader.page, self.page_size)
            async with self.transport.request(target, labels, priority) as body:
                malformed = reader.add_page(body)
            if malformed:
                self._metrics.malformed(*labels, malformed)
            priority = min(priority, Priority.NEXT_PAGE)
        return reader
