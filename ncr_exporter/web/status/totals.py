"""Sums over all images, and their failures grouped by reason. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ncr_exporter.state.model import Failure, ImageState, RegistryState
from ncr_exporter.web.status.images import PollStatus, poll_status


@dataclass
class FailureGroup:
    """The images that fail for one reason."""

    failure: Failure
    """The failure of the first image; the messages of the others differ only in details."""
    images: int = 0


@dataclass
class Totals:
    """Sums over all images. Unknown values add nothing."""

    images: int = 0
    poll_statuses: Counter[PollStatus] = field(default_factory=Counter)
    polled: Counter[str] = field(default_factory=Counter)
    """Number of images by the label of their registry."""
    listed: int = 0
    """Images whose tags are known."""
    tags: int = 0
    size: int = 0
    """Bytes."""
    stale_tags: int = 0
    reclaimable: int = 0
    """Bytes that only stale tags refer to."""
    staleness_is_known: bool = False
    """Whether the stale tags of at least one image are known."""
    images_with_stale_tags: int = 0
    failures: dict[str, FailureGroup] = field(default_factory=dict)
    """By reason."""

    def add(self, state: ImageState) -> None:
        """Add one image to the sums."""
        self.images += 1
        self.poll_statuses[poll_status(state)] += 1
        self.polled[state.target.registry.label] += 1
        if state.failure is not None:
            group = self.failures.setdefault(state.failure.reason, FailureGroup(state.failure))
            group.images += 1
        if state.image is not None:
            self.listed += 1
            self.tags += state.image.tags
            self.size += state.image.size or 0
            if state.image.stale_tags is not None:
                self.staleness_is_known = True
                self.stale_tags += state.image.stale_tags
                self.images_with_stale_tags += state.image.stale_tags > 0
                self.reclaimable += state.image.reclaimable or 0

    @property
    def failures_by_images(self) -> list[FailureGroup]:
        """The groups of failures, the one with the most images first."""
        return sorted(self.failures.values(), key=lambda group: -group.images)


def totals_of(states: Iterable[ImageState]) -> Totals:
    """Return the sums over all images."""
    totals = Totals()
    for state in states:
        totals.add(state)
    return totals


def failing_first(registries: Iterable[RegistryState]) -> list[RegistryState]:
    """Return the registries sorted by name, those whose image list failed before the others."""
    return sorted(registries, key=lambda state: (state.failure is None, state.target.label))
