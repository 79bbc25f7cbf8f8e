"""What is published of an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from ncr_exporter.inventory.facts import newest_first
from ncr_exporter.inventory.policy import Policy
from ncr_exporter.inventory.records import NEVER, Tag, largest
from ncr_exporter.inventory.selection import chosen
from ncr_exporter.inventory.sizes import distinct_bytes, oversized, reclaimable_bytes
from ncr_exporter.inventory.staleness import Knowledge, stale_by_name


@dataclass(frozen=True)
class Image:
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


def evaluate(tags: Sequence[Tag], policy: Policy, now: int, knowledge: Knowledge) -> Image:
    """Return what the tags of one complete listing amount to at `now` (ms); names are distinct."""
    facts = newest_first(tags)
    newest = facts[0] if facts and facts[0].updated is not None else None
    pulls = [fact.pulled for fact in facts]
    trusted = knowledge.trusts(tags)
    judged = trusted and policy.stale_after != inf
    staleness = stale_by_name(facts, policy, now) if judged else {}
    exposed = chosen(facts, policy)
    return Image(
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
