"""States → lines of the state file, and back. Pure.

A line holds tags of an image as a page of the API's tag list. The decoder of real answers reads it
back, so a tampered file can put nothing into the program that the API could not. A long listing
takes several lines, so that no line is long.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from ncr_exporter.inventory import Tag, TagList
from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.fields import FieldParser
from ncr_exporter.ncr.pages import Activity, encode_tags, tag_page
from ncr_exporter.ncr.paths import RegistryPath
from ncr_exporter.state.model import DeletedImage, Description, Hosts, ImageState, RegistryState
from ncr_exporter.state.saved import SavedImage, SavedRegistry, SavedState
from ncr_exporter.targets.targets import Coverage, RegistryIdentity

_CLOCK_TOLERANCE = 300.0
"""Seconds that saved data may lie in the future: clocks are set back by minutes, not by days."""
_RECORDS_PER_LINE = 1000
"""Tags and platforms. A thread keeps the interpreter for the 2 ms that encoding them takes."""


class ImageLine(msgspec.Struct, tag="image"):
    """A line with the last complete listing of an image, or with its first tags."""

    zone: str
    registry: RegistryPath
    image: str
    at: float
    """When it was read, in seconds since the epoch."""
    page: msgspec.Raw
    """The tags as one page of the API's tag list."""
    pull_count: int | None = None
    overwritten: int = 0
    listed_at: float | None = None
    """When its tags were listed, in seconds since the epoch: `at`, or before."""
    listed_under: Activity | None = None
    """Its entry in the image list before that."""
    lines: int = 1
    """How many lines hold the listing: this one, and those that follow it."""


class MoreTagsLine(msgspec.Struct, tag="tags"):
    """A line with more tags of the image in the lines before it."""

    page: msgspec.Raw
    """The tags as one page of the API's tag list."""


class RegistryLine(msgspec.Struct, tag="registry"):
    """A line with what the lists said about a registry."""

    zone: str
    registry: RegistryPath
    at: float
    """When its image list was read, in seconds since the epoch."""
    images: int | None = None
    hosts: Hosts = ()
    public: bool | None = None
    described_at: float | None = None
    """When the registry list gave what describes it, in seconds since the epoch."""
    found_by: str | None = None
    scan_on_push: bool | None = None


class ClockLine(msgspec.Struct, tag="clock"):
    """A line with what the exporter knew of its host's clock."""

    correction: float
    """Seconds that were added to the host's time in the times of all lines."""
    at: float = 0.0
    """When the lines were written, in seconds since the epoch, corrected."""


class DeletedLine(msgspec.Struct, tag="deleted"):
    """A line with an image that was deleted in its registry."""

    zone: str
    registry: RegistryPath
    image: str
    at: float
    """When that was known, in seconds since the epoch."""


_Line = ImageLine | MoreTagsLine | RegistryLine | DeletedLine | ClockLine
_DECODER: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)
_ENCODER = msgspec.json.Encoder()
_NO_TAGS = TagList.of(())


def image_lines(state: ImageState) -> Iterator[bytes]:
    """Yield the lines of an image; none if it has no listing."""
    if state.tags is None or state.last_success is None:
        return
    registry, pages = state.target.registry, list(_pages(state.tags.tags))
    line = ImageLine(
        registry.account.zone,
        registry.path,
        state.target.name,
        state.last_success,
        msgspec.Raw(encode_tags(pages[0])),
        state.pull_count,
        state.overwritten,
        state.listed_at,
        state.listed_under,
        lines=len(pages),
    )
    yield _ENCODER.encode(line) + b"\n"
    for page in pages[1:]:
        yield _ENCODER.encode(MoreTagsLine(msgspec.Raw(encode_tags(page)))) + b"\n"


def _pages(tags: tuple[Tag, ...]) -> Iterator[tuple[Tag, ...]]:
    """Yield the tags by as many as a line holds; at least one page."""
    start = records = 0
    for position, tag in enumerate(tags):
        records += 1 + len(tag.platforms)
        if records > _RECORDS_PER_LINE and position > start:
            yield tags[start:position]
            start, records = position, 1 + len(tag.platforms)
    yield tags[start:]


def registry_line(state: RegistryState) -> bytes | None:
    """Return the line of a registry, or None if its image list was never read."""
    target = state.target
    if state.last_success is None or target.is_every:
        return None
    told = state.description
    line = RegistryLine(
        target.account.zone,
        target.path,
        state.last_success,
        state.images,
        hosts=state.hosts,
        public=told.public if told else None,
        described_at=told.at if told else None,
        found_by=target.found_by,
        scan_on_push=told.scan_on_push if told else None,
    )
    return _ENCODER.encode(line) + b"\n"


def deleted_line(deleted: DeletedImage) -> bytes:
    """Return the line of an image that was deleted."""
    registry = deleted.target.registry
    line = DeletedLine(registry.account.zone, registry.path, deleted.target.name, deleted.at)
    return _ENCODER.encode(line) + b"\n"


def clock_line(correction: float, at: float) -> bytes:
    """Return the line with the seconds that are added to the host's time in all times.

    It is the first line; all lines are of the moment `at` or before (s, corrected).
    """
    return _ENCODER.encode(ClockLine(correction, at)) + b"\n"


@dataclass
class _Unfinished:
    """An image of which lines are still to come."""

    identity: RegistryIdentity
    name: str
    saved: SavedImage
    """All but its tags."""
    tags: list[Tag]
    lines: int
    """How many are still to come."""


