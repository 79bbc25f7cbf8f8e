"""What failed when everything was polled once: for `once` and `check --online`."""

from collections.abc import Iterator
from dataclasses import dataclass

from ncr_exporter.state.model import Failure
from ncr_exporter.state.store import Store


@dataclass(frozen=True)
class FailedPoll:
    """Something that could not be had."""

    place: str
    """A registry, or registry/image."""
    failure: Failure
    matters: bool
    """False for an image list that no glob needs: its registry's images were polled by name."""


def failures(store: Store) -> Iterator[FailedPoll]:
    """Yield what failed in the last polls: registries first, images in the order of the store."""
    for registry in store.registries.values():
        if registry.failure is not None:
            yield FailedPoll(registry.target.label, registry.failure, registry.target.finds_images)
    for image in store.images.values():
        if image.failure is not None:
            yield FailedPoll("/".join(image.target.key), image.failure, matters=True)
