"""What is published of an image."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from operator import attrgetter

from ncr_exporter.inventory.records import NEVER, Policy, Tag, TagFacts, largest, newest_first
from ncr_exporter.inventory.staleness import Knowledge, stale_by_name


def distinct_bytes(
    tags: Iterable[Tag], *, besides: Collection[str | None] = frozenset()
) -> int | None:
    """Return the bytes over all platforms, each distinct digest once; None where none is known.

    A platform without a digest counts by itself, a tag without platforms by its `full_size`.
    An upper bound: layers shared between manifests count in each. Digests in `besides` count for
    nothing.
    """
    by_digest: dict[object, int | None] = {}
    for tag in tags:
        for position, platform in enumerate(tag.platforms):
            if platform.digest in besides:
                continue
            key, size = platform.digest or (tag.name, position), platform.size
            known = by_digest.get(key)
            by_digest[key] = size if known is None or (size and size > known) else known
        if not tag.platforms:
            by_digest[tag.name, None] = tag.full_size
    sizes = [measured for measured in by_digest.values() if measured is not None]
    return sum(sizes) if sizes or not by_digest else None


def reclaimable_bytes(tags: Sequence[Tag], stale: Mapping[str, bool]) -> int | None:
    """Return the bytes that only stale tags refer to; of a tag not known to be stale, nothing."""
    live_tags = [tag for tag in tags if not stale.get(tag.name)]
    live = {platform.digest for tag in live_tags for platform in tag.platforms}
    live.discard(None)
    return distinct_bytes((tag for tag in tags if stale.get(tag.name)), besides=live)


def oversized(facts: Iterable[TagFacts], limit: int | None) -> int | None:
    """Return how many tags are larger than `limit`, or None where there is none."""
    return None if limit is None else sum((fact.size or 0) > limit for fact in facts)


_ORDER = {"idle": attrgetter("by_idle"), "size": attrgetter("by_size")}
"""Criterion → what sorts by it; by "updated" facts are sorted already."""


def chosen(facts: Sequence[TagFacts], policy: Policy) -> tuple[Tag, ...]:
    """Return the tags with series of their own: the first N by each criterion, joined, by name.

    `facts` are newest first.
    """
    first = {fact.name: fact.tag for fact in _first(facts, policy)}
    return tuple(first[name] for name in sorted(first))


def _first(facts: Sequence[TagFacts], policy: Policy) -> Sequence[TagFacts]:
    if policy.tag_series is None:
        return facts
    found: list[TagFacts] = []
    for criterion in policy.tag_series_by if policy.tag_series else ():
        order = _ORDER.get(criterion)
        by_criterion = sorted(facts, key=order) if order else facts
        found += by_criterion[: policy.tag_series]
    return found


@dataclass(frozen=True)
class ImageSummary:
    """Everything published of an image that one listing tells."""

    tags: int
    size: int | None
    largest_tag_size: int | None
    newest_tag_size: int | None
    pulled: int | None
    updated: int | None
    never_pulled_tags: int | None
    stale_tags: int | None
    reclaimable: int | None
    """Bytes that only stale tags refer to."""
    oversized_tags: int | None
    exposed: tuple[Tag, ...]
    """The tags with series of their own, by name."""
    platforms_exposed: bool
    """Whether each platform of these has series as well."""
    stale: Mapping[str, bool]
    """Which of the exposed tags are stale; those of which it is unknown are missing."""

    @property
    def used(self) -> int | None:
        """The newest pull or update of any tag: a new image never pulled is in use."""
        return largest((self.pulled, self.updated))

    @property
    def trusted(self) -> bool:
        """Whether the pull times of the tags were believed."""
        return self.never_pulled_tags is not None

    @property
    def pulls_are_known(self) -> bool:
        """Whether anything is known of pulls: else `used` is a push alone, and says not unused."""
        return self.pulled is not None or self.trusted

    @property
    def tags_without_series(self) -> int:
        """How many tags the cap leaves out."""
        return self.tags - len(self.exposed)


def summarize(tags: Sequence[Tag], policy: Policy, now: int, knowledge: Knowledge) -> ImageSummary:
    """Return what the tags of one complete listing amount to at `now` (ms); names are distinct."""
    facts = newest_first(tags)
    newest = facts[0] if facts and facts[0].updated is not None else None
    pulls = [fact.pulled for fact in facts]
    trusted = knowledge.trusts(tags)
    judged = trusted and policy.stale_after != inf
    staleness = stale_by_name(facts, policy, now) if judged else {}
    exposed = chosen(facts, policy)
    return ImageSummary(
        tags=len(tags),
        size=distinct_bytes(tags),
        largest_tag_size=largest([fact.size for fact in facts]),
        newest_tag_size=newest.size if newest else None,
        pulled=largest(pulls) or None,
        updated=newest.updated if newest else None,
        never_pulled_tags=pulls.count(NEVER) if trusted else None,
        stale_tags=sum(staleness.values()) if judged else None,
        reclaimable=reclaimable_bytes(tags, staleness) if judged else None,
        oversized_tags=oversized(facts, policy.tag_size_limit),
        exposed=exposed,
        platforms_exposed=policy.platform_series,
        stale={tag.name: staleness[tag.name] for tag in exposed if tag.name in staleness},
    )
