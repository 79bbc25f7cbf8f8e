"""Complete listings: all pages of a list, or an error and no records."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.errors import ApiError, DeniedError, NotFoundError, PagingError
from ncr_exporter.ncr.fair_queue import Priority
from ncr_exporter.ncr.listing import Listing, PageReader, Record
from ncr_exporter.ncr.pages import ListedImage, ListedRegistry
from ncr_exporter.ncr.paths import ListPath, Operation, RegistryPath
from ncr_exporter.ncr.responses import refused_parameters
from ncr_exporter.ncr.transport import ClientMetrics, RequestLabels, Transport
from ncr_exporter.ncr.versions import Gateway
from ncr_exporter.texts import failures

log = structlog.get_logger()


class _List(NamedTuple):
    path: ListPath
    base_url: str
    """The gateway of its region."""


class Client:
    """Lists the registries, images and tags of one account at one gateway."""

    def __init__(
        self, transport: Transport, *, gateway: Gateway, page_size: int, metrics: ClientMetrics
    ) -> None:
        """Make a client.

        Args:
            transport: sends the requests.
            gateway: where each region's lists are, and in which version of the API.
            page_size: records to ask for per page.
            metrics: is told of malformed records and of lists that do not match their count.
        """
        self.transport = transport
        self.gateway = gateway
        self.page_size = page_size
        self._metrics = metrics
        self._refused: dict[Operation, frozenset[str]] = {}
        """The parameters that the API refused, and did without."""
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
        return await self._listing(
            registry.label, registry.region, registry.name, image, before=before
        )

    async def images(self, registry: RegistryPath) -> Listing[ListedImage]:
        """Return all images of a registry.

        Raises:
            ApiError: the listing could not be completed.
        """
        return await self._listing(registry.label, registry.region, registry.name)

    async def registries(self, label: str, region: str) -> Listing[ListedRegistry]:
        """Return all registries of the account in a region.

        Args:
            label: the label `registry` of the requests in metrics and logs.
            region: the region.

        Raises:
            ApiError: the listing could not be completed.
        """
        return await self._listing(label, region)

    async def _listing(
        self, label: str, region: str, *names: str, before: Listing[Record] | None = None
    ) -> Listing[Record]:
        """Return a complete list; read it once more if it seems to have changed meanwhile.

        Pages are not a snapshot. After a push between two of them a tag is listed twice; after a
        delete one is missing, or the last page is. A second time that is an error, and no more a
        coincidence. The vendor's page describes `count` in the words of another list, so a second
        difference from it is accepted, and recorded.
        """
        listed = _List(
            self.gateway.list_path(region, *names), self.gateway.endpoints[region].base_url
        )
        labels = RequestLabels(label, listed.path.operation)
        with self._connections_in_use():
            try:
                reader = await self._read_pages(listed, labels, before)
                if reader.count_matches:
                    return reader.listing
            except PagingError as error:
                log.debug("list read again", path=str(listed.path), error=str(error))
            reader = await self._read_pages(listed, labels, before)
        if not reader.count_matches:
            self._metrics.record_count_mismatch(*labels)
            log.debug("count differs from the names listed", path=str(listed.path), **reader.counts)
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
        self, listed: _List, labels: RequestLabels, before: Listing[Record] | None
    ) -> PageReader[Record]:
        """Read all pages; requests for further pages go before those for first pages."""
        now_ms, version = self.transport.gateway_clock.now_ms, self.gateway.version
        reader = PageReader(labels.operation, now_ms, before, version)
        priority = Priority.of(labels.operation)
        while not reader.complete:
            without = self._refused.get(labels.operation, frozenset())
            try:
                await self._read_page(listed, labels, priority, reader, without)
            except ApiError as error:
                refused = refused_parameters(error, version.paths.optional - without)
                # Later pages of another size or order would leave out records, or repeat them.
                if not refused or not reader.is_new:
                    raise
                await self._read_page(listed, labels, priority, reader, without | refused)
                self._refused[labels.operation] = without | refused
                log.warning("asking without what the API refuses", parameters=sorted(refused))
            priority = min(priority, Priority.NEXT_PAGE)
        return reader

    async def _read_page(
        self,
        listed: _List,
        labels: RequestLabels,
        priority: Priority,
        reader: PageReader[Record],
        without: frozenset[str],
    ) -> None:
        """Read the next page, requested without some parameters."""
        target = listed.path.page(reader.page, self.page_size, without)
        request = self.transport.request(
            target, labels, priority, listed.base_url, self.gateway.headers
        )
        with _about_page(reader):
            async with request as body:
                malformed = reader.add_page(body)
        if malformed:
            self._metrics.record_malformed(*labels, malformed)


@contextmanager
def _about_page(reader: PageReader[Record]) -> Iterator[None]:
    """Keep what is said of a later page from being taken for the list: the first page was there.

    Raises:
        PagingError: there is no such page, or this page alone is denied.
    """
    try:
        yield
    except (NotFoundError, DeniedError) as error:
        if reader.is_new:
            raise
        raise PagingError(
            failures.LATER_PAGE(page=reader.page, error=error.message), error.details
        ) from None
