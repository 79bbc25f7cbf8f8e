"""The bytes of one page → records as they were sent, not yet looked at.

Two ways to the same result. The fast one decodes into typed structs and covers every answer the
documentation shows. msgspec refuses a whole page for one NaN, lone surrogate or wrong type; there
the slow one decodes into plain values, so that one bad field does not cost the records beside it.
"""

import json
from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.ncr.vocabulary import COUNT, NEXT, RESULTS

Record = TypeVar("Record")
Number = int | float | str | None
Flag = bool | int | str | None


class WirePlatform(msgspec.Struct, rename={"pulled": "latest_pulled"}, gc=False):
    """An item of `images[]`."""

    digest: str | None = None
    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    size: Number = None
    pulled: Number = None
    updated: Number = None


class WireTag(msgspec.Struct, rename={"platforms": "images"}, gc=False):
    """An item of the tag list's `results[]`."""

    name: str | None = None
    digest: str | None = None
    full_size: Number = None
    last_updated: Number = None
    platforms: list[WirePlatform | None] | None = None


class WireImage(msgspec.Struct, gc=False):
    """An item of the image list's `results[]`."""

    name: str | None = None
    pull_count: Number = None
    last_updated: Number = None


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
    public_host_enabled: Flag = None
    private_host: str | None = None
    public: Flag = None
    scan_on_push: Flag = None


class WirePage(msgspec.Struct, Generic[Record], gc=False):
    """What all list operations answer."""

    results: list[Record]
    count: Number = None
    next: Number = None


class RawRecord(NamedTuple):
    """A record for those who judge the API itself."""

    sent: Mapping[str, Any]
    """Under the names that the API gives."""
    fields: Any
    """A `WireTag`, `WireImage`, `WireRegistry` or `WirePlatform`; `MISSING` is not sent."""


class RawPage(NamedTuple):
    """A page for those who judge the API itself."""

    records: list[RawRecord]
    """Those that are objects."""
    held: int
    """How many items the page has, whatever they are."""
    told_count: object
    told_next: object
    """`count` and `next` as sent."""


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
    """Return the page that a list operation answered; items that are no objects are None.

    Raises:
        MalformedError: it is not a page.
    """
    try:
        return _DECODERS[operation].decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        content = _plain_page(body)
    records = [_loose(_STRUCTS[operation], item) for item in content[RESULTS]]
    return WirePage(records, content.get(COUNT), content.get(NEXT))


def decode_raw(operation: Operation, body: bytes) -> RawPage:
    """Return the page that a list operation answered, with what was sent beside what it means.

    Raises:
        MalformedError: it is not a page.
    """
    content = _plain_page(body)
    struct = _STRUCTS[operation]
    records = [
        RawRecord(item, _loose(struct, item, MISSING))
        for item in content[RESULTS]
        if isinstance(item, dict)
    ]
    return RawPage(records, len(content[RESULTS]), content.get(COUNT), content.get(NEXT))


def raw_platforms(tag: RawRecord) -> list[RawRecord]:
    """Return the platforms of a tag that are objects."""
    platforms = tag.sent.get(_PLATFORMS)
    items = platforms if isinstance(platforms, list) else []
    return [
        RawRecord(item, _loose(WirePlatform, item, MISSING))
        for item in items
        if isinstance(item, dict)
    ]


def _plain_page(body: bytes) -> dict[str, Any]:
    """Decode without types; fields keep whatever they hold, for the parser to judge."""
    try:
        content = json.loads(body)
    except RecursionError:
        raise MalformedError("the answer is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise MalformedError(_not_text(error, body)) from None
    except ValueError:
        raise MalformedError(_not_json(body)) from None
    if not isinstance(content, dict) or not isinstance(content.get(RESULTS), list):
        raise MalformedError(f"the answer is JSON, but not a page: it has no list `{RESULTS}`")
    return content


def _not_text(error: UnicodeDecodeError, body: bytes) -> str:
    """Say where the encoding is wrong; where only the last letter is, it was cut."""
    if error.reason in {"unexpected end of data", "truncated data"}:
        return _not_json(body)
    near = body[max(0, error.start - 20) : error.start + 20].decode("latin-1")
    return f"the answer is not text in {error.encoding.upper()}: at byte {error.start}, {near!r}"


def _not_json(body: bytes) -> str:
    if not body.strip():
        return "the answer is empty"
    kind = "HTML" if body.lstrip()[:1] == b"<" else "not JSON, or cut short"
    return f"the answer is {kind}: it starts with {body[:40].decode('latin-1')!r}"


def _loose(struct: type[msgspec.Struct], item: object, missing: object = None) -> Any:  # noqa: ANN401 -- of the struct given
    """Fill `struct` from a plain object without looking at its values; None for anything else."""
    if not isinstance(item, dict):
        return None
    names = zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True)
    record = struct(**{field: item.get(key, missing) for field, key in names})
    if isinstance(record, WireTag) and record.platforms not in (None, missing):
        platforms: object = record.platforms
        items = platforms if isinstance(platforms, list) else [None]
        record.platforms = [_loose(WirePlatform, platform) for platform in items]
    return record
