"""Which tags get series of their own."""

from collections.abc import Callable, Sequence

from ncr_exporter.inventory.policy import Policy
from ncr_exporter.inventory.records import Tag


def chosen(tags: Sequence[Tag], policy: Policy) -> tuple[Tag, ...]:
    """Return the tags with series of their own: the first N by each criterion, joined, by name."""
    if policy.tag_series is None:
        return tuple(sorted(tags, key=_by_name))
    orders = [_CRITERIA[criterion] for criterion in policy.tag_series_by]
    first = {
        tag.name: tag for order in orders for tag in sorted(tags, key=order)[: policy.tag_series]
    }
    return tuple(first[name] for name in sorted(first))


def _by_name(tag: Tag) -> str:
    return tag.name


def by_updated(tag: Tag) -> tuple[int, str]:
    """Newest first, those without a time last; by name where equal, so that choices are stable."""
    return (-(tag.updated or 0), tag.name)


def _by_idle(tag: Tag) -> tuple[bool, int, str]:
    """Longest unused first; tags whose last pull or update is unknown after all that is known."""
    used = tag.used
    return (used is None, used or 0, tag.name)


def _by_size(tag: Tag) -> tuple[int, str]:
    return (-(tag.size or 0), tag.name)


_CRITERIA: dict[str, Callable[[Tag], tuple[object, ...]]] = {
    "updated": by_updated,
    "idle": _by_idle,
    "size": _by_size,
}
