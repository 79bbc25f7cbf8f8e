"""Which tags look unused. A wrong answer here makes somebody delete what production needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ncr_exporter.inventory.policy import Policy
from ncr_exporter.inventory.records import Tag
from ncr_exporter.inventory.selection import by_updated


@dataclass(frozen=True)
class Knowledge:
    """What is known beyond the tags themselves, and decides whether a 0 means "never"."""

    registry_records_pulls: bool = False
    """Some record of the registry has a pull time."""
    pull_count: int | None = None
    """Pulls of the image so far, by the image list."""

    def trusts(self, tags: Sequence[Tag]) -> bool:
        """Tell whether the pull times of these tags can be believed.

        A registry that records no pulls at all would have every image unused; so would an image
        that was pulled, by its own count, and none of whose tags has the time of a pull.
        """
        contradicted = bool(self.pull_count) and bool(tags) and not records_pulls(tags)
        return self.registry_records_pulls and not contradicted


def records_pulls(tags: Iterable[Tag]) -> bool:
    """Tell whether any record has a pull time."""
    return any(platform.pulled for tag in tags for platform in tag.platforms)


def stale_by_name(tags: Sequence[Tag], policy: Policy, now: int) -> dict[str, bool]:
    """Return whether each tag is stale at `now` (ms); tags of which it is unknown are missing."""
    kept = _kept(tags, policy)
    return {
        tag.name: tag.name not in kept and now - used > policy.stale_after * 1000
        for tag in tags
        if (used := tag.used) is not None
    }


def _kept(tags: Sequence[Tag], policy: Policy) -> set[str]:
    """Return the names of the tags that are never stale."""
    recent = {tag.name for tag in sorted(tags, key=by_updated)[: policy.keep_recent]}
    globs = policy.keep_tags
    return recent | {tag.name for tag in tags if any(fnmatchcase(tag.name, glob) for glob in globs)}
