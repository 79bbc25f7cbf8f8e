"""States → frames of the state file, and back. Pure.

A frame is what the file holds of one registry or image. Its tags are packed as in memory. They are
checked as answers of the API are, so a tampered file can put nothing into the program that the API
could not.
"""

import math
from collections.abc import Iterator

import msgspec

from ncr_exporter.inventory import Tag, TagList, records_pulls, unpacked_safely
from ncr_exporter.ncr.fields import FieldParser
from ncr_exporter.ncr.pages import Activity
from ncr_exporter.ncr.paths import RegistryPath
from ncr_exporter.ncr.tag_checks import could_be_listed
from ncr_exporter.state.model import DeletedImage, Description, Hosts, ImageState, RegistryState
from ncr_exporter.state.saved import SavedImage, SavedRegistry

_CLOCK_TOLERANCE = 300.0
"""Seconds that saved data may lie in the future: clocks are set back by minutes, not by days."""

_MOST_TAGS = 500_000
"""Tags of one image that are read: a small file could be made to take all memory."""


class ImageFrame(msgspec.Struct, tag="image"):
    """The last complete listing of an image."""

    zone: str
    registry: RegistryPath
    image: str
    at: float
    """When it was read, in seconds since the epoch."""
    tags: tuple[bytes, ...]
    """The chunks of its `TagList`."""
    pull_count: int | None = None
    overwritten: int = 0
    listed_at: float | None = None
    """When its tags were listed, in seconds since the epoch: `at`, or before."""
    listed_under: Activity | None = None
    """Its entry in the image list before that."""


class RegistryFrame(msgspec.Struct, tag="registry"):
    """What the lists said about a registry."""

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


class ClockFrame(msgspec.Struct, tag="clock"):
    """What the exporter knew of its host's clock."""

    correction: float
    """Seconds that were added to the host's time in the times of all frames."""
    at: float = 0.0
    """When the frames were written, in seconds since the epoch, corrected."""


class DeletedFrame(msgspec.Struct, tag="deleted"):
    """An image that was deleted in its registry."""

    zone: str
    registry: RegistryPath
    image: str
    at: float
    """When that was known, in seconds since the epoch."""


Frame = ImageFrame | RegistryFrame | DeletedFrame | ClockFrame
_DECODER: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)
_ENCODER = msgspec.msgpack.Encoder()


def image_frame(state: ImageState) -> bytes | None:
    """Return the frame of an image, or None if it has no listing."""
    if state.tags is None or state.last_success is None:
        return None
    registry = state.target.registry
    frame = ImageFrame(
        registry.account.zone,
        registry.path,
        state.target.name,
        state.last_success,
        state.tags.chunks,
        state.pull_count,
        state.overwritten,
        state.listed_at,
        state.listed_under,
    )
    return _ENCODER.encode(frame)


def registry_frame(state: RegistryState) -> bytes | None:
    """Return the frame of a registry, or None if its image list was never read."""
    target = state.target
    if state.last_success is None or target.is_every:
        return None
    told = state.description
    frame = RegistryFrame(
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
    return _ENCODER.encode(frame)


def deleted_frame(deleted: DeletedImage) -> bytes:
    """Return the frame of an image that was deleted."""
    registry = deleted.target.registry
    frame = DeletedFrame(registry.account.zone, registry.path, deleted.target.name, deleted.at)
    return _ENCODER.encode(frame)


def clock_frame(correction: float, at: float) -> bytes:
    """Return the frame with the seconds that are added to the host's time in all times.

    It is the first frame; all frames are of the moment `at` or before (s, corrected).
    """
    return _ENCODER.encode(ClockFrame(correction, at))


def decoded(encoded: bytes) -> Frame:
    """Return a frame whose names a registry could have.

    Raises:
        ValueError: it is none.
    """
    try:
        frame = _DECODER.decode(encoded)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"no frame: {type(error).__name__}") from None
    if not isinstance(frame, ClockFrame):
        for name in (frame.registry.label, frame.registry.name):
            _check_name(name)  # requests for a registry that a list had found will hold this name
    if isinstance(frame, ImageFrame | DeletedFrame):
        _check_name(frame.image)
    return frame


def correction_of(frame: ClockFrame, now: float) -> float:
    """Return the seconds to add to this host's time `now` to have that of the frames.

    That is what was added when they were written, or nothing if the clock was set right since then:
    the one by which they are the younger, and not from the future.
    """
    known = [0.0, *([frame.correction] if math.isfinite(frame.correction) else [])]
    past = [correction for correction in known if frame.at <= now + correction + _CLOCK_TOLERANCE]
    return min(past, key=lambda correction: now + correction - frame.at, default=0.0)


def saved_image(frame: ImageFrame, now: float) -> tuple[SavedImage, list[Tag]]:
    """Return what the frame of an image says, read at `now` (s), and its tags unpacked.

    Raises:
        ValueError: the API could have sent no such tags, or a time lies in the future.
    """
    tags = _checked(frame.tags, now * 1000)
    saved = SavedImage(
        TagList(len(tags), records_pulls(tags), frame.tags),
        moment(frame.at, now),
        FieldParser(now * 1000).size(frame.pull_count),
        max(0, frame.overwritten),
        None if frame.listed_at is None else moment(frame.listed_at, now),
        frame.listed_under,
    )
    return saved, tags


def _checked(chunks: tuple[bytes, ...], now_ms: float) -> list[Tag]:
    """Return the tags that are packed in these chunks.

    Raises:
        ValueError: the API could have sent no such list.
    """
    listed: list[Tag] = []
    names: set[str] = set()
    for chunk in chunks:
        tags = unpacked_safely(chunk)
        listed += tags
        names.update([tag.name for tag in tags])
        if not len(names) == len(listed) <= _MOST_TAGS or not could_be_listed(tags, now_ms):
            raise ValueError("no tag list of the API")
    return listed


def saved_registry(frame: RegistryFrame, now: float) -> SavedRegistry:
    """Return what the frame of a registry says, read at `now` (s).

    Raises:
        ValueError: its time lies in the future.
    """
    images = FieldParser(now * 1000).size(frame.images)
    at, description = moment(frame.at, now), _description(frame, now)
    return SavedRegistry(at, images, description, frame.found_by)


def _description(frame: RegistryFrame, now: float) -> Description | None:
    """Return what the registry list said; None if its time is missing or in the future.

    The rest of the frame may still be right: the clock may have been set between the two lists.
    """
    at = frame.described_at
    if at is None or not _is_past(at, now):
        return None
    hosts = dict.fromkeys(_hosts(frame.hosts, FieldParser(now * 1000)))
    return Description(at, tuple(hosts), frame.public, frame.scan_on_push)


def _hosts(hosts: Hosts, parser: FieldParser) -> Iterator[tuple[str, str]]:
    for host, endpoint in hosts:
        clean = parser.host(host)
        if clean is not None and endpoint in {"public", "private"}:
            yield clean, endpoint


def _check_name(name: str) -> None:
    """Check a name.

    Raises:
        ValueError: no answer of the API could hold this name.
    """
    if FieldParser(0).name(name) is None:
        raise ValueError("no usable name")


def moment(at: float, now: float) -> float:
    """Return a time.

    Raises:
        ValueError: it lies in the future.
    """
    if not _is_past(at, now):
        raise ValueError("from the future")
    return at


def _is_past(at: float, now: float) -> bool:
    return math.isfinite(at) and at <= now + _CLOCK_TOLERANCE
