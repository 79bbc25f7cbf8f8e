"""Which tags look unused. A wrong answer here makes somebody delete what production needs."""

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ncr_exporter.inventory.records import Policy, Tag, TagFacts


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


def stale_by_name(facts: Sequence[TagFacts], policy: Policy, now: int) -> dict[str, bool]:
    """Return whether each tag is stale at `now` (ms); tags of which it is unknown are missing.

    `facts` are all tags of the image, newest first.
    """
    kept, since = _kept(facts, policy), now - policy.stale_after * 1000
    return {
        fact.name: fact.used < since and fact.name not in kept
        for fact in facts
        if fact.used is not None
    }


def _kept(facts: Sequence[TagFacts], policy: Policy) -> set[str]:
    """Return the names of the tags that are never stale."""
    kept = {fact.name for fact in facts[: policy.keep_recent]}
    for glob in policy.keep_tags:
        kept.update(fnmatch.filter([fact.name for fact in facts], glob))
    return kept
