"""The bytes of one page of version 3 → records with their fields as sent, not yet cleaned.

The vendor's pages of version 3 describe the records of each list, but not the envelope around them.
Pages of sister services hold `totalElements`, `totalPages`, `pageNo` and `pageSize`. So the items
are looked for under the likely names, else in the only array of objects; those numbers are looked
for beside them, and in the objects beside them.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec

from ncr_exporter.ncr.datetimes import DateTimeParser
from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.ncr.vocabulary import ERROR, RETURN_CODE, TOTALS
from ncr_exporter.ncr.wire import (
    RawPage,
    WireFlag,
    WireFormat,
    WireImage,
    WireNumber,
    WirePage,
    WirePlatform,
    WirePull,
    WireRegistry,
    WireTag,
    plain,
    raw_page,
    refuse_error,
    untyped,
)
from ncr_exporter.texts import failures


class WirePlatformV3(
    WirePlatform,
    rename={"pulled": "lastPulledDateTime", "updated": "updatedDateTime"},
    gc=False,
):
    """An item of a tag's `images[]`. Of a pull null and missing say different things."""

    pulled: WirePull = msgspec.UNSET
    updated: WireNumber = None


class WireTagV3(
    WireTag,
    rename={"full_size": "fullSize", "last_updated": "updatedDateTime", "platforms": "images"},
    gc=False,
):
    """An item of the tag list."""

    platform: ClassVar[type[WirePlatform]] = WirePlatformV3
    full_size: WireNumber = None
    last_updated: WireNumber = None
    platforms: list[WirePlatformV3 | None] | None = None  # type: ignore[assignment] # narrower: the decoder reads the type


class WireImageV3(
    WireImage,
    rename={
        "pull_count": "pullCount",
        "last_updated": "lastPushedDateTime",
        "pulled": "lastPulledDateTime",
    },
    gc=False,
):
    """An item of the image list. Of a pull null and missing say different things."""

    pull_count: WireNumber = None
    last_updated: WireNumber = None
    pulled: WirePull = msgspec.UNSET


class WireRegistryV3(
    WireRegistry,
    rename={
        "public_host": "publicEndpointHost",
        "public_host_enabled": "publicEndpointEnabled",
        "private_host": "privateEndpointHost",
        "public": "publicRegistryEnabled",
        "scan_on_push": "scanOnPushEnabled",
    },
    gc=False,
):
    """An item of the registry list."""

    public_host: str | None = None
    public_host_enabled: WireFlag = None
    private_host: str | None = None
    public: WireFlag = None
    scan_on_push: WireFlag = None


_STRUCTS: Mapping[Operation, type[msgspec.Struct]] = {
    "tag_list": WireTagV3,
    "image_list": WireImageV3,
    "registry_list": WireRegistryV3,
}
_ITEMS: Mapping[Operation, msgspec.json.Decoder[list[Any]]] = {
    "tag_list": msgspec.json.Decoder(list[WireTagV3]),
    "image_list": msgspec.json.Decoder(list[WireImageV3]),
    "registry_list": msgspec.json.Decoder(list[WireRegistryV3]),
}
_ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PLURALS: Mapping[Operation, str] = {
    "tag_list": "tags",
    "image_list": "images",
    "registry_list": "registries",
}
_LIKELY: Mapping[Operation, tuple[str, ...]] = {
    operation: ("content", "items", plural, "results", "elements", "data", "list")
    for operation, plural in _PLURALS.items()
}
"""Operation → the likely names of the items, the likeliest first."""
_LONGEST_SHOWN = 40


class _Envelope(NamedTuple):
    items: list[Any]
    totals: Mapping[str, Any]
    """Those of `TOTALS` that the page has."""
    shape: str


def decode(operation: Operation, body: bytes) -> WirePage[Any]:
    """Return the page in the body of a response; an item that is not an object is None.

    Raises:
        MalformedError: the body is not a page.
    """
    found = _typed(operation, body)
    if found is not None:
        return found
    envelope = _envelope(operation, plain(body))
    records = [untyped(_STRUCTS[operation], item) for item in envelope.items]
    return _page(records, envelope.totals)