class LineReader:
    """Collects what the lines of a state file hold, one after the other."""

    def __init__(self, saved: SavedState, now: float, coverage: Coverage | None = None) -> None:
        """Add to `saved`; `now` is this host's time in seconds since the epoch.

        With `coverage`, images that it does not cover are left out.
        """
        self._saved = saved
        self._now = now
        self._coverage = coverage
        self._unfinished: _Unfinished | None = None

    def add(self, encoded: bytes) -> None:
        """Add the next line; one that cannot be used is counted."""
        try:
            line = _DECODER.decode(encoded)
            if isinstance(line, MoreTagsLine):
                self._add_tags(line)
                return
            self._give_up_unfinished()
            if isinstance(line, ClockLine):
                self._saved.correction = _correction(line, self._now)
                self._now += self._saved.correction
                return
            for name in (line.registry.label, line.registry.name):
                _name(name)  # requests for a registry that a list had found will hold this name
            self._add(line, (line.zone, line.registry))
        except (msgspec.MsgspecError, MalformedError, ValueError, RecursionError):
            self._saved.refused += 1
            self._unfinished = None

    def finish(self) -> SavedState:
        """Return all that was collected."""
        self._give_up_unfinished()
        return self._saved

    def _add(
        self, line: ImageLine | RegistryLine | DeletedLine, identity: RegistryIdentity
    ) -> None:
        if isinstance(line, RegistryLine):
            self._saved.registries[identity] = _saved_registry(line, self._now)
            return
        name = _name(line.image)
        if self._coverage is not None and self._coverage.image(identity, name) is None:
            return
        if isinstance(line, DeletedLine):
            at = _moment(line.at, self._now)
            self._saved.deleted.setdefault(identity, {})[name] = at
            return
        if name in self._saved.images.get(identity, {}):
            raise ValueError("an image that stands there already")
        tags = list(tag_page(bytes(line.page), self._now * 1000).records)
        saved = _saved_image(line, self._now)
        self._unfinished = _Unfinished(identity, name, saved, tags, line.lines)
        self._count_line(self._unfinished)

    def _add_tags(self, line: MoreTagsLine) -> None:
        unfinished = self._unfinished
        if unfinished is None:
            return  # of an image that is not covered, or was refused
        unfinished.tags += tag_page(bytes(line.page), self._now * 1000).records
        self._count_line(unfinished)

    def _count_line(self, unfinished: _Unfinished) -> None:
        unfinished.lines -= 1
        if unfinished.lines <= 0:
            self._unfinished = None
            by_name = {tag.name: tag for tag in unfinished.tags}
            saved = replace(unfinished.saved, tags=TagList.of(by_name.values()))
            self._saved.images.setdefault(unfinished.identity, {})[unfinished.name] = saved

    def _give_up_unfinished(self) -> None:
        """Count an image as refused if some of its lines are missing."""
        self._saved.refused += self._unfinished is not None
        self._unfinished = None


def _correction(line: ClockLine, now: float) -> float:
    """Return the seconds to add to this host's time `now` to have that of the lines.

    That is what was added when they were written, or nothing if the clock was set right since then:
    the one by which they are the younger, and not from the future.
    """
    known = [0.0, *([line.correction] if math.isfinite(line.correction) else [])]
    past = [correction for correction in known if line.at <= now + correction + _CLOCK_TOLERANCE]
    return min(past, key=lambda correction: now + correction - line.at, default=0.0)


def _saved_image(line: ImageLine, now: float) -> SavedImage:
    """Return what the first line of an image says besides its tags."""
    pull_count = FieldParser(now * 1000).size(line.pull_count)
    listed_at = None if line.listed_at is None else _moment(line.listed_at, now)
    return SavedImage(
        _NO_TAGS,
        _moment(line.at, now),
        pull_count,
        max(0, line.overwritten),
        listed_at,
        line.listed_under,
    )


def _saved_registry(line: RegistryLine, now: float) -> SavedRegistry:
    images = FieldParser(now * 1000).size(line.images)
    at, description = _moment(line.at, now), _description(line, now)
    return SavedRegistry(at, images, description, line.found_by)


def _description(line: RegistryLine, now: float) -> Description | None:
    """Return what the registry list said; None if its time is missing or in the future.

    The rest of the line may still be right: the clock may have been set between the two lists.
    """
    at = line.described_at
    if at is None or not _is_past(at, now):
        return None
    hosts = dict.fromkeys(_hosts(line.hosts, FieldParser(now * 1000)))
    return Description(at, tuple(hosts), line.public, line.scan_on_push)


def _hosts(hosts: Hosts, parser: FieldParser) -> Iterator[tuple[str, str]]:
    for host, endpoint in hosts:
        clean = parser.host(host)
        if clean is not None and endpoint in {"public", "private"}:
            yield clean, endpoint


def _name(name: str) -> str:
    """Return a name.

    Raises:
        ValueError: no answer of the API could hold this name.
    """
    clean = FieldParser(0).name(name)
    if clean is None:
        raise ValueError("no usable name")
    return clean


def _moment(at: float, now: float) -> float:
    """Return a time.

    Raises:
        ValueError: it lies in the future.
    """
    if not _is_past(at, now):
        raise ValueError("from the future")
    return at


def _is_past(at: float, now: float) -> bool:
    return math.isfinite(at) and at <= now + _CLOCK_TOLERANCE
