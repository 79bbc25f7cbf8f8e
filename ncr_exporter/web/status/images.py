"""Images as the status page shows, sorts and finds them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ncr_exporter.state.model import ImageState
from ncr_exporter.web.status.query import Column, Query, link, sorted_by, sorted_in_runs
from ncr_exporter.web.status.tags import TagView, longest_unused, tag_views

PollStatus = Literal["missing", "failing", "waiting", "working"]
"""`missing` is an image that the registry deleted, `waiting` one that was never polled."""
_TAGS_SHOWN = 10
_TAGS_RANKED = 1000
"""The row of an image with more tags shows none: ranking them would cost too much per page."""


def poll_status(state: ImageState) -> PollStatus:
    """Return how the last poll of an image ended."""
    if state.gone:
        return "missing"
    if state.up is None:
        return "waiting"
    return "working" if state.up else "failing"


def idle(state: ImageState) -> float | None:
    """Return for how many seconds an image had been unused when it was last polled with success.

    None where it was not yet, and where one of its tags may have been in use at that poll. Counted
    up to that poll rather than to now, as for stale tags: so the page stays the same, and cached,
    until a poll changes something.
    """
    image = state.image
    if image is None or state.last_success is None or image.idle_since is None:
        return None
    return max(0.0, state.last_success - image.idle_since / 1000)


COLUMNS: tuple[Column[ImageState], ...] = (
    Column("name", "Image", lambda state: state.target.key, descending_first=False),
    Column("tags", "Tags", lambda state: state.image and state.image.tags),
    Column("size", "Size", lambda state: state.image and state.image.size),
    Column("pulled", "Last pulled", lambda state: state.image and state.image.pulled),
    Column("idle", "Unused for", idle),
    Column("stale", "Stale tags", lambda state: state.image and state.image.stale_tags),
    Column("reclaimable", "Reclaimable", lambda state: state.image and state.image.reclaimable),
    Column("polled", "Last poll", lambda state: state.recent[0].at if state.recent else None),
)


@dataclass(frozen=True)
class ImageView:
    """What the status page shows of an image."""

    state: ImageState
    next_poll: float | None
    """Seconds since the epoch; None while the image is being polled."""

    @property
    def poll_status(self) -> PollStatus:
        """How its last poll ended."""
        return poll_status(self.state)

    @property
    def idle(self) -> float | None:
        """How long it had been unused at its last successful poll (s); None if unknown."""
        return idle(self.state)

    @property
    def never_pulled(self) -> bool:
        """Whether it has tags and all of them are known never to have been pulled."""
        image = self.state.image
        return image is not None and image.never_pulled

    @property
    def href(self) -> str:
        """The link to its own page."""
        registry, name = self.state.target.key
        return link(("registry", registry), ("image", name))

    @property
    def tags(self) -> list[TagView]:
        """The tags shown in its row: up to ten, the longest unused first if there are more."""
        if len(self.state.tags or ()) > _TAGS_RANKED:
            return []
        return longest_unused(tag_views(self.state), _TAGS_SHOWN)


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
    """Return whether an image has this poll status, stale tags, or this reason of failure."""
    if not only or only == poll_status(state):
        return True
    if only == "stale":
        return bool(state.image and state.image.stale_tags)
    return state.failure is not None and state.failure.reason == only