def decode_raw(operation: Operation, body: bytes) -> RawPage:
    """Return the page in the body of a response, with its records as sent.

    Raises:
        MalformedError: the body is not a page.
    """
    items, totals, shape = _envelope(operation, plain(body))
    return raw_page(_STRUCTS[operation], items, _page([], totals), shape)


def _typed(operation: Operation, body: bytes) -> WirePage[Any] | None:
    """Return the page decoded into structs; None if its items have no likely name or wrong types.

    The envelope's values are left undecoded first: which of them are the items follows from all of
    them.

    Raises:
        MalformedError: it holds an error.
    """
    try:
        values = _ENVELOPE.decode(body)
        key = next((key for key in _LIKELY[operation] if _is_array(values.get(key))), None)
        if key is None:
            return None
        records = _ITEMS[operation].decode(values.pop(key))
        beside = {name: msgspec.json.decode(value) for name, value in values.items()}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    refuse_error(beside.get(ERROR), beside.get(RETURN_CODE))
    return _page(records, _totals(beside)[0])


def _is_array(value: msgspec.Raw | None) -> bool:
    return value is not None and memoryview(value)[0] == ord("[")


def _page(records: list[Any], totals: Mapping[str, Any]) -> WirePage[Any]:
    count, pages, number = (totals.get(name) for name in TOTALS[:3])
    return WirePage(records, count, None, pages, number)


def _envelope(operation: Operation, content: object) -> _Envelope:
    """Return the items of a page, wherever they stand.

    Raises:
        MalformedError: there are none, they may be in one of several arrays, or there is an error.
    """
    if isinstance(content, list):
        return _Envelope(content, {}, "a bare array")
    if not isinstance(content, dict):
        raise MalformedError(failures.NO_OBJECT())
    refuse_error(content.get(ERROR), content.get(RETURN_CODE))
    key, around = _items_key(operation, content), ""
    if key is None:
        content, around = _unwrapped(operation, content)
        refuse_error(content.get(ERROR), content.get(RETURN_CODE))
        key = _items_key(operation, content)
    if key is None:
        raise MalformedError(failures.NO_ONE_LIST())
    totals, place = _totals({name: content[name] for name in content if name != key})
    names = ", ".join(f"`{name}`" for name in TOTALS if name in totals) or "no totals"
    shape = f"items in `{around}{_shown(key)}`, {names}{place and f' in `{around}{place}`'}"
    return _Envelope(content[key], totals, shape)


def _unwrapped(operation: Operation, content: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the only object of a page that has items, and its name for `shape`."""
    inner = [
        (value, f"{_shown(name)}.")
        for name, value in content.items()
        if isinstance(value, dict) and _items_key(operation, value) is not None
    ]
    return inner[0] if len(inner) == 1 else ({}, "")


def _items_key(operation: Operation, content: Mapping[str, Any]) -> str | None:
    """Return the key of the items: the likeliest name, else that of the only array of objects.

    Where no array holds an object the list is empty, and any empty array stands for it.
    """
    arrays = [key for key, value in content.items() if isinstance(value, list)]
    likely = next((key for key in _LIKELY[operation] if key in arrays), None)
    if likely is not None:
        return likely
    of_objects = [key for key in arrays if any(isinstance(item, dict) for item in content[key])]
    empty = [key for key in arrays if not content[key]]
    candidates = of_objects or empty[:1] or arrays
    return candidates[0] if len(candidates) == 1 else None


def _totals(beside: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """Return what a page says about its list, and the name of the object that holds it, if any."""
    objects = [(value, name) for name, value in beside.items() if isinstance(value, dict)]
    for values, place in [(beside, ""), *objects]:
        totals = {name: values[name] for name in TOTALS if name in values}
        if totals:
            return totals, place and _shown(place)
    return {}, ""


def _shown(name: str) -> str:
    """Return a name of the API's for a line of text."""
    return name if name.isidentifier() else ascii(name)[:_LONGEST_SHOWN]


V3_WIRE = WireFormat(decode, decode_raw, DateTimeParser)
