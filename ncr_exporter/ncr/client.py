"""Complete listings: all pages of a list, or an error and no records."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zlib import crc32

import structlog

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.errors import ApiError, DeniedError, NotFoundError, PagingError
from ncr_exporter.ncr.fair_queue import Priority
from ncr_exporter.ncr.listing import Listing, PageReader, Record
from ncr_exporter.ncr.odd_counts import LISTINGS_PER_CHECK, NOT_ODD, OddCount
from ncr_exporter.ncr.pages import ListedImage, ListedRegistry
from ncr_exporter.ncr.paths import ListPath, Operation, RegistryPath
from ncr_exporter.ncr.responses import refused_parameters
from ncr_exporter.ncr.transport import ClientMetrics, RequestLabels, Transport
from ncr_exporter.ncr.versions import Gateway
from ncr_exporter.texts import failures

log = structlog.get_logger()

_REMEDY = f"one in {LISTINGS_PER_CHECK} listings is still read twice; please report it as an issue"
_REMEDY_OF_IMAGES = f"{_REMEDY}; `relist_after` saves nothing in this registry"


@dataclass
class _List:
    """A list while it is read."""

    path: ListPath
    base_url: str
    """The gateway of its region."""
    labels: RequestLabels
    requests: int = 0
    """The requests for its pages so far."""

    @property
    def phase(self) -> int:
        """A number that differs from list to list, and is the same after a restart."""
        return crc32(str(self.path).encode())


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
        self._logged_odd: set[RequestLabels] = set()
        """Registries and kinds of list of which an odd count was logged: there may be 100,000."""
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
        names = (registry.label, registry.region, registry.name, image)
        odd_count = before.odd_count if before else NOT_ODD
        return await self._listing(*names, before=before, odd_count=odd_count)

    async def images(
        self, registry: RegistryPath, odd_count: OddCount = NOT_ODD
    ) -> Listing[ListedImage]:
        """Return all images of a registry.

        Args:
            registry: the registry.
            odd_count: what the earlier listing knew of the list's `count`.

        Raises:
            ApiError: the listing could not be completed.
        """
        names = (registry.label, registry.region, registry.name)
        return await self._listing(*names, odd_count=odd_count)

    async def registries(
        self, label: str, region: str, odd_count: OddCount = NOT_ODD
    ) -> Listing[ListedRegistry]:
        """Return all registries of the account in a region.

        Args:
            label: the label `registry` of the requests in metrics and logs.
            region: the region.
            odd_count: what the earlier listing knew of the list's `count`.

        Raises:
            ApiError: the listing could not be completed.
        """
        return await self._listing(label, region, odd_count=odd_count)

    async def _listing(
        self,
        label: str,
        region: str,
        *names: str,
        before: Listing[Record] | None = None,
        odd_count: OddCount = NOT_ODD,
    ) -> Listing[Record]:
        """Return a complete list, and record a count that differs from its names."""
        path = self.gateway.list_path(region, *names)
        base_url = self.gateway.endpoints[region].base_url
        listed = _List(path, base_url, RequestLabels(label, path.operation))
        with self._connections_in_use():
            reader, known = await self._read_until_believed(listed, before, odd_count)
        if known != NOT_ODD:
            self._metrics.record_count_mismatch(*listed.labels)
            log.debug("count differs from the names listed", path=str(path), **reader.counts)
            if known.is_believed and not odd_count.is_believed:
                self._log_odd_count(listed, reader)
        return reader.listing(listed.requests, known)

    async def _read_until_believed(
        self, listed: _List, before: Listing[Record] | None, known: OddCount
    ) -> tuple[PageReader[Record], OddCount]:
        """Read a list, and once more if it seems to have changed meanwhile.

        Pages are not a snapshot. After a push between two of them a tag is listed twice; after a
        delete one is missing, or the last page is. A second time that is an error, and no more a
        coincidence. The vendor's page describes `count` in the words of another list, so a second
        difference from it is accepted. Where that goes on, one reading is enough (`OddCount`).
        """
        first: PageReader[Record] | None = None
        try:
            first = await self._read_pages(listed, before)
            if not first.difference:
                return first, NOT_ODD
            if not known.is_doubted(first.difference, listed.phase):
                return first, known.after_reading()
        except PagingError as error:
            log.debug("list read again", path=str(listed.path), error=str(error))
        second = await self._read_pages(listed, before)
        if not second.difference:
            return second, NOT_ODD
        if first is None:
            return second, known.after_reading()
        fruitless = second.agrees_with(first)
        return second, known.after_second_reading(second.difference, fruitless=fruitless)

    def _log_odd_count(self, listed: _List, reader: PageReader[Record]) -> None:
        """Log that a list is read once from now on, if it is the first of its registry and kind."""
        if listed.labels in self._logged_odd:
            return
        self._logged_odd.add(listed.labels)
        registry, operation = listed.labels
        log.info(
            "the count of a list is of something else; its names are believed after one reading",
            registry=registry,
            operation=operation,
            path=str(listed.path),
            **reader.counts,
            remedy=_REMEDY_OF_IMAGES if operation == "image_list" else _REMEDY,
        )

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
        self, listed: _List, before: Listing[Record] | None
    ) -> PageReader[Record]:
        """Read all pages; requests for further pages go before those for first pages."""
        now_ms, version = self.transport.gateway_clock.now_ms, self.gateway.version
        operation = listed.labels.operation
        reader = PageReader(operation, now_ms, before, version)
        priority = Priority.of(operation)
        while not reader.complete:
            without = self._refused.get(operation, frozenset())
            listed.requests += 1
            try:
                await self._read_page(listed, priority, reader, without)
            except ApiError as error:
                refused = refused_parameters(error, version.paths.optional - without)
                # Later pages of another size or order would leave out records, or repeat them.
                if not refused or not reader.is_new:
                    raise
                await self._read_page(listed, priority, reader, without | refused)
                self._refused[operation] = without | refused
                log.warning("asking without what the API refuses", parameters=sorted(refused))
            priority = min(priority, Priority.NEXT_PAGE)
        return reader

    async def _read_page(
        self,
        listed: _List,
        priority: Priority,
        reader: PageReader[Record],
        without: frozenset[str],
    ) -> None:
        """Read the next page, requested without some parameters."""
        target = listed.path.page(reader.page, self.page_size, without)
        request = self.transport.request(
            target, listed.labels, priority, listed.base_url, self.gateway.headers
        )
        with _about_page(reader):
            async with request as body:
                malformed = reader.add_page(body)
        if malformed:
            self._metrics.record_malformed(*listed.labels, malformed)


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
