"""One page's records as sent → clean records.

A malformed field becomes unknown, and a record without a usable name is left out. Both are counted.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from ncr_exporter.inventory import Platform, Tag, is_platform
from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.fields import FieldParser, page_number
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.ncr.wire import (
    V2_WIRE,
    RawPage,
    WireFormat,
    WireImage,
    WirePage,
    WirePlatform,
    WireRegistry,
    WireTag,
)
from ncr_exporter.ncr.wire_v3 import WireImageV3
from ncr_exporter.texts import failures

Record = TypeVar("Record")


class Page(msgspec.Struct, Generic[Record], frozen=True, gc=False):
    """One page of clean records."""

    # The garbage collector stops tracking a tuple whose items it does not track, but it never stops
    # tracking a list: each full collection would visit every record that is kept.
    records: Collection[Record]
    next: int | None
    """The number of the next page as version 2 sends it; None on the last."""
    count: int | None
    """The number of records in the whole list, as sent."""
    left_out: int
    """Records without a usable name."""
    malformed: int
    """Records left out, and fields that became unknown."""
    pages: int | None = None
    """The number of pages of the whole list, as version 3 sends it."""
    number: int | None = None
    """The number of this page, as version 3 sends it."""

    @property
    def held(self) -> int:
        """The number of its records, usable or not."""
        return len(self.records) + self.left_out


Activity = tuple[int, ...]
"""Values of an image's record in the image list that a pull or a push changes."""


class ListedImage(msgspec.Struct, frozen=True, gc=False):
    """A record of the image list."""

    name: str
    pull_count: int | None = None
    """Pulls of all tags since the image exists."""
    updated: int | None = None
    """When a tag was pushed or changed last, in milliseconds since the epoch."""

    @property
    def activity(self) -> Activity | None:
        """What a pull or a push changes, to compare with another list's; None if not all is known.

        That these values change with each pull and push is inferred from their names.
        """
        return _activity(self.pull_count, self.updated)


class ListedImageV3(ListedImage, frozen=True, gc=False):
    """A record of the image list of version 3, which also says when an image was pulled last."""

    pulled: int | None = None
    """When any tag was pulled last, in milliseconds since the epoch; `NEVER` if no pull is
    recorded, None if that is unknown."""

    @property
    def activity(self) -> Activity | None:
        """What a pull or a push changes: as in version 2, and the time of the last pull."""
        return _activity(self.pull_count, self.updated, self.pulled)


def _activity(*values: int | None) -> Activity | None:
    known = tuple([value for value in values if value is not None])
    return known if len(known) == len(values) else None


class ListedRegistry(msgspec.Struct, frozen=True, gc=False):
    """A record of the registry list."""

    name: str
    public_host: str | None = None
    """The host to pull from; None if it is switched off or unknown."""
    private_host: str | None = None
    """The host to pull from inside a VPC; None if it is unknown."""
    public: bool | None = None
    """Whether anyone may pull without logging in; None if it is unknown."""
    scan_on_push: bool | None = None
    """Whether pushes are scanned for vulnerabilities; None if it is unknown."""


def decode_page(
    operation: Operation, body: bytes, now_ms: float, wire: WireFormat = V2_WIRE
) -> Page[Any]:
    """Return the page that any list operation returned.

    Args:
        operation: the operation.
        body: the body of the response.
        now_ms: the gateway's time in milliseconds since the epoch; see `FieldParser`.
        wire: how the API's version writes pages.

    Raises:
        MalformedError: the body is not a page, or has records but no usable one.
    """
    raw, fields, parse = wire.decode(operation, body), wire.parser(now_ms), _parser_of(operation)
    return _page(raw, [parse(record, fields) for record in raw.results], fields)


def _parser_of(operation: Operation) -> Callable[[Any, FieldParser], Any]:
    match operation:
        case "tag_list":
            return _tag
        case "image_list":
            return _image
        case "registry_list":
            return _registry


def paging_of(raw: RawPage) -> Page[Any]:
    """Return what a page as sent says about its list, as the client reads it, without its records.

    Raises:
        MalformedError: it does not name a page as the next one.
    """
    page: Page[Any] = _page(raw.page, (), FieldParser(0))
    return msgspec.structs.replace(page, left_out=raw.item_count)


def _page(raw: WirePage[Any], parsed: Sequence[Record | None], parser: FieldParser) -> Page[Record]:
    records = tuple([record for record in parsed if record is not None])
    if parsed and not records:
        raise MalformedError(failures.NO_USABLE_RECORD(records=len(parsed)))
    try:
        next_page = page_number(raw.next)
    except ValueError as error:
        raise MalformedError(failures.NO_PAGE(detail=error.args[0])) from None
    left_out = len(parsed) - len(records)
    count, pages, number = map(parser.size, (raw.count, raw.pages, raw.number))
    return Page(records, next_page, count, left_out, parser.malformed, pages, number)


def _tag(raw: WireTag | None, parser: FieldParser) -> Tag | None:
    name = parser.name(raw and raw.name)
    if raw is None or name is None:
        return None
    platforms = [
        platform
        for item in raw.platforms or ()
        if (platform := _platform(item, parser)) is not None
    ]
    return Tag(
        name,
        parser.digest(raw.digest),
        parser.size(raw.full_size),
        parser.time(raw.last_updated),
        tuple(platforms),
    )


def _platform(raw: WirePlatform | None, parser: FieldParser) -> Platform | None:
    if raw is None:
        parser.malformed += 1
        return None
    system = parser.word(raw.os)
    if not is_platform(system):
        return None
    return Platform(
        parser.digest(raw.digest),
        system,
        parser.word(raw.architecture),
        parser.word(raw.variant),
        parser.size(raw.size),
        parser.time_or_never(raw.pulled),
        parser.time(raw.updated),
    )


def _image(raw: WireImage | None, parser: FieldParser) -> ListedImage | None:
    name = parser.name(raw and raw.name)
    if raw is None or name is None:
        return None
    pull_count, updated = parser.size(raw.pull_count), parser.time(raw.last_updated)
    if isinstance(raw, WireImageV3):
        return ListedImageV3(name, pull_count, updated, parser.time_or_never(raw.pulled))
    return ListedImage(name, pull_count, updated)


def _registry(raw: WireRegistry | None, parser: FieldParser) -> ListedRegistry | None:
    name = parser.name(raw and raw.name)
    if raw is None or name is None:
        return None
    switched_off = parser.flag(raw.public_host_enabled) is False
    return ListedRegistry(
        name,
        None if switched_off else parser.host(raw.public_host),
        parser.host(raw.private_host),
        parser.flag(raw.public),
        parser.flag(raw.scan_on_push),
    )
