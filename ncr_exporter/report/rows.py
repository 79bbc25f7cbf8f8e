"""Sorted rows of a report on images and tags, and texts for sizes and times. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ncr_exporter.inventory import NEVER, NOTHING_IN_USE, Verdict
from ncr_exporter.inventory.image import reclaimable_bytes
from ncr_exporter.report.in_use import InUse
from ncr_exporter.report.verdicts import verdict_text
from ncr_exporter.state.model import Failure, ImageState


@dataclass(frozen=True)
class ImageRow:
    """An image. None is unknown."""

    registry: str
    image: str
    owner: str | None = None
    up: bool | None = None
    """Whether the last poll succeeded."""
    pulls: int | None = None
    last_success: float | None = None
    """Seconds since the epoch."""
    failure: Failure | None = None
    tags: int | None = None
    size: int | None = None
    """Bytes, counted as in `ncr_image_size_bytes`."""
    stale_tags: int | None = None
    reclaimable: int | None = None
    """Bytes that only stale tags refer to; an upper bound."""
    never_pulled_tags: int | None = None
    never_pulled: bool = False
    """Whether all tags are known never to have been pulled."""
    pulled: int | None = None
    """The newest pull of any tag (ms since the epoch)."""
    updated: int | None = None
    """The newest update of any tag (ms since the epoch)."""
    unused: float | None = None
    """Seconds since the newest pull or update; None if pulls are unknown."""


@dataclass(frozen=True)
class TagRow:
    """A tag. None is unknown."""

    registry: str
    image: str
    tag: str
    owner: str | None = None
    stale: bool | None = None
    verdict: str = ""
    """Whether it is stale, and why or why not, in a few words."""
    attached: bool = False
    """Whether it is a signature, an attestation or an SBOM."""
    aliases: tuple[str, ...] = ()
    """Some other tags of the same content: deleting by digest may take them along."""
    digest: str | None = None
    size: int | None = None
    """Bytes, as in `ncr_tag_size_bytes`."""
    pulled: int | None = None
    """The newest pull (ms since the epoch); `NEVER` if it was never pulled."""
    updated: int | None = None
    """The last update (ms since the epoch)."""
    unused: float | None = None
    """Seconds since the newest pull or update."""


@dataclass(frozen=True)
class Report:
    """A report on `states`, with ages as of `now` (s since the epoch)."""

    states: Collection[ImageState]
    now: float
    failures: Mapping[str, Failure] = field(default_factory=dict)
    """The failed polls: `registry` or `registry/image` → why."""
    in_use: InUse | None = None
    """What runs; None where nobody said."""

    @property
    def images(self) -> list[ImageRow]:
        """A row per image: most bytes to reclaim first, then longest unused.

        Images whose tags are unknown come last.
        """
        return sorted((_image_row(state, self.now) for state in self.states), key=_image_order)

    @property
    def stale_tags(self) -> list[TagRow]:
        """A row per stale tag: largest first, then longest unused."""
        return sorted((row for row in self.tags() if row.stale), key=_tag_order)

    def tags(self) -> Iterator[TagRow]:
        """Yield a row per tag, by image; of each image the most recently updated first.

        Attached and ignored tags follow those of their own. Rows are made one by one: those of a
        large account take more memory than its tags.
        """
        for state, found in self._judged():
            yield from (_tag_row(state, verdict, self.now) for verdict in found)

    @property
    def reclaimable(self) -> int:
        """The bytes that only stale tags refer to, counted as in `ncr_image_reclaimable_bytes`.

        A tag that runs is not stale. An upper bound.
        """
        return sum(
            reclaimable_bytes(
                [each.tag for each in found], {each.name: each.stale is True for each in found}
            )
            or 0
            for _, found in self._judged()
        )

    def _judged(self) -> Iterator[tuple[ImageState, list[Verdict]]]:
        """Yield the images in the order of their names, each with the verdicts of its tags."""
        for state in sorted(self.states, key=lambda state: state.target.key):
            usage = self.in_use.usage_of(state) if self.in_use else NOTHING_IN_USE
            yield state, state.verdicts(usage)


def _image_row(state: ImageState, now: float) -> ImageRow:
    registry, name = state.target.key
    row = ImageRow(
        registry,
        name,
        owner=state.target.policy.owner,
        up=state.up,
        pulls=state.pull_count,
        last_success=state.last_success,
        failure=state.failure,
    )
    image = state.image
    if image is None:
        return row
    return replace(
        row,
        tags=image.tags,
        size=image.size,
        stale_tags=image.stale_tags,
        reclaimable=image.reclaimable,
        never_pulled_tags=image.never_pulled_tags,
        never_pulled=image.never_pulled,
        pulled=image.pulled,
        updated=image.updated,
        unused=_since(image.idle_since, now),
    )


def _tag_row(state: ImageState, verdict: Verdict, now: float) -> TagRow:
    registry, image = state.target.key
    tag = verdict.tag
    return TagRow(
        registry=registry,
        image=image,
        tag=tag.name,
        owner=state.target.policy.owner,
        stale=verdict.stale,
        verdict=verdict_text(verdict),
        attached=verdict.attachment is not None,
        aliases=verdict.aliases,
        digest=tag.digest,
        size=tag.size,
        pulled=verdict.pulled,
        updated=tag.updated,
        unused=_since(verdict.latest, now),
    )


def _since(moment: int | None, now: float) -> float | None:
    return None if not moment else max(0.0, round(now - moment / 1000, 3))


def _image_order(row: ImageRow) -> tuple[object, ...]:
    names = (row.registry, row.image)
    return (row.tags is None, _largest_first(row.reclaimable), _largest_first(row.unused), *names)


def _tag_order(row: TagRow) -> tuple[object, ...]:
    names = (row.registry, row.image, row.tag)
    return (_largest_first(row.size), _largest_first(row.unused), *names)


def _largest_first(value: float | None) -> float:
    """Return a sort key that puts large values first and unknown ones last."""
    return 1.0 if value is None else -value


def never(row: TagRow) -> bool | None:
    """Return whether a tag was never pulled; None if unknown."""
    return None if row.pulled is None else row.pulled == NEVER


_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_STEP = 1000  # decimal units, as in the vendor's console and invoices
_AGES = (("y", 365 * 86400), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def size_text(size: int) -> str:
    """Return bytes with a unit and three significant digits: `1.23 GB`, `45.6 MB`, `789 kB`."""
    amount, unit = float(size), 0
    while amount >= _STEP - 0.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    digits = 0 if unit == 0 or amount >= 99.95 else 1 if amount >= 9.995 else 2  # noqa: PLR2004 -- where rounding reaches the next power of ten
    return f"{amount:.{digits}f} {_UNITS[unit]}"


def utc_text(seconds: float) -> str:
    """Return a time (s since the epoch) in ISO 8601, UTC, whole seconds: `2025-10-09T08:53:20Z`."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age_text(seconds: float) -> str:
    """Return a span of time in its two largest units, rounded down: `4y 61d`, `3d 4h`, `12m`."""
    left = int(seconds)
    for position, (unit, length) in enumerate(_AGES):
        if left >= length:
            amount, left = divmod(left, length)
            further, step = _AGES[position + 1] if position + 1 < len(_AGES) else ("", 1)
            rest = left // step if further else 0
            return f"{amount}{unit} {rest}{further}" if rest else f"{amount}{unit}"
    return "0s"
