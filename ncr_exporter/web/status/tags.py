"""Tags as the status page shows, sorts and finds them. Pure."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from ncr_exporter.inventory import Verdict, is_never_pulled
from ncr_exporter.report.verdicts import verdict_text
from ncr_exporter.state.model import ImageState
from ncr_exporter.web.status.query import Column, Query, sorted_by


@dataclass(frozen=True)
class TagView:
    """What the status page shows of a tag. None is unknown."""

    name: str
    size: int | None
    """Bytes."""
    pulled: int | None
    """Its newest pull (ms since the epoch)."""
    never_pulled: bool
    """Whether it is known never to have been pulled."""
    updated: int | None
    """Its newest update (ms since the epoch)."""
    idle: float | None
    """How long it had been unused at the last successful poll (s)."""
    stale: bool | None
    verdict: str
    """Whether it is stale, and why or why not, in a few words."""
    digest: str | None
    platforms: tuple[str, ...]
    """Such as `linux/arm64/v8`."""


COLUMNS: tuple[Column[TagView], ...] = (
    Column("updated", "Updated", attrgetter("updated")),
    Column("tag", "Tag", attrgetter("name"), descending_first=False),
    Column("size", "Size", attrgetter("size")),
    Column("pulled", "Last pulled", attrgetter("pulled")),
    Column("idle", "Unused for", attrgetter("idle")),
)


def tag_views(state: ImageState) -> list[TagView]:
    """Return the tags of an image's last listing, newest first, with ages as of that listing."""
    if state.image is None or state.last_success is None:
        return []
    now = round(state.last_success * 1000)
    views = [_view(verdict, now, believed=state.image.trusted) for verdict in state.verdicts()]
    return sorted_by(views, COLUMNS[0], descending=True)


def _view(verdict: Verdict, now: int, *, believed: bool) -> TagView:
    tag, fact, latest = verdict.tag, verdict.fact, verdict.latest
    return TagView(
        name=tag.name,
        size=tag.size,
        pulled=verdict.pulled or None,
        never_pulled=believed and fact is not None and is_never_pulled(fact),
        updated=tag.updated,
        idle=None if latest is None else max(0.0, (now - latest) / 1000),
        stale=verdict.stale,
        verdict=verdict_text(verdict),
        digest=tag.digest,
        platforms=tuple(map(_platform_text, tag.platforms)),
    )


def _platform_text(platform: object) -> str:
    words = attrgetter("os", "architecture", "variant")(platform)
    return "/".join(word for word in words if word)


def longest_unused(tags: list[TagView], count: int) -> list[TagView]:
    """Return the `count` longest unused tags; all of them, in their order, if there are fewer."""
    if len(tags) <= count:
        return tags
    return heapq.nlargest(count, tags, key=lambda tag: -1.0 if tag.idle is None else tag.idle)


def matching_tags(tags: Iterable[TagView], query: Query) -> list[TagView]:
    """Return the tags that match a query, in its order."""
    text = query.text.casefold()
    found = [tag for tag in tags if text in tag.name.casefold()]
    if query.only == "stale":
        found = [tag for tag in found if tag.stale]
    column = next(column for column in COLUMNS if column.key == query.sort)
    return sorted_by(found, column, descending=query.descending)
