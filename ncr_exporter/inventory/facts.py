"""What follows from a tag's records, worked out once for everything that asks."""

from collections.abc import Iterable
from typing import NamedTuple

from ncr_exporter.inventory.records import Tag, last_use


class Facts(NamedTuple):
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


def newest_first(tags: Iterable[Tag]) -> list[Facts]:
    """Return what follows from tags' records, the most recently updated first.

    Those without a time come last; where times are equal the name decides, to be stable.
    """
    return sorted(map(_facts_of, tags), key=_by_updated)


def _by_updated(fact: Facts) -> tuple[int, str]:
    return (-(fact.updated or 0), fact.name)


def _facts_of(tag: Tag) -> Facts:
    updated, pulled = tag.updated, tag.pulled
    return Facts(tag, tag.name, tag.size, updated, pulled, last_use(pulled, updated))
