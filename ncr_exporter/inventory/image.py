"""What is published of an image."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import inf
from operator import attrgetter

import msgspec

from ncr_exporter.inventory.facts import TagFacts, is_never_pulled, sort_out
from ncr_exporter.inventory.records import Policy, Tag, largest
from ncr_exporter.inventory.staleness import Knowledge, stale_by_name, steady_span


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
    """Return how many tags are larger than `limit` (bytes), or None without a limit."""
    return None if limit is None else sum((fact.size or 0) > limit for fact in facts)


_ORDER = {"idle": attrgetter("by_idle"), "size": attrgetter("by_size")}
"""Criterion → what sorts by it; facts are sorted by "updated" already."""


def chosen(facts: Sequence[TagFacts], policy: Policy) -> tuple[TagFacts, ...]:
    """Return the tags with series of their own: the first N by each criterion, joined, by name.

    `facts` are newest first.
    """
    first = {fact.name: fact for fact in _first(facts, policy)}
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


class ImageSummary(msgspec.Struct, frozen=True, gc=False):
    """Everything published of an image that one listing tells. Times are ms, sizes bytes."""

    tags: int
    attached_tags: int
    own_tags: int
    """Tags that are judged: neither attached to others nor ignored."""
    size: int | None
    largest_tag_size: int | None
    newest_tag_size: int | None
    pulled: int | None
    updated: int | None
    idle_since: int | None
    """The newest last use, at the latest, of all tags; None where one may be in use now."""
    never_pulled_tags: int | None
    stale_tags: int | None
    reclaimable: int | None
    """Bytes that only stale tags refer to."""
    oversized_tags: int | None
    tags_without_series: int
    """How many tags the cap leaves out."""
    exposed: tuple[TagFacts, ...]
    """The tags with series of their own, by name."""
    platforms_exposed: bool
    """Whether each platform of these has series as well."""
    stale: Mapping[str, bool]
    """Which of the exposed tags are stale; those of which it is unknown are missing."""
    span: tuple[float, float] = (-inf, inf)
    """The same tags come to the same summary after the first of these moments (ms), and up to and
    including the second: then some tag has been unused for `stale_after`."""

    def holds_at(self, now: int) -> bool:
        """Return whether the same tags, policy and knowledge come to this summary at `now` (ms)."""
        after, until = self.span
        return after < now <= until

    @property
    def used(self) -> int | None:
        """The newest known pull or update of any tag: a new image never pulled is in use."""
        return largest((self.pulled, self.updated))

    @property
    def never_pulled(self) -> bool:
        """Whether there are tags and all of them are known never to have been pulled."""
        return 0 < self.own_tags == self.never_pulled_tags

    @property
    def trusted(self) -> bool:
        """Whether records without a pull time were believed."""
        return self.never_pulled_tags is not None


def summarize(tags: Sequence[Tag], policy: Policy, now: int, knowledge: Knowledge) -> ImageSummary:
    """Return what the tags of one complete listing amount to at `now` (ms); names are distinct."""
    trusted = knowledge.trusts(tags)
    found = sort_out(tags, policy.ignore_tags, believed=trusted)
    judged = found.judged
    newest = judged[0] if judged and judged[0].updated is not None else None
    stale = stale_by_name(tags, found, policy, now)
    is_known = policy.stale_after != inf and (trusted or all(fact.name in stale for fact in judged))
    exposed = chosen(judged, policy)
    return ImageSummary(
        tags=len(tags),
        attached_tags=len(found.attached),
        own_tags=len(judged),
        size=distinct_bytes(tags),
        largest_tag_size=largest([fact.size for fact in judged]),
        newest_tag_size=newest.size if newest else None,
        pulled=largest([fact.pulled for fact in judged]) or None,
        updated=newest.updated if newest else None,
        idle_since=_idle_since(judged),
        never_pulled_tags=sum(map(is_never_pulled, judged)) if trusted else None,
        stale_tags=sum(stale.get(fact.name, False) for fact in judged) if is_known else None,
        reclaimable=reclaimable_bytes(tags, stale) if is_known else None,
        oversized_tags=oversized(judged, policy.tag_size_limit),
        tags_without_series=len(judged) - len(exposed),
        exposed=exposed,
        platforms_exposed=policy.platform_series,
        stale={fact.name: stale[fact.name] for fact in exposed if fact.name in stale},
        span=steady_span(judged, policy, now),
    )


def _idle_since(judged: Sequence[TagFacts]) -> int | None:
    if any(fact.latest is None for fact in judged):
        return None
    return largest([fact.latest for fact in judged])
