"""The bytes of one page → records with their fields as sent, not yet cleaned.

There are two decoders. The fast one decodes into typed structs, and reads all that the vendor
documents. But msgspec refuses a whole page for one NaN, lone surrogate or wrong type. Then the slow
one decodes into plain values, so that one malformed field does not cost the other records.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import msgspec

from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.fields import FieldParser
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.ncr.vocabulary import COUNT, ERROR, NEXT, RESULTS, RETURN_CODE
from ncr_exporter.texts import failures

Record = TypeVar("Record")
WireNumber = int | float | str | None
WireFlag = bool | int | str | None
WirePull = WireNumber | msgspec.UnsetType
"""`UNSET` where a version tells a missing field from null."""


class WirePlatform(msgspec.Struct, rename={"pulled": "latest_pulled"}, gc=False):
    """An item of `images[]`."""

    digest: str | None = None
    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    size: WireNumber = None
    pulled: WirePull = None
    updated: WireNumber = None


class WireTag(msgspec.Struct, rename={"platforms": "images"}, gc=False):
    """An item of the tag list's `results[]`."""

    platform: ClassVar[type[WirePlatform]] = WirePlatform
    name: str | None = None
    digest: str | None = None
    full_size: WireNumber = None
    last_updated: WireNumber = None
    platforms: list[WirePlatform | None] | None = None


class WireImage(msgspec.Struct, gc=False):
    """An item of the image list's `results[]`."""

    name: str | None = None
    pull_count: WireNumber = None
    last_updated: WireNumber = None


class WireRegistry(
    msgspec.Struct,
    rename={
        "public_host": "end_point",
        "public_host_enabled": "end_point_enabled",
        "private_host": "private_end_point",
        "public": "public_reg_status",
        "scan_on_push": "scan_on_push_enabled",
    },
    gc=False,
):
    """An item of the registry list's `results[]`."""

    name: str | None = None
    public_host: str | None = None
    public_host_enabled: WireFlag = None
    private_host: str | None = None
    public: WireFlag = None
    scan_on_push: WireFlag = None


class WirePage(msgspec.Struct, Generic[Record], gc=False):
    """A page of any list."""

    results: list[Record]
    count: WireNumber = None
    next: WireNumber = None
    """The number of the next page, in version 2."""
    pages: WireNumber = msgspec.field(default=None, name="totalPages")
    """The number of pages of the list, in version 3."""
    number: WireNumber = msgspec.field(default=None, name="pageNo")
    """The number of this page, in version 3."""
    error: object = msgspec.UNSET
    """An error of the gateway; a page has none."""
    return_code: object = msgspec.field(default=msgspec.UNSET, name=RETURN_CODE)
    """An error of the service; a page has none."""


class RawRecord(NamedTuple):
    """A record as sent, to compare the API with its documentation."""

    sent: Mapping[str, Any]
    """The record under the API's own names."""
    fields: Any
    """A `WireTag`, `WireImage`, `WireRegistry` or `WirePlatform`; fields not sent are `MISSING`."""


class RawPage(NamedTuple):
    """A page as sent, to compare the API with its documentation."""

    records: list[RawRecord]
    """The items that are objects."""
    item_count: int
    """The number of items of any type."""
    page: WirePage[Any]
    """What the page says about the list, as sent; without its records."""
    shape: str
    """Where the records and those numbers stand, in the API's own names."""


@dataclass(frozen=True)
class WireFormat:
    """How a version of the API writes pages and their records."""

    decode: Callable[[Operation, bytes], WirePage[Any]]
    """Returns the page in the body of a response; an item that is not an object is None. Raises
    MalformedError for a body that is not a page."""
    decode_raw: Callable[[Operation, bytes], RawPage]
    """Returns the page with its records as sent, to compare the API with its documentation. Raises
    MalformedError for a body that is not a page."""
    parser: type[FieldParser]
    """Cleans the fields of records."""


MISSING = msgspec.UNSET
_NO_ERROR: tuple[object, ...] = (None, MISSING, False, "", {}, [])
_SUCCESSES = {"0", "200"}
"""Values of `returnCode` with which other services of the vendor say that all is well."""
_SHOWN = 200
"""Characters of an error that are shown."""
_PLATFORMS = "images"
"""A tag's platforms, in either version."""

_STRUCTS: Mapping[Operation, type[msgspec.Struct]] = {
    "tag_list": WireTag,
    "image_list": WireImage,
    "registry_list": WireRegistry,
}
_DECODERS: Mapping[Operation, msgspec.json.Decoder[WirePage[Any]]] = {
    "tag_list": msgspec.json.Decoder(WirePage[WireTag]),
    "image_list": msgspec.json.Decoder(WirePage[WireImage]),
    "registry_list": msgspec.json.Decoder(WirePage[WireRegistry]),
}


