"""Bytes of an image. Any sum is an upper bound of what is stored: manifests share layers."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from ncr_exporter.inventory.facts import Facts
from ncr_exporter.inventory.records import Tag


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


def oversized(facts: Iterable[Facts], limit: int | None) -> int | None:
    """Return how many tags are larger than `limit`, or None where there is none."""
    return None if limit is None else sum((fact.size or 0) > limit for fact in facts)
