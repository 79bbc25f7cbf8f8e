"""What could go, and why not the rest: each tag's verdict with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from math import inf
from typing import NamedTuple

from ncr_exporter.inventory.attached import Attachment, names_by_digest
from ncr_exporter.inventory.facts import Sorted, TagFacts, matching, sort_out
from ncr_exporter.inventory.in_use import NOTHING_IN_USE, Usage
from ncr_exporter.inventory.records import Policy, Tag
from ncr_exporter.inventory.staleness import kept_by, stale_by_name

_ALIASES = 3
"""Aliases of a tag that are named."""


class Reason(Enum):
    """Why a tag is stale, why it is not, or why that is unknown."""

    UNUSED = "unused"
    IN_USE = "in use"
    RECENT = "one of the most recent"
    KEPT = "kept by a glob"
    USED = "used lately"
    SHARED = "used lately under another name"
    IGNORED = "ignored by a glob"
    ATTACHED = "belongs to another tag"
    PULLS_UNKNOWN = "its pulls are unknown"
    SUBJECT_UNKNOWN = "what it belongs to is not listed"
    USE_UNKNOWN = "the image runs by a digest that is not listed"
    OFF = "stale_after is never"


class Verdict(NamedTuple):
    """One tag, judged."""

    tag: Tag
    stale: bool | None
    """None where it is unknown."""
    reason: Reason
    other: str = ""
    """The glob that keeps or ignores it, or the tag that it belongs to or shares content with."""
    fact: TagFacts | None = None
    """None for a tag that is attached or ignored."""
    attachment: Attachment | None = None
    aliases: tuple[str, ...] = ()
    """Some other tags that share a manifest: deleting this one by digest may take them along."""

    @property
    def name(self) -> str:
        """The tag's name."""
        return self.tag.name

    @property
    def pulled(self) -> int | None:
        """The newest pull of its content (ms); of a tag that is not judged, by its own records."""
        return self.fact.pulled if self.fact else self.tag.pulled

    @property
    def latest(self) -> int | None:
        """Its last use at the latest (ms); None where unknown, and of a tag that is not judged."""
        return self.fact.latest if self.fact else None


def verdicts(
    tags: Sequence[Tag],
    policy: Policy,
    now: int,
    *,
    believed: bool,
    in_use: Usage = NOTHING_IN_USE,
) -> list[Verdict]:
    """Return the verdict of each tag of one complete listing at `now` (ms).

    Tags of their own come first, the most recently updated first; then attached and ignored ones
    by name. `believed`: a record without a pull time says that no pull was recorded.
    """
    found = sort_out(tags, policy.ignore_tags, believed=believed)
    court = _Court(
        found,
        kept_by(found.judged, policy),
        stale_by_name(tags, found, policy, now, in_use),
        now - policy.stale_after * 1000,
        in_use,
        names_by_digest(tags),
    )
    by_name = {tag.name: tag for tag in tags}
    attached = [court.of_attached(by_name[name]) for name in sorted(found.attached)]
    ignored = [court.of_ignored(by_name[name], policy) for name in sorted(found.ignored)]
    return [*map(court.of_own, found.judged), *attached, *ignored]


@dataclass(frozen=True)
class _Court:
    """What all verdicts of an image follow from."""

    found: Sorted
    kept: Mapping[str, str]
    stale: Mapping[str, bool]
    since: float
    in_use: Usage
    names_of: Mapping[str, Sequence[str]]

    def of_own(self, fact: TagFacts) -> Verdict:
        reason, other = self._reason(fact)
        stale = self.stale.get(fact.name)
        aliases = self._aliases(fact.tag)
        return Verdict(fact.tag, stale, reason, other, fact, aliases=aliases)

    def _reason(self, fact: TagFacts) -> tuple[Reason, str]:
        if fact.name in self.in_use.names:
            return Reason.IN_USE, ""
        if self.since == -inf:
            return Reason.OFF, ""
        if fact.earliest is not None and fact.earliest >= self.since:
            return self._use(fact)
        return self._idle(fact)

    def _idle(self, fact: TagFacts) -> tuple[Reason, str]:
        """Return why a tag that was not used lately is stale, or is not."""
        if fact.name in self.kept:
            keeper = self.kept[fact.name]
            return (Reason.RECENT, "") if keeper == "recent" else (Reason.KEPT, keeper)
        if self.stale.get(fact.name):
            return Reason.UNUSED, ""
        if self.in_use.is_uncertain and fact.latest is not None:
            return Reason.USE_UNKNOWN, ""
        return Reason.PULLS_UNKNOWN, ""

    def _use(self, fact: TagFacts) -> tuple[Reason, str]:
        own = max(fact.tag.pulled or 0, fact.updated or 0)
        if own >= self.since:
            return Reason.USED, ""
        return Reason.SHARED, next(iter(self._aliases(fact.tag)), "")

    def of_attached(self, tag: Tag) -> Verdict:
        attachment = self.found.attached[tag.name]
        subjects = self.names_of.get(attachment.subject, ())
        subject = next((name for name in subjects if name != tag.name), "")
        reason = Reason.ATTACHED if subject else Reason.SUBJECT_UNKNOWN
        stale = self.stale.get(tag.name)
        return Verdict(tag, stale, reason, subject, attachment=attachment)

    def of_ignored(self, tag: Tag, policy: Policy) -> Verdict:
        glob = next(glob for glob in policy.ignore_tags if matching([tag.name], (glob,)))
        return Verdict(tag, stale=False, reason=Reason.IGNORED, other=glob)

    def _aliases(self, tag: Tag) -> tuple[str, ...]:
        """Return a few: ten thousand tags of one digest would have ten thousand aliases each."""
        names = (name for digest in tag.digests for name in self.names_of[digest])
        others = dict.fromkeys(islice((name for name in names if name != tag.name), _ALIASES))
        return tuple(others)
