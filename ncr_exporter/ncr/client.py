"""Complete listings: all pages of a list, or an error and no records."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.errors import DeniedError, NotFoundError, PagingError
from ncr_exporter.ncr.fair_queue import Priority
from ncr_exporter.ncr.listing import Listing, PageReader, Record
from ncr_exporter.ncr.pages import ListedImage, ListedRegistry
from ncr_exporter.ncr.paths import ListPath, RegistryPath
from ncr_exporter.ncr.transport import ClientMetrics, RequestLabels, Transport

log = structlog.get_logger()


class Client:
    """Lists the registries, images and tags of one account at one gateway."""

    def __init__(self, transport: Transport, *, page_size: int, metrics: ClientMetrics) -> None:
        """Make a client.

        Args:
            transport: sends the requests.
            page_size: records to ask for per page.
            metrics: is told of malformed records and of lists that do not match their count.
        """
        self.transport = transport
        self.page_size = page_size
        self._metrics = metrics
        self._listings = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def retire(self) -> None:
        """Close all connections once no listing is under way; the caller must begin no new one.

        It waits for listings rather than requests: between two pages, or before a retry, a listing
        has no request in flight.
        """
        await self._idle.wait()
        await self.transport.close()

    async def tags(
        self, registry: RegistryPath, image: str, before: Listing[Tag] | None = None
    ) -> Listing[Tag]:
        """Return all tags of an image.

        Args:
            registry: the registry.
            image: the image's name.
            before: an earlier listing. It is returned itself if no page changed; else its unchanged
                pages are not decoded again.

        Raises:
            ApiError: the listing could not be completed.
        """
        return await self._listing(registry.tag_list(image), registry.label, before)

    async def images(self, registry: RegistryPath) -> Listing[ListedImage]:
        """Return all images of a registry.

        Raises:
            ApiError: the listing could not be completed.
        """
        return await self._listing(registry.image_list, registry.label)

    async def registries(self, label: str, prefix: str) -> Listing[ListedRegistry]:
        """Return all registries of the account in a region.

        Args:
            label: the label `registry` of the requests in metrics and logs.
            prefix: the region's path prefix, such as `/ncr/api/v2`.

        Raises:
            ApiError: the listing could not be completed.
        """
        return await self._listing(ListPath(prefix), label)

    async def _listing(
        self, path: ListPath, label: str, before: Listing[Record] | None = None
    ) -> Listing[Record]:
        """Return a complete list; read it once more if it seems to have changed meanwhile.

        Pages are not a snapshot. After a push between two of them a tag is listed twice; after a
        delete one is missing, or the last page is. A second time that is an error, and no more a
        coincidence. The vendor's page describes `count` in the words of another list, so a second
        difference from it is accepted, and recorded.
        """
        labels = RequestLabels(label, path.operation)
        with self._connections_in_use():
            try:
                reader = await self._read_pages(path, labels, before)
                if reader.count_matches:
                    return reader.listing
            except PagingError as error:
                log.debug("list read again", path=str(path), error=str(error))
            reader = await self._read_pages(path, labels, before)
        if not reader.count_matches:
            self._metrics.record_count_mismatch(*labels)
            log.debug("count differs from the names listed", path=str(path), **reader.counts)
        return reader.listing

    @contextmanager
    def _connections_in_use(self) -> Iterator[None]:
        """Make `retire` wait until the end of the block."""
        self._listings += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._listings -= 1
            if not self._listings:
                self._idle.set()

    async def _read_pages(
        self, path: ListPath, labels: RequestLabels, before: Listing[Record] | None
    ) -> PageReader[Record]:
        """Read all pages; requests for further pages go before those for first pages."""
        reader = PageReader(path.operation, self.transport.gateway_clock.now_ms, before)
        priority = Priority.of(path.operation)
        while not reader.complete:
            target = path.page(reader.page, self.page_size)
            with _about_page(reader.page):
                async with self.transport.request(target, labels, priority) as body:
                    malformed = reader.add_page(body)
            if malformed:
                self._metrics.record_malformed(*labels, malformed)
            priority = min(priority, Priority.NEXT_PAGE)
        return reader


@contextmanager
def _about_page(number: int) -> Iterator[None]:
    """Keep what is said of a later page from being taken for the list: the first page was there.

    Raises:
        PagingError: there is no such page, or this page alone is denied.
    """
    try:
        yield
    except (NotFoundError, DeniedError) as error:
        if number == 1:
            raise
        raise PagingError(f"page {number} of the list: {error}", error.details) from None
