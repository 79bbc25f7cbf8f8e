"""Which tags of an image run, by the references that a cluster shows."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ncr_exporter.inventory.attached import names_by_digest
from ncr_exporter.inventory.records import Tag


class Usage(NamedTuple):
    """What of one image runs."""

    names: frozenset[str] = frozenset()
    """The tags that run."""
    is_uncertain: bool = False
    """Whether the image also runs by a digest that no tag is listed with: any tag may be that."""


NOTHING_IN_USE = Usage()


class Running(NamedTuple):
    """The references to one image: by tag, by digest, or by both."""

    tag: str = ""
    digest: str = ""


def usage_of(tags: Sequence[Tag], running: Iterable[Running]) -> Usage:
    """Return which tags of a complete listing run.

    A tag that shares a listed digest with one that runs, runs too. The digest that a container
    runtime reports for a multi-platform image is its index's, which NCR lists nowhere. So where an
    image runs by such a digest alone, nothing is known of any of its tags.
    """
    references = tuple(running)
    if not references:
        return NOTHING_IN_USE
    names_of = names_by_digest(tags)
    named = {reference.tag for reference in references} & {tag.name for tag in tags}
    digests = {reference.digest for reference in references if reference.digest in names_of}
    digests.update(digest for tag in tags if tag.name in named for digest in tag.digests)
    running_names = named.union(*(names_of[digest] for digest in digests))
    uncertain = any(
        reference.digest and reference.digest not in names_of and reference.tag not in named
        for reference in references
    )
    return Usage(frozenset(running_names), uncertain)
