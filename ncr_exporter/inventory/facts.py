"""What follows from a tag's records, worked out once for everything that asks."""

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
    def by_updated(self) -> tuple[int, str]:
        """Sorts newest first, those without a time last; by name where equal, to be stable."""
        return (-(self.updated or 0), self.name)

    @property
    def by_idle(self) -> tuple[bool, int, str]:
        """Sorts longest unused first; tags of whose use nothing is known after all others."""
        return (self.used is None, self.used or 0, self.name)

    @property
    def by_size(self) -> tuple[int, str]:
        """Sorts largest first."""
        return (-(self.size or 0), self.name)


def facts_of(tag: Tag) -> Facts:
    """Return what follows from a tag's records."""
    updated, pulled = tag.updated, tag.pulled
    return Facts(tag, tag.name, tag.size, updated, pulled, last_use(pulled, updated))
