"""What a listing holds: tags and their platforms."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

NEVER = 0
"""A `pulled` of 0: the record says that nobody pulled it (inferred from the documentation)."""


class Platform(msgspec.Struct, frozen=True, gc=False):
    """One platform's manifest of a tag."""

    digest: str | None = None
    os: str = ""
    architecture: str = ""
    variant: str = ""
    size: int | None = None
    pulled: int | None = None
    updated: int | None = None


class Tag(msgspec.Struct, frozen=True, gc=False):
    """One tag as listed."""

    name: str
    digest: str | None = None
    full_size: int | None = None
    last_updated: int | None = None
    platforms: tuple[Platform, ...] = ()

    @property
    def size(self) -> int | None:
        """`full_size`; where that is 0 or missing the largest platform, never a sum of them."""
        return self.full_size or largest(platform.size for platform in self.platforms) or None

    @property
    def updated(self) -> int | None:
        """`last_updated`; where missing, the newest update of a platform."""
        if self.last_updated is not None:
            return self.last_updated
        return largest(platform.updated for platform in self.platforms)

    @property
    def pulled(self) -> int | None:
        """The newest pull of any platform; `NEVER` where every record says so, else None."""
        if len(self.platforms) == 1:  # most tags, and a third of the work
            return self.platforms[0].pulled
        newest = largest(platform.pulled for platform in self.platforms)
        if newest == NEVER and any(platform.pulled is None for platform in self.platforms):
            return None
        return newest


def last_use(pulled: int | None, updated: int | None) -> int | None:
    """Return the later of a pull (`NEVER` is one) and an update.

    None where neither a pull is known nor that there was none. A tag pushed yesterday and never
    pulled was used yesterday.
    """
    return None if pulled is None else max(pulled, updated or 0) or None


def largest(values: Iterable[int | None]) -> int | None:
    """Return the largest known value, or None where none is known."""
    return max([value for value in values if value is not None], default=None)


@dataclass(frozen=True)
class Policy:
    """What the owner of an image asked for. Durations are seconds, sizes bytes.

    `config.model.Settings` has the defaults.
    """

    stale_after: float
    """Unused for longer is stale; infinite is never."""
    keep_recent: int
    """So many of the most recently updated tags are never stale."""
    keep_tags: tuple[str, ...]
    """Globs of tags that are never stale."""
    tag_size_limit: int | None
    tags_limit: int | None
    tag_series: int | None
    """Tags that get series of their own, by each criterion; None is no cap."""
    tag_series_by: tuple[str, ...]
    platform_series: bool


class TagFacts(NamedTuple):
    """One tag. Times are milliseconds, sizes bytes; None is unknown."""

    tag: Tag
    name: str
    size: int | None
    updated: int | None
    pulled: int | None
    used: int | None

    @property
    def by_idle(self) -> tuple[bool, int, str]:
        """Sorts longest unused first; tags of whose use nothing is known after all others."""
        return (self.used is None, self.used or 0, self.name)

    @property
    def by_size(self) -> tuple[int, str]:
        """Sorts largest first."""
        return (-(self.size or 0), self.name)


def newest_first(tags: Iterable[Tag]) -> list[TagFacts]:
    """Return what follows from tags' records, the most recently updated first.

    Those without a time come last; where times are equal the name decides, to be stable.
    """
    return sorted(map(_facts_of, tags), key=_by_updated)


def _by_updated(fact: TagFacts) -> tuple[int, str]:
    return (-(fact.updated or 0), fact.name)


def _facts_of(tag: Tag) -> TagFacts:
    updated, pulled = tag.updated, tag.pulled
    return TagFacts(tag, tag.name, tag.size, updated, pulled, last_use(pulled, updated))
