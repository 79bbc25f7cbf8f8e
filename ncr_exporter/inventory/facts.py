"""What follows from each tag's records and from those that share its content."""

import fnmatch
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from ncr_exporter.inventory.attached import Attachment, attachment_of
from ncr_exporter.inventory.records import NEVER, RECORDED_SINCE, Tag, newest_pull


class TagFacts(msgspec.Struct, frozen=True, gc=False):
    """One tag that is judged. Times are milliseconds, sizes bytes; None is unknown."""

    tag: Tag
    name: str
    size: int | None
    updated: int | None
    pulled: int | None
    """The newest pull of its content, under whatever name; `NEVER` where none was recorded."""
    earliest: int | None
    """Its last use at the earliest: the later of its last known pull and its update."""
    latest: int | None
    """Its last use at the latest; None where it may have been used just now."""

    @property
    def by_idle(self) -> tuple[bool, int, str]:
        """Sorts longest unused first, and tags of whose use nothing is known after all others."""
        return (self.latest is None, self.latest or 0, self.name)

    @property
    def by_size(self) -> tuple[int, str]:
        """Sorts largest first."""
        return (-(self.size or 0), self.name)


class Sorted(NamedTuple):
    """The tags of one listing by what is asked of them."""

    judged: list[TagFacts]
    """The most recently updated first."""
    attached: dict[str, Attachment]
    ignored: frozenset[str]


def sort_out(tags: Sequence[Tag], ignore: Collection[str], *, believed: bool) -> Sorted:
    """Return the tags of one complete listing by what is asked of them.

    `ignore` are globs. `believed`: a record without a pull time says that no pull was recorded.
    """
    attached = {tag.name: found for tag in tags if (found := attachment_of(tag.name))}
    ignored = matching([tag.name for tag in tags if tag.name not in attached], ignore)
    own = [tag for tag in tags if tag.name not in attached and tag.name not in ignored]
    pulls = pulls_by_content(tags)
    facts = [_facts_of(tag, pulls[tag.name], believed=believed) for tag in own]
    return Sorted(sorted(facts, key=_newest_first), attached, ignored)


def matching(names: Sequence[str], globs: Iterable[str]) -> frozenset[str]:
    """Return the names that any of the globs matches."""
    found: set[str] = set()
    for glob in globs:
        if any(sign in glob for sign in "*?["):
            found.update(fnmatch.filter(names, glob))
        elif glob in names:  # most globs are plain names, and a look costs a tenth
            found.add(glob)
    return frozenset(found)


def pulls_by_content(tags: Iterable[Tag]) -> dict[str, int | None]:
    """Return each tag's newest pull: `NEVER` where none was recorded, None where that is unknown.

    Tags that share a manifest are one content: what was pulled by one name is in use under each,
    and deleting one name may take the others along. So a tag was last pulled when any record of
    one of its manifests was.
    """
    listed = tuple(tags)
    newest: dict[str | None, int | None] = {}
    for tag in listed:
        for platform in tag.platforms:
            digest = platform.digest or tag.digest
            if digest in newest:
                newest[digest] = newest_pull((newest[digest], platform.pulled))
            elif digest is not None:
                newest[digest] = platform.pulled
    return {tag.name: _pull_of(tag, newest) for tag in listed}


def _pull_of(tag: Tag, newest: Mapping[str | None, int | None]) -> int | None:
    """Return the newest pull of the digests that a tag is listed with; no records tell nothing."""
    if len(tag.platforms) == 1 and tag.platforms[0].digest in {tag.digest, None}:  # most tags
        return newest.get(tag.digest, tag.platforms[0].pulled)
    pulls = [
        newest.get(platform.digest or tag.digest, platform.pulled) for platform in tag.platforms
    ] or [None]
    if tag.digest in newest:
        pulls.append(newest[tag.digest])
    return newest_pull(pulls)


def _facts_of(tag: Tag, pulled: int | None, *, believed: bool) -> TagFacts:
    updated = tag.updated
    earliest = max(pulled or 0, updated or 0) or None
    latest = _latest(pulled, updated, believed)
    return TagFacts(tag, tag.name, tag.size, updated, pulled, earliest, latest)


def _latest(pulled: int | None, updated: int | None, believed: bool) -> int | None:  # noqa: FBT001 -- three facts of one tag
    """Return the last use at the latest, or None where it may be now.

    Where no pull was recorded there may have been one before pulls were recorded at all.
    """
    if pulled:
        return max(pulled, updated or 0)
    if pulled is None or updated is None or not believed:
        return None
    return max(updated, RECORDED_SINCE)


def is_never_pulled(fact: TagFacts) -> bool:
    """Return whether a tag is known never to have been pulled, where `NEVER` is believed."""
    return fact.pulled == NEVER and fact.updated is not None and fact.updated >= RECORDED_SINCE


def _newest_first(fact: TagFacts) -> tuple[int, str]:
    """Sorts the most recently updated first, those without a time last, then by name."""
    return (-(fact.updated or 0), fact.name)
