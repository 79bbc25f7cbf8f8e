"""Tags as the status page shows, sorts and finds them. Pure."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from ncr_exporter.inventory import Platform, Reason, Verdict, is_never_pulled
from ncr_exporter.state.model import ImageState
from ncr_exporter.web.status.query import Column, Query, sorted_by
from ncr_exporter.web.status.words import Span


def unused_for(
    earliest: int | None, latest: int | None, now: int, stale_after: float
) -> Span | None:
    """Return for how long something had been unused at `now`, by the bounds of its last use.

    None where it may be in use as well as stale. A use that is known and more recent than that is
    told although a later one is possible: then the span is at most so long.

    Args:
        earliest: its last use at the earliest (ms since the epoch); None if unknown.
        latest: the same at the latest; None where it may be in use now.
        now: when its image was last polled with success (ms since the epoch).
        stale_after: what is unused for longer is stale (s).
    """
    most = None if earliest is None else max(0.0, (now - earliest) / 1000)
    if latest is not None:
        exact = earliest is not None and earliest >= latest
        return Span(max(0.0, (now - latest) / 1000), "" if exact else "at_least")
    return None if most is None or most >= stale_after else Span(most, "up_to")


def idle_order(span: Span | None) -> float | None:
    """Return what to sort spans by: the time that something was unused at least."""
    if span is None:
        return None
    return 0.0 if span.bound == "up_to" else span.seconds


@dataclass(frozen=True)
class TagView:
    """What the status page shows of a tag. None is unknown."""

    verdict: Verdict
    """Whether it is stale, and why or why not."""
    as_of: int
    """When it was listed (ms since the epoch)."""
    stale_after: float
    """What is unused for longer is stale (s)."""
    believed: bool
    """Whether a record without a pull time says that no pull was recorded."""

    # Computed when asked for: an image's row shows ten of up to a thousand tags.

    @property
    def name(self) -> str:
        """Its name."""
        return self.verdict.tag.name

    @property
    def size(self) -> int | None:
        """Its size in bytes."""
        return self.verdict.tag.size

    @property
    def pulled(self) -> int | None:
        """Its newest pull (ms since the epoch)."""
        return self.verdict.pulled or None

    @property
    def never_pulled(self) -> bool:
        """Whether it is known never to have been pulled."""
        fact = self.verdict.fact
        return self.believed and fact is not None and is_never_pulled(fact)

    @property
    def updated(self) -> int | None:
        """Its newest update (ms since the epoch)."""
        return self.verdict.tag.updated

    @property
    def idle(self) -> Span | None:
        """How long it had been unused when it was listed."""
        fact = self.verdict.fact
        if fact is None:
            return None
        return unused_for(fact.earliest, fact.latest, self.as_of, self.stale_after)

    @property
    def stale(self) -> bool | None:
        """Whether it is stale."""
        return self.verdict.stale

    @property
    def is_plainly_used(self) -> bool:
        """Whether it needs no word: nothing but its own use keeps it."""
        return self.verdict.reason is Reason.USED

    @property
    def is_own(self) -> bool:
        """Whether it is judged: neither attached to another tag nor ignored."""
        return self.verdict.fact is not None

    @property
    def digest(self) -> str | None:
        """Its digest."""
        return self.verdict.tag.digest

    @property
    def platforms(self) -> tuple[str, ...]:
        """Such as `linux/arm64/v8`."""
        return tuple(map(_platform_text, self.verdict.tag.platforms))


COLUMNS: tuple[Column[TagView], ...] = (
    Column("updated", "updated", attrgetter("updated")),
    Column("tag", "tag_column", attrgetter("name"), descending_first=False),
    Column("size", "size", attrgetter("size")),
    Column("pulled", "pulled", attrgetter("pulled")),
    Column("idle", "idle", lambda tag: idle_order(tag.idle)),
)


def tag_views(state: ImageState) -> list[TagView]:
    """Return the tags of an image's last listing, with ages as of that listing.

    Tags of their own come first, newest first; then those attached to others or ignored.
    """
    if state.image is None or state.last_success is None:
        return []
    now, after = round(state.last_success * 1000), state.target.policy.stale_after
    believed = state.image.trusted
    return [TagView(verdict, now, after, believed) for verdict in state.verdicts()]


def newest_tag(tags: Iterable[TagView]) -> str | None:
    """Return the first tag of `tags` that is one of its own; None if there is none."""
    return next((tag.name for tag in tags if tag.is_own), None)


def _platform_text(platform: Platform) -> str:
    words = (platform.os, platform.architecture, platform.variant)
    return "/".join(word for word in words if word)


def longest_unused(tags: list[TagView], count: int) -> list[TagView]:
    """Return the `count` longest unused tags; all of them, in their order, if there are fewer."""
    if len(tags) <= count:
        return tags
    return heapq.nsmallest(count, tags, key=_latest_use)


def _latest_use(tag: TagView) -> float:
    """Return a tag's last use at the latest; those of which it is unknown come last."""
    latest = tag.verdict.latest
    return float("inf") if latest is None else latest


def matching_tags(tags: Iterable[TagView], query: Query) -> list[TagView]:
    """Return the tags that match a query, in its order."""
    text = query.text.casefold()
    found = [tag for tag in tags if text in tag.name.casefold()]
    if query.only == "stale":
        found = [tag for tag in found if tag.stale]
    column = next(column for column in COLUMNS if column.key == query.sort)
    return sorted_by(found, column, descending=query.descending)
