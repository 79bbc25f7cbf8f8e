"""Images as the status page shows, sorts and finds them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ncr_exporter.state.model import ImageState
from ncr_exporter.web.status.query import Base, Column, Query, link, sorted_by, sorted_in_runs
from ncr_exporter.web.status.tags import (
    TagView,
    idle_order,
    longest_unused,
    newest_tag,
    tag_views,
    unused_for,
)
from ncr_exporter.web.status.words import Span

PollStatus = Literal["failing", "missing", "gone", "waiting", "working"]
"""`missing` is an image that the configuration names and that was never seen to exist, `gone` one
that did and was deleted, `waiting` one that was never polled."""
BROKEN: tuple[PollStatus, ...] = ("failing", "missing", "gone")
"""Together they are the images that cannot be polled, in the order of the page."""
_TAGS_SHOWN = 10
_TAGS_RANKED = 1000
"""The row of an image with more tags shows none: ranking them would cost too much per page."""


def poll_status(state: ImageState) -> PollStatus:
    """Return how the last poll of an image ended."""
    if state.gone:
        return "missing" if state.last_success is None else "gone"
    if state.up is None:
        return "waiting"
    return "working" if state.up else "failing"


def idle(state: ImageState) -> Span | None:
    """Return for how long an image had been unused when it was last polled with success.

    Counted up to that poll rather than to now, as for stale tags. None where it was not polled
    yet, and where it may be in use as well as stale.
    """
    image = state.image
    if image is None or state.last_success is None:
        return None
    now, after = round(state.last_success * 1000), state.target.policy.stale_after
    return unused_for(image.used, image.idle_since, now, after)


COLUMNS: tuple[Column[ImageState], ...] = (
    Column("name", "name_column", lambda state: state.target.key, descending_first=False),
    Column("tags", "tags", lambda state: state.image and state.image.tags),
    Column("size", "size", lambda state: state.image and state.image.size),
    Column("pulled", "pulled", lambda state: state.image and state.image.pulled),
    Column("idle", "idle", lambda state: idle_order(idle(state))),
    Column("stale", "stale_tags", lambda state: state.image and state.image.stale_tags),
    Column("reclaimable", "reclaimable", lambda state: state.image and state.image.reclaimable),
    Column("polled", "polled", lambda state: state.recent[0].at if state.recent else None),
)
DEFAULT_SORT = "reclaimable"
"""What could be cleaned up first."""


@dataclass(frozen=True)
class ImageView:
    """What the status page shows of an image."""

    state: ImageState
    next_poll: float | None
    """Seconds since the epoch; None while the image is being polled."""
    host: str | None = None
    """The host to pull from; None if unknown."""
    base: Base = ()
    """The parameters that every link keeps."""

    @property
    def poll_status(self) -> PollStatus:
        """How its last poll ended."""
        return poll_status(self.state)

    @property
    def idle(self) -> Span | None:
        """How long it had been unused at its last successful poll; None if unknown."""
        return idle(self.state)

    @property
    def never_pulled(self) -> bool:
        """Whether it has tags and all of them are known never to have been pulled."""
        image = self.state.image
        return image is not None and image.never_pulled

    @property
    def values_are_old(self) -> bool:
        """Whether its values are of an earlier poll than the last one."""
        return self.state.image is not None and self.poll_status != "working"

    @property
    def href(self) -> str:
        """The link to its own page."""
        registry, name = self.state.target.key
        return link(("registry", registry), ("image", name), *self.base)

    @cached_property
    def all_tags(self) -> list[TagView]:
        """Its tags, newest first."""
        return tag_views(self.state)

    @cached_property
    def tags(self) -> list[TagView]:
        """The tags shown in its row: up to ten, the longest unused first if there are more."""
        if len(self.state.tags or ()) > _TAGS_RANKED:
            return []
        return longest_unused(self.all_tags, _TAGS_SHOWN)

    def reference(self, tag: str | None = None) -> str | None:
        """Return what to pull a tag by, else the newest: `host/image:tag`; None if unknown."""
        if tag is None and len(self.state.tags or ()) <= _TAGS_RANKED:
            tag = newest_tag(self.all_tags)
        if self.host is None or tag is None:
            return None
        return f"{self.host}/{self.state.target.name}:{tag}"


def matching_images(states: Iterable[ImageState], query: Query) -> list[ImageState]:
    """Return the images that match a query, in its order; equal ones by name."""
    found = [
        state for state in states if _is_wanted(state, query.only) and _contains(state, query.text)
    ]
    found = sorted_in_runs(found, lambda state: state.target.key)
    column = next(column for column in COLUMNS if column.key == query.sort)
    return sorted_by(found, column, descending=query.descending)


def _contains(state: ImageState, text: str) -> bool:
    return not text or text.casefold() in "/".join(state.target.key).casefold()


def _is_wanted(state: ImageState, only: str) -> bool:
    """Return whether an image has this poll status, stale tags, or fails for this reason."""
    status = poll_status(state) if only else ""
    if only == status:
        return True
    if only == "stale":
        return bool(state.image and state.image.stale_tags)
    return status == "failing" and state.failure is not None and state.failure.reason == only
