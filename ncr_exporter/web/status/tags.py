"""Tags as rows. Pure."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from ncr_exporter.inventory import NEVER, TagFacts
from ncr_exporter.state.model import ImageState
from ncr_exporter.web.status.view import Column, View, in_order


@dataclass(frozen=True)
class TagRow:
    """A tag as its row shows it. Moments are ms since the epoch; None is unknown."""

    name: str
    size: int | None
    pulled: int | None
    never_pulled: bool
    updated: int | None
    idle: float | None
    """Seconds it had been unused at the last good poll."""
    stale: bool | None
    digest: str | None
    platforms: tuple[str, ...]


COLUMNS: tuple[Column[TagRow], ...] = (
    Column("updated", "Updated", attrgetter("updated")),
    Column("tag", "Tag", attrgetter("name"), down=False),
    Column("size", "Size", attrgetter("size")),
    Column("pulled", "Last pulled", attrgetter("pulled")),
    Column("idle", "Unused for", attrgetter("idle")),
)


def tag_rows(state: ImageState) -> list[TagRow]:
    """Return every tag of an image's last listing, judged as of then, the newest first."""
    if state.image is None or state.last_success is None:
        return []
    now = round(state.last_success * 1000)
    trusted = state.image.never_pulled_tags is not None
    rows = [_row(fact, now, stale, trusted=trusted) for fact, stale in state.tags_with_staleness()]
    return in_order(rows, COLUMNS[0], descending=True)


def _row(fact: TagFacts, now: int, stale: bool | None, *, trusted: bool) -> TagRow:  # noqa: FBT001 -- three values: stale, not stale, unknown
    known = trusted or fact.pulled != NEVER
    return TagRow(
        name=fact.name,
        size=fact.size,
        pulled=fact.pulled or None,
        never_pulled=trusted and fact.pulled == NEVER,
        updated=fact.updated,
        idle=max(0.0, (now - fact.used) / 1000) if known and fact.used is not None else None,
        stale=stale,
        digest=fact.tag.digest,
        platforms=tuple(map(_platform_text, fact.tag.platforms)),
    )


def _platform_text(platform: object) -> str:
    words = attrgetter("os", "architecture", "variant")(platform)
    return "/".join(word for word in words if word)


def longest_unused(rows: list[TagRow], count: int) -> list[TagRow]:
    """Return all where they are no more than `count`, else those that were unused for longest."""
    if len(rows) <= count:
        return rows
    return heapq.nlargest(count, rows, key=lambda row: -1.0 if row.idle is None else row.idle)


def chosen(rows: Iterable[TagRow], view: View) -> list[TagRow]:
    """Return the tags that a view asks for, in its order."""
    text = view.text.casefold()
    found = [row for row in rows if text in row.name.casefold()]
    if view.only == "stale":
        found = [row for row in found if row.stale]
    column = next(column for column in COLUMNS if column.key == view.sort)
    return in_order(found, column, descending=view.descending)
