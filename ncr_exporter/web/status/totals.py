"""Sums over everything, and failures put together by their cause. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ncr_exporter.state.model import Failure, ImageState, RegistryState
from ncr_exporter.web.status.images import Standing, standing


@dataclass
class Trouble:
    """All images that fail for one reason."""

    failure: Failure
    """That of the first; messages of one reason differ in details alone."""
    images: int = 0


@dataclass
class Totals:
    """Sums of what is known."""

    images: int = 0
    standings: Counter[Standing] = field(default_factory=Counter)
    polled: Counter[str] = field(default_factory=Counter)
    """Images that are polled, by the label of their registry."""
    listed: int = 0
    """Images whose tags are known."""
    tags: int = 0
    size: int = 0
    stale_tags: int = 0
    reclaimable: int = 0
    judged: bool = False
    """Whether of any image it is known which tags are stale."""
    images_with_stale_tags: int = 0
    troubles: dict[str, Trouble] = field(default_factory=dict)

    def add(self, state: ImageState) -> None:
        """Count an image in."""
        self.images += 1
        self.standings[standing(state)] += 1
        self.polled[state.target.registry.label] += 1
        if state.failure is not None:
            trouble = self.troubles.setdefault(state.failure.reason, Trouble(state.failure))
            trouble.images += 1
        if state.image is not None:
            self.listed += 1
            self.tags += state.image.tags
            self.size += state.image.size or 0
            if state.image.stale_tags is not None:
                self.judged = True
                self.stale_tags += state.image.stale_tags
                self.images_with_stale_tags += state.image.stale_tags > 0
                self.reclaimable += state.image.reclaimable or 0

    @property
    def by_weight(self) -> list[Trouble]:
        """The troubles, that of most images first."""
        return sorted(self.troubles.values(), key=lambda trouble: -trouble.images)


def totals_of(states: Iterable[ImageState]) -> Totals:
    """Return the sums over all images."""
    totals = Totals()
    for state in states:
        totals.add(state)
    return totals


def in_trouble_first(registries: Iterable[RegistryState]) -> list[RegistryState]:
    """Return the registries by name, those whose list fails before the others."""
    return sorted(registries, key=lambda state: (state.failure is None, state.target.label))