def decode(operation: Operation, body: bytes) -> WirePage[Any]:
    """Return the page in the body of a response; an item that is not an object is None.

    Raises:
        MalformedError: the body is not a page.
    """
    try:
        page = _DECODERS[operation].decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        content = _plain_page(body)
    else:
        refuse_error(page.error, page.return_code)
        return page
    records = [untyped(_STRUCTS[operation], item) for item in content[RESULTS]]
    return WirePage(records, content.get(COUNT), content.get(NEXT))


def decode_raw(operation: Operation, body: bytes) -> RawPage:
    """Return the page in the body of a response, with its records as sent.

    Raises:
        MalformedError: the body is not a page.
    """
    content = _plain_page(body)
    page = WirePage[Any]([], content.get(COUNT), content.get(NEXT))
    shape = ", ".join(f"`{key}`" for key in (RESULTS, COUNT, NEXT) if key in content)
    return raw_page(_STRUCTS[operation], content[RESULTS], page, shape)


def raw_page(
    struct: type[msgspec.Struct], items: list[Any], page: WirePage[Any], shape: str
) -> RawPage:
    """Return a page with its records as sent: those of its `items` that are objects."""
    records = [
        RawRecord(item, untyped(struct, item, MISSING)) for item in items if isinstance(item, dict)
    ]
    return RawPage(records, len(items), page, shape)


def raw_platforms(tag: RawRecord) -> list[RawRecord]:
    """Return a tag's platforms as sent, those that are objects."""
    platforms = tag.sent.get(_PLATFORMS)
    items = platforms if isinstance(platforms, list) else []
    return [
        RawRecord(item, untyped(tag.fields.platform, item, MISSING))
        for item in items
        if isinstance(item, dict)
    ]


def _plain_page(body: bytes) -> dict[str, Any]:
    """Return a page decoded without types: fields may hold anything."""
    content = plain(body)
    if isinstance(content, dict):
        refuse_error(content.get(ERROR), content.get(RETURN_CODE))
        if isinstance(content.get(RESULTS), list):
            return content
    raise MalformedError(failures.NO_LIST(field=RESULTS))


def plain(body: bytes) -> Any:  # noqa: ANN401 -- whatever JSON holds
    """Return the JSON in the body of a response, decoded without types.

    Raises:
        MalformedError: the body is not JSON.
    """
    try:
        return json.loads(body)
    except RecursionError:
        raise MalformedError(failures.NESTED()) from None
    except UnicodeDecodeError as error:
        raise MalformedError(_not_text(error, body)) from None
    except ValueError:
        raise MalformedError(_not_json(body)) from None


def refuse_error(error: object, return_code: object) -> None:
    """Refuse a body with an error, whatever else it holds: its records may not be all.

    Args:
        error: the value of `error`, where the gateway and version 3 describe an error.
        return_code: the value of `returnCode`, where the service does in version 2.

    Raises:
        MalformedError: one of them is an error.
    """
    if error not in _NO_ERROR:
        raise MalformedError(failures.ERROR_AS_PAGE(error=str(error)[:_SHOWN]))
    if return_code not in _NO_ERROR and str(return_code) not in _SUCCESSES:
        shown = str(return_code)[:_SHOWN]
        raise MalformedError(failures.CODE_AS_PAGE(field=RETURN_CODE, code=shown))


def _not_text(error: UnicodeDecodeError, body: bytes) -> str:
    """Return the message for a body that is not UTF-8; one cut within a letter is cut short."""
    if error.reason in {"unexpected end of data", "truncated data"}:
        return _not_json(body)
    near = body[max(0, error.start - 20) : error.start + 20].decode("latin-1")
    encoding = error.encoding.upper()
    return failures.NO_TEXT(encoding=encoding, position=error.start, near=near)


def _not_json(body: bytes) -> str:
    if not body.strip():
        return failures.EMPTY_ANSWER()
    text = failures.HTML_ANSWER if body.lstrip()[:1] == b"<" else failures.NO_JSON
    return text(start=body[:40].decode("latin-1"))


def untyped(struct: type[msgspec.Struct], item: object, missing: object = None) -> Any:  # noqa: ANN401 -- of the struct given
    """Return a `struct` filled with unchecked values, or None if `item` is not an object.

    Args:
        struct: the record's type.
        item: the decoded JSON value.
        missing: in place of fields that were not sent; None for their defaults.
    """
    if not isinstance(item, dict):
        return None
    names = zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True)
    if missing is None:
        record = struct(**{field: item[key] for field, key in names if key in item})
    else:
        record = struct(**{field: item.get(key, missing) for field, key in names})
    if isinstance(record, WireTag) and record.platforms not in (None, missing):
        platforms: object = record.platforms
        items = platforms if isinstance(platforms, list) else [None]
        record.platforms = [untyped(record.platform, platform) for platform in items]
    return record


V2_WIRE = WireFormat(decode, decode_raw, FieldParser)
