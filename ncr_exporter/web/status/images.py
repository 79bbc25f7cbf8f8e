"""Images as rows: how each stands, what it is sorted and found by. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ncr_exporter.state.model import ImageState
from ncr_exporter.web.status.tags import TagRow, longest_unused, tag_rows
from ncr_exporter.web.status.view import Column, View, in_order, in_runs, link

Standing = Literal["missing", "failing", "waiting", "working"]
_TAGS_SHOWN = 10
_TAGS_RANKED = 1000
"""More tags than this are not gone through for a row that may never be opened."""


def standing(state: ImageState) -> Standing:
    """Return how polling an image goes, in a word."""
    if state.gone:
        return "missing"
    if state.up is None:
        return "waiting"
    return "working" if state.up else "failing"


def idle(state: ImageState) -> float | None:
    """Return for how many seconds nobody had used an image at its last good poll.

    As of then and not of now, as stale tags are: the page changes only with what is known.
    """
    image = state.image
    if image is None or state.last_success is None or image.idle_since is None:
        return None
    return max(0.0, state.last_success - image.idle_since / 1000)


COLUMNS: tuple[Column[ImageState], ...] = (
    Column("name", "Image", lambda state: state.target.key, down=False),
    Column("tags", "Tags", lambda state: state.image and state.image.tags),
    Column("size", "Size", lambda state: state.image and state.image.size),
    Column("pulled", "Last pulled", lambda state: state.image and state.image.pulled),
    Column("idle", "Unused for", idle),
    Column("stale", "Stale tags", lambda state: state.image and state.image.stale_tags),
    Column("reclaimable", "Reclaimable", lambda state: state.image and state.image.reclaimable),
    Column("polled", "Last poll", lambda state: state.recent[0].at if state.recent else None),
)


@dataclass(frozen=True)
class ImageRow:
    """An image as its row shows it."""

    state: ImageState
    next_poll: float | None
    """Seconds since the epoch; None where it is polled now."""

    @property
    def standing(self) -> Standing:
        """How polling it goes."""
        return standing(self.state)

    @property
    def idle(self) -> float | None:
        """For how many seconds nobody had used it, at its last good poll."""
        return idle(self.state)

    @property
    def never_pulled(self) -> bool:
        """Whether it is known that nobody pulled any of its tags."""
        image = self.state.image
        return image is not None and 0 < image.tags == image.never_pulled_tags

    @property
    def href(self) -> str:
        """The link to its own page."""
        registry, name = self.state.target.key
        return link(("registry", registry), ("image", name))

    @property
    def tags(self) -> list[TagRow]:
        """The tags shown within its row: all where they are few, else the longest unused."""
        if len(self.state.tags or ()) > _TAGS_RANKED:
            return []
        return longest_unused(tag_rows(self.state), _TAGS_SHOWN)


def chosen(states: Iterable[ImageState], view: View) -> list[ImageState]:
    """Return the images that a view asks for, in its order."""
    found = [state for state in states if _is_wanted(state, view.only) and _has(state, view.text)]
    found = in_runs(found, lambda state: state.target.key)
    column = next(column for column in COLUMNS if column.key == view.sort)
    return in_order(found, column, descending=view.descending)


def _has(state: ImageState, text: str) -> bool:
    return not text or text.casefold() in "/".join(state.target.key).casefold()


def _is_wanted(state: ImageState, only: str) -> bool:
    """Tell whether an image stands so, has stale tags, or fails for this reason."""
    if not only or only == standing(state):
        return True
    if only == "stale":
        return bool(state.image and state.image.stale_tags)
    return state.failure is not None and state.failure.reason == only
