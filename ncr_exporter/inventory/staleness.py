"""Which tags look unused. A wrong answer here makes somebody delete what production needs."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import inf

import msgspec

from ncr_exporter.inventory.attached import attached_staleness, names_by_digest
from ncr_exporter.inventory.facts import Sorted, TagFacts, matching
from ncr_exporter.inventory.in_use import NOTHING_IN_USE, Usage
from ncr_exporter.inventory.records import RECORDED_SINCE, Policy, Tag
from ncr_exporter.inventory.tag_list import TagList, records_pulls


class Knowledge(msgspec.Struct, frozen=True, gc=False):
    """What is known beyond the tags themselves, and decides whether a 0 means "never"."""

    registry_records_pulls: bool = False
    """Some record of the registry has a pull time."""
    pull_count: int | None = None
    """Pulls of the image so far, by the image list."""

    def trusts(self, tags: Sequence[Tag] | TagList) -> bool:
        """Return whether records without a pull time are believed: no pull was recorded.

        Not in a registry that shows no pull time at all: every image would be unused. Nor where
        the image was pulled, by its own count, and none of its tags shows that; except where one
        is so old that its pulls were not recorded yet.
        """
        if not self.registry_records_pulls:
            return False
        contradicted = self.pull_count and tags and not records_pulls(tags)
        return not contradicted or any(_is_of_before(tag) for tag in tags)


def _is_of_before(tag: Tag) -> bool:
    return tag.updated is not None and tag.updated < RECORDED_SINCE


def stale_by_name(
    tags: Sequence[Tag],
    sorted_out: Sorted,
    policy: Policy,
    now: int,
    in_use: Usage = NOTHING_IN_USE,
) -> dict[str, bool]:
    """Return whether each tag is stale at `now` (ms); tags of which it is unknown are missing.

    Attached tags are in it. Ignored tags and those in use are never stale. Nothing is judged where
    `stale_after` is infinite.
    """
    if policy.stale_after == inf:
        return {}
    kept = kept_by(sorted_out.judged, policy)
    since = now - policy.stale_after * 1000
    stale = dict.fromkeys((*sorted_out.ignored, *in_use.names), False)
    for fact in sorted_out.judged:
        if fact.name in kept or (fact.earliest is not None and fact.earliest >= since):
            stale[fact.name] = False
        elif fact.latest is not None and fact.latest < since and not in_use.is_uncertain:
            stale.setdefault(fact.name, True)
    if sorted_out.attached:
        stale |= attached_staleness(sorted_out.attached, names_by_digest(tags), stale)
    return stale


def steady_span(judged: Iterable[TagFacts], policy: Policy, now: int) -> tuple[float, float]:
    """Return between which moments (ms) no verdict changes: after the first, and up to the second.

    A verdict depends on the time by two comparisons alone: of `stale_after` with the last use at
    the earliest, and at the latest. So it need not be worked out again before the next of these.
    """
    if policy.stale_after == inf:
        return -inf, inf
    stale_after = policy.stale_after * 1000
    known = {use for fact in judged for use in (fact.earliest, fact.latest) if use is not None}
    uses = [-inf, *sorted(known), inf]
    ahead = bisect_left(uses, now - stale_after)
    return uses[ahead - 1] + stale_after, uses[ahead] + stale_after


def kept_by(judged: Sequence[TagFacts], policy: Policy) -> dict[str, str]:
    """Return the tags that are never stale → `recent`, or the glob of `keep_tags` that keeps them.

    `judged` are the tags of the image, newest first.
    """
    kept = {fact.name: "recent" for fact in judged[: policy.keep_recent]}
    names = [fact.name for fact in judged]
    for glob in policy.keep_tags:
        for name in matching(names, (glob,)):
            kept.setdefault(name, glob)
    return kept
