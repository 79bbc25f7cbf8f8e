"""The bytes of one page → clean records.

Two ways to the same result. The fast one decodes into typed structs and covers every answer the
documentation shows. msgspec refuses a whole page for one NaN, lone surrogate or wrong type; there
the slow one decodes into plain values, so that one bad field does not cost the records beside it.
"""

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from ncr_exporter.inventory import Platform, Tag
from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.fields import Cleaner, page_number

Record = TypeVar("Record")
Struct = TypeVar("Struct", bound=msgspec.Struct)
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


class WireTag(msgspec.Struct, gc=False):
    """An item of the tag list's `results[]`."""

    name: str | None = None
    digest: str | None = None
    full_size: Number = None
    last_updated: Number = None
    images: list[WirePlatform | None] | None = None


class WireImage(msgspec.Struct, gc=False):
    """An item of the image list's `results[]`."""

    name: str | None = None
    pull_count: Number = None


class WireRegistry(msgspec.Struct, gc=False):
    """An item of the registry list's `results[]`."""

    name: str | None = None
    end_point: str | None = None
    end_point_enabled: Flag = None
    private_end_point: str | None = None
    public_reg_status: Flag = None


class WirePage(msgspec.Struct, Generic[Record], gc=False):
    """What all list operations answer."""

    results: list[Record]
    count: Number = None
    next: Number = None


class Page(msgspec.Struct, Generic[Record]):
    """One page, cleaned."""

    records: tuple[Record, ...]
    """A tuple, which the garbage collector comes to leave alone: it is kept as long as the list."""
    next: int | None
    count: int | None
    left_out: int
    """Records without a usable name."""
    malformed: int
    """Those, and fields that became unknown."""


class ListedImage(msgspec.Struct, frozen=True, gc=False):
    """An image as its registry lists it."""

    name: str
    pull_count: int | None = None
    """All pulls so far."""


class ListedRegistry(msgspec.Struct, frozen=True, gc=False):
    """A registry as its account lists it."""

    name: str
    public_host: str | None = None
    """Where to pull from; None where it is switched off or not named."""
    private_host: str | None = None
    public: bool | None = None
    """Whether anyone may pull without logging in."""


_ENCODER = msgspec.json.Encoder()
_TAGS = msgspec.json.Decoder(WirePage[WireTag])
_IMAGES = msgspec.json.Decoder(WirePage[WireImage])
_REGISTRIES = msgspec.json.Decoder(WirePage[WireRegistry])


def tag_page(body: bytes, now_ms: float) -> Page[Tag]:
    """Return a page of the tag list; `now_ms` tells which times are too far away.

    Raises:
        MalformedError: it is not a page, or has records of which none is usable.
    """
    return _clean_page(_decoded(_TAGS, body, _loose_tag), _clean_tag, now_ms)


def tag_page_of(tags: Iterable[Tag]) -> bytes:
    """Return the page that `tag_page` reads these tags from; unknown stays unknown."""
    return _ENCODER.encode(WirePage([_wire_tag(tag) for tag in tags]))


def _wire_tag(tag: Tag) -> WireTag:
    platforms: list[WirePlatform | None] = [
        WirePlatform(
            digest=platform.digest,
            os=platform.os,
            architecture=platform.architecture,
            variant=platform.variant,
            size=platform.size,
            pulled=platform.pulled,
            updated=platform.updated,
        )
        for platform in tag.platforms
    ]
    return WireTag(tag.name, tag.digest, tag.full_size, tag.last_updated, platforms)


def image_page(body: bytes, now_ms: float) -> Page[ListedImage]:
    """Return a page of the image list; as `tag_page`."""
    page = _decoded(_IMAGES, body, partial(_loose, WireImage))
    return _clean_page(page, _clean_image, now_ms)


