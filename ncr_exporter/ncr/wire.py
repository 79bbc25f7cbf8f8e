"""The bytes of one page → records with their fields as sent, not yet cleaned.

There are two decoders. The fast one decodes into typed structs, and reads all that the vendor
documents. But msgspec refuses a whole page for one NaN, lone surrogate or wrong type. Then the slow
one decodes into plain values, so that one malformed field does not cost the other records.
"""

import json
from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.ncr.vocabulary import COUNT, NEXT, RESULTS
from ncr_exporter.texts import failures

Record = TypeVar("Record")
WireNumber = int | float | str | None
WireFlag = bool | int | str | None


class WirePlatform(msgspec.Struct, rename={"pulled": "latest_pulled"}, gc=False):
    """An item of `images[]`."""

    digest: str | None = None
    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    size: WireNumber = None
    pulled: WireNumber = None
    updated: WireNumber = None


class WireTag(msgspec.Struct, rename={"platforms": "images"}, gc=False):
    """An item of the tag list's `results[]`."""

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
    sent_count: object
    """`count` as sent."""
    sent_next: object
    """`next` as sent."""


MISSING = msgspec.UNSET
_PLATFORMS = "images"

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
        return _DECODERS[operation].decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        content = _plain_page(body)
    records = [_untyped(_STRUCTS[operation], item) for item in content[RESULTS]]
    return WirePage(records, content.get(COUNT), content.get(NEXT))


def decode_raw(operation: Operation, body: bytes) -> RawPage:
    """Return the page in the body of a response, with its records as sent.

    Raises:
        MalformedError: the body is not a page.
    """
    content = _plain_page(body)
    struct = _STRUCTS[operation]
    records = [
        RawRecord(item, _untyped(struct, item, MISSING))
        for item in content[RESULTS]
        if isinstance(item, dict)
    ]
    return RawPage(records, len(content[RESULTS]), content.get(COUNT), content.get(NEXT))


def raw_platforms(tag: RawRecord) -> list[RawRecord]:
    """Return a tag's platforms as sent, those that are objects."""
    platforms = tag.sent.get(_PLATFORMS)
    items = platforms if isinstance(platforms, list) else []
    return [
        RawRecord(item, _untyped(WirePlatform, item, MISSING))
        for item in items
        if isinstance(item, dict)
    ]


def _plain_page(body: bytes) -> dict[str, Any]:
    """Return a page decoded without types: fields may hold anything."""
    try:
        content = json.loads(body)
    except RecursionError:
        raise MalformedError(failures.NESTED()) from None
    except UnicodeDecodeError as error:
        raise MalformedError(_not_text(error, body)) from None
    except ValueError:
        raise MalformedError(_not_json(body)) from None
    if not isinstance(content, dict) or not isinstance(content.get(RESULTS), list):
        raise MalformedError(failures.NO_LIST(field=RESULTS))
    return content


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


def _untyped(struct: type[msgspec.Struct], item: object, missing: object = None) -> Any:  # noqa: ANN401 -- of the struct given
    """Return a `struct` filled with unchecked values, or None if `item` is not an object.

    Args:
        struct: the record's type.
        item: the decoded JSON value.
        missing: in place of fields that were not sent.
    """
    if not isinstance(item, dict):
        return None
    names = zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True)
    record = struct(**{field: item.get(key, missing) for field, key in names})
    if isinstance(record, WireTag) and record.platforms not in (None, missing):
        platforms: object = record.platforms
        items = platforms if isinstance(platforms, list) else [None]
        record.platforms = [_untyped(WirePlatform, platform) for platform in items]
    return record
