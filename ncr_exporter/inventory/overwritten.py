"""Tags whose content changed under the same name."""

from collections.abc import Iterable
from typing import NamedTuple

from ncr_exporter.inventory.facts import matching
from ncr_exporter.inventory.records import Tag


class Overwritten(NamedTuple):
    """A tag that came with other content than at the last complete listing."""

    name: str
    before: str
    after: str
    """The digests of the tag, or of its first platform."""


def overwritten_tags(
    before: Iterable[Tag], after: Iterable[Tag], immutable: Iterable[str]
) -> list[Overwritten]:
    """Return the tags that a glob of `immutable` matches and whose content is another now.

    A tag that was deleted and pushed again between the two listings is one of them. A listing that
    only lacks digests shows no change.
    """
    globs = tuple(immutable)
    if not globs:
        return []
    known = {tag.name: tag for tag in before}
    common = {tag.name: tag for tag in after if tag.name in known}
    return [
        Overwritten(name, _digest_of(known[name]), _digest_of(common[name]))
        for name in sorted(matching([*common], globs))
        if _is_other_content(known[name], common[name])
    ]


def _is_other_content(before: Tag, after: Tag) -> bool:
    """Compare the sets of platform digests, or where no platform has one the tags' own digests."""
    old, new = _platform_digests(before), _platform_digests(after)
    if not old and not new:
        return None not in (before.digest, after.digest) and before.digest != after.digest
    if not old or not new:
        return False
    if len(old) < len(before.platforms) or len(new) < len(after.platforms):
        return not (old <= new or new <= old)  # some record lacks its digest, or repeats one
    return old != new


def _platform_digests(tag: Tag) -> set[str]:
    return {platform.digest for platform in tag.platforms if platform.digest is not None}


def _digest_of(tag: Tag) -> str:
    return tag.digest or min(_platform_digests(tag), default="")