def registry_page(body: bytes, now_ms: float) -> Page[ListedRegistry]:
    """Return a page of the registry list; as `tag_page`."""
    page = _decoded(_REGISTRIES, body, partial(_loose, WireRegistry))
    return _clean_page(page, _clean_registry, now_ms)


def _decoded(
    decoder: "msgspec.json.Decoder[WirePage[Any]]",
    body: bytes,
    loose: Callable[[object], Any],
) -> WirePage[Any]:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _plain_page(body, loose)


def _clean_page(
    page: WirePage[Any], clean: Callable[[Any, Cleaner], Record | None], now_ms: float
) -> Page[Record]:
    cleaner = Cleaner(now_ms)
    cleaned = (clean(raw, cleaner) for raw in page.results)
    records = tuple([record for record in cleaned if record is not None])
    if page.results and not records:
        raise MalformedError(f"none of the {len(page.results)} records of a page is usable")
    try:
        following = page_number(page.next)
    except ValueError as error:
        raise MalformedError(f"not a page of a list: {error}") from None
    left_out = len(page.results) - len(records)
    return Page(records, following, cleaner.size(page.count), left_out, cleaner.malformed)


def _clean_tag(raw: WireTag | None, cleaner: Cleaner) -> Tag | None:
    name = cleaner.name(raw and raw.name)
    if raw is None or name is None:
        return None
    platforms = [
        platform
        for item in raw.images or ()
        if (platform := _clean_platform(item, cleaner)) is not None
    ]
    return Tag(
        name,
        cleaner.digest(raw.digest),
        cleaner.size(raw.full_size),
        cleaner.time(raw.last_updated),
        tuple(platforms),
    )


def _clean_platform(raw: WirePlatform | None, cleaner: Cleaner) -> Platform | None:
    if raw is None:
        cleaner.malformed += 1
        return None
    return Platform(
        cleaner.digest(raw.digest),
        cleaner.word(raw.os),
        cleaner.word(raw.architecture),
        cleaner.word(raw.variant),
        cleaner.size(raw.size),
        cleaner.time_or_never(raw.pulled),
        cleaner.time(raw.updated),
    )


def _clean_image(raw: WireImage | None, cleaner: Cleaner) -> ListedImage | None:
    name = cleaner.name(raw and raw.name)
    if raw is None or name is None:
        return None
    return ListedImage(name, cleaner.size(raw.pull_count))


def _clean_registry(raw: WireRegistry | None, cleaner: Cleaner) -> ListedRegistry | None:
    name = cleaner.name(raw and raw.name)
    if raw is None or name is None:
        return None
    switched_off = cleaner.flag(raw.end_point_enabled) is False
    return ListedRegistry(
        name,
        None if switched_off else cleaner.host(raw.end_point),
        cleaner.host(raw.private_end_point),
        cleaner.flag(raw.public_reg_status),
    )


def _plain_page(body: bytes, loose: Callable[[object], Record | None]) -> WirePage[Record | None]:
    """Decode without types; fields keep whatever they hold, for the cleaner to judge."""
    try:
        content = json.loads(body)
    except RecursionError:
        raise MalformedError("the answer is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise MalformedError(_not_text(error, body)) from None
    except ValueError:
        raise MalformedError(_not_json(body)) from None
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, list):
        raise MalformedError("the answer is JSON, but not a page: it has no list `results`")
    return WirePage([loose(item) for item in results], content.get("count"), content.get("next"))


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


def _loose(struct: type[Struct], item: object) -> Struct | None:
    """Fill `struct` from a plain object without looking at its values; None for anything else."""
    if not isinstance(item, dict):
        return None
    names = zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True)
    return struct(**{field: item.get(key) for field, key in names})


def _loose_tag(item: object) -> WireTag | None:
    tag = _loose(WireTag, item)
    if tag is not None and tag.images is not None:
        platforms: object = tag.images
        items = platforms if isinstance(platforms, list) else [None]
        tag.images = [_loose(WirePlatform, platform) for platform in items]
    return tag
