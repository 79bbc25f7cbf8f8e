"""What the contract's model remembers of registries and images; shares no code with the program."""

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.oracle.computation import Json

Entry = tuple[int, ...]
"""Pull count and last update of an image, by an image list."""


class Moment(NamedTuple):
    """A moment by both clocks, in seconds."""

    wall: float
    mono: float

    def before(self, wall: float) -> "Moment":
        """Return what is a moment of the wall clock, as seen from this one; never a later one."""
        return Moment(wall, self.mono - max(0.0, self.wall - wall))


@dataclass
class ModelImage:
    """What was seen of an image."""

    named: bool = False
    """Whether the configuration names it rather than finding it by a glob."""
    tags: list[Json] | None = None
    """Of the last complete listing; None once it expired, and when the image is gone."""
    since: float = 0.0
    """Monotonic time of that listing."""
    last_success: float | None = None
    """The same by the wall clock."""
    up: bool | None = None
    took: float | None = None
    """Seconds of the last poll."""
    polls: int = 0
    failures: int = 0
    turned_empty: bool = False
    """Whether the last listing was empty and is not believed yet."""
    pulls: int | None = None
    highest_pulls: int | None = None
    """The last count that was believed; it outlives `pulls`."""
    pulls_fell: bool = False
    """Whether the last count was lower and is not believed yet."""
    listed: bool | None = None
    absences: int = 0
    not_found: bool = False
    listed_under: Entry | None = None
    """Its entry in the newest image list before its tags were listed."""
    listed_at: Moment | None = None
    """When its tags were listed."""
    confirmed: float = 0.0
    """Monotonic time of that, or of the last image list that answered a poll."""
    slipped: bool = False
    """Whether its tags had changed by then, and its entry had not."""
    unchanged: int = 0

    def gone(self, *, denied: bool) -> bool:
        unlisted = self.listed is False or denied
        return self.absences >= 2 or (self.not_found and unlisted)

    def count_pulls(self, said: int) -> None:
        """Believe a count, but a little lower one only when it is said twice running."""
        before = self.highest_pulls
        fell = before is not None and said < before and said * 2 >= before
        self.pulls_fell = fell and not self.pulls_fell
        self.pulls = self.highest_pulls = before if self.pulls_fell else said


class SeenList(NamedTuple):
    """A complete image list that agrees with itself."""

    began: float
    ended: Moment
    entries: dict[str, Entry]


@dataclass(frozen=True)
class Described:
    """What the registry list told of a registry."""

    private_host: str
    public: bool
    at: Moment


@dataclass
class ModelRegistry:
    """What was seen of a registry."""

    found: bool
    """Whether a list found it rather than the configuration."""
    images: dict[str, ModelImage] = field(default_factory=dict)
    up: bool | None = None
    denied: bool = False
    count: int | None = None
    was_empty: bool = False
    short_lists: int = 0
    """Lists in a row that had fewer names than they said."""
    last_success: float | None = None
    since: float = 0.0
    described: Described | None = None
    has_pulls: bool = False
    absences: int = 0
    deleted: dict[str, Moment] = field(default_factory=dict)
    """Images found by globs that are gone → when that was known."""
    newest: SeenList | None = None
    """The last image list; None where it failed or contradicted itself."""
    unlisted_changes: int = 0
    matched: dict[str, int] = field(default_factory=dict)
    """Globs → images that they matched at the last list."""
    excluded: dict[str, int] = field(default_factory=dict)
    """Patterns of `exclude` → images that they matched at the last list."""
