"""Which tags get series of their own."""

from collections.abc import Sequence
from operator import attrgetter

from ncr_exporter.inventory.facts import Facts
from ncr_exporter.inventory.policy import Policy
from ncr_exporter.inventory.records import Tag

_ORDER = {"idle": attrgetter("by_idle"), "size": attrgetter("by_size")}
"""Criterion → what sorts by it; by "updated" facts are sorted already."""


def chosen(facts: Sequence[Facts], policy: Policy) -> tuple[Tag, ...]:
    """Return the tags with series of their own: the first N by each criterion, joined, by name.

    `facts` are newest first.
    """
    first = {fact.name: fact.tag for fact in _first(facts, policy)}
    return tuple(first[name] for name in sorted(first))


def _first(facts: Sequence[Facts], policy: Policy) -> Sequence[Facts]:
    if policy.tag_series is None:
        return facts
    found: list[Facts] = []
    for criterion in policy.tag_series_by if policy.tag_series else ():
        order = _ORDER.get(criterion)
        by_criterion = sorted(facts, key=order) if order else facts
        found += by_criterion[: policy.tag_series]
    return found
