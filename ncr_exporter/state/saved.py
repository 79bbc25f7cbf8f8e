"""States → lines of JSON, and back. Pure.

An image's tags are kept as the page of a tag list that the API would answer, and read by the very
decoder that reads those: what could not come from the API cannot come from a file.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.fields import FieldParser
from ncr_exporter.ncr.pages import encode_tags, tag_page
from ncr_exporter.ncr.paths import RegistryPath
from ncr_exporter.state.model import Description, Hosts, ImageState, RegistryState
from ncr_exporter.targets.targets import ImageTarget, RegistryListTarget, RegistryTarget

_TOLERATED = 300.0
"""Seconds that data may come from the future: clocks are set back a little, not by days."""

Place = tuple[str, RegistryPath]
"""Zone and path: what makes a registry the same one."""


class ImageRecord(msgspec.Struct, tag="image"):
    """One line: an image's last complete listing."""

    zone: str
    registry: RegistryPath
    image: str
    at: float
    """When it was read, in seconds since the epoch."""
    page: msgspec.Raw
    """As the API's tag list would answer."""
    pull_count: int | None = None


class RegistryRecord(msgspec.Struct, tag="registry"):
    """One line: what the lists said of a registry."""

    zone: str
    registry: RegistryPath
    at: float
    """When its image list was read, in seconds since the epoch."""
    images: int | None = None
    hosts: Hosts = ()
    public: bool | None = None
    described_at: float | None = None
    """When the registry list said the two before, in seconds since the epoch."""
    found_by: str | None = None


@dataclass(frozen=True)
class SavedImage:
    """An image as it was."""

    tags: tuple[Tag, ...]
    at: float
    pull_count: int | None


@dataclass(frozen=True)
class SavedRegistry:
    """A registry as it was."""

    at: float
    images: int | None
    description: Description | None
    found_by: str | None


@dataclass
class SavedState:
    """Everything that was kept, by where it was; the configuration decides what of it is used."""

    registries: dict[Place, SavedRegistry] = field(default_factory=dict)
    images: dict[Place, dict[str, SavedImage]] = field(default_factory=dict)
    refused: int = 0
    """Lines that held nothing usable."""

    def image(self, target: ImageTarget, now: float) -> SavedImage | None:
        """Return what was kept of an image, unless it is too old by now (s)."""
        kept = self.images.get(place_of(target.registry), {}).get(target.name)
        return kept if kept and now - kept.at < target.timing.expire_after else None

    def registry(self, target: RegistryTarget, now: float) -> SavedRegistry | None:
        """Return what its image list said of a registry, unless it is too old by now (s)."""
        kept = self.registries.get(place_of(target))
        return kept if kept and now - kept.at < target.timing.expire_after else None

    def description(self, target: RegistryTarget, now: float) -> Description | None:
        """Return what the registry list said of a registry, unless it is too old by now (s)."""
        registry = self.registries.get(place_of(target))
        kept = registry and registry.description
        return kept if kept and now - kept.at < target.timing.expire_after else None

    def images_of(self, target: RegistryTarget) -> Iterable[str]:
        """Return the names of a registry's images."""
        return self.images.get(place_of(target), {})

    def found_by(self, catalog: RegistryListTarget) -> Iterator[str]:
        """Yield the names of the registries that a catalog's list had found."""
        for (zone, path), kept in self.registries.items():
            here = (zone, path.prefix) == (catalog.account.zone, catalog.prefix)
            if here and kept.found_by == catalog.label:
                yield path.name

    def clear(self) -> None:
        """Forget everything: what was wanted of it was taken."""
        self.registries.clear()
        self.images.clear()


_Line = ImageRecord | RegistryRecord
_DECODER = msgspec.json.Decoder(_Line)
_ENCODER = msgspec.json.Encoder()


def place_of(target: RegistryTarget) -> Place:
    """Return where a registry is."""
    return (target.account.zone, target.path)


def image_line(state: ImageState) -> bytes | None:
    """Return an image's line, or None where there is nothing to keep."""
    if state.tags is None or state.last_success is None:
        return None
    registry = state.target.registry
    page = msgspec.Raw(encode_tags(state.tags))
    record = ImageRecord(
        registry.account.zone,
        registry.path,
        state.target.name,
        state.last_success,
        page,
        state.pull_count,
    )
    return _ENCODER.encode(record) + b"\n"


def registry_line(state: RegistryState) -> bytes | None:
    """Return a registry's line, or None where there is nothing to keep."""
    target = state.target
    if state.last_success is None or target.is_every:
        return None
    record = RegistryRecord(
        target.account.zone,
        target.path,
        state.last_success,
        state.images,
        state.hosts,
        state.public,
        state.described_at,
        target.found_by,
    )
    return _ENCODER.encode(record) + b"\n"


def read_lines(lines: Iterable[bytes], now: float) -> SavedState:
    """Return what lines hold; those without anything usable are counted.

    `now` is in seconds since the epoch.
    """
    kept = SavedState()
    for line in lines:
        try:
            record = _DECODER.decode(line)
            for name in (record.registry.label, record.registry.name):
                _name(name)  # a registry found by a list is asked for by the name kept
            place = (record.zone, record.registry)
            if isinstance(record, RegistryRecord):
                kept.registries[place] = _registry(record, now)
            else:
                kept.images.setdefault(place, {})[_name(record.image)] = _image(record, now)
        except (msgspec.MsgspecError, MalformedError, ValueError, RecursionError):
            kept.refused += 1
    return kept


def _image(record: ImageRecord, now: float) -> SavedImage:
    page = tag_page(bytes(record.page), now * 1000)
    tags = tuple({tag.name: tag for tag in page.records}.values())
    count = FieldParser(now * 1000).size(record.pull_count)
    return SavedImage(tags, _moment(record.at, now), count)


def _registry(record: RegistryRecord, now: float) -> SavedRegistry:
    images = FieldParser(now * 1000).size(record.images)
    at, description = _moment(record.at, now), _description(record, now)
    return SavedRegistry(at, images, description, record.found_by)


def _description(record: RegistryRecord, now: float) -> Description | None:
    """Return what the registry list said; its moment may be wrong alone, if the clock was set."""
    at = record.described_at
    if at is None or not _is_past(at, now):
        return None
    hosts = dict.fromkeys(_hosts(record.hosts, FieldParser(now * 1000)))
    return Description(at, tuple(hosts), record.public)


def _hosts(hosts: Hosts, parser: FieldParser) -> Iterator[tuple[str, str]]:
    for host, endpoint in hosts:
        clean = parser.host(host)
        if clean is not None and endpoint in {"public", "private"}:
            yield clean, endpoint


def _name(name: str) -> str:
    """Return a name that an answer could have; ValueError where it could not."""
    clean = FieldParser(0).name(name)
    if clean is None:
        raise ValueError("no usable name")
    return clean


def _moment(at: float, now: float) -> float:
    if not _is_past(at, now):
        raise ValueError("from the future")
    return at


def _is_past(at: float, now: float) -> bool:
    return math.isfinite(at) and at <= now + _TOLERATED
