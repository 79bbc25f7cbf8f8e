"""What saved listings amount to, worked out before they are put in force. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from ncr_exporter.inventory import Knowledge
from ncr_exporter.state.evaluation import evaluate
from ncr_exporter.state.saved import SavedImage, SavedState
from ncr_exporter.targets.targets import Coverage, ImageTarget, RegistryIdentity


def evaluate_saved(saved: SavedState, coverage: Coverage, now: float) -> Iterator[None]:
    """Evaluate the saved images that are not too old at `now` (s), one in each step.

    The event loop would be held for seconds if the store had to do it.
    """
    for identity, images in saved.images.items():
        usable = list(_usable(saved, identity, coverage, now))
        recorded = any(image.tags.shows_pulls for _, image in usable)
        if recorded:
            saved.showing_pulls.add(identity)
        for target, image in usable:
            knowledge = Knowledge(recorded, image.pull_count)
            evaluation = evaluate(image.tags, target.policy, image.at, knowledge)
            images[target.name] = replace(images[target.name], evaluation=evaluation)
            yield


def _usable(
    saved: SavedState, identity: RegistryIdentity, coverage: Coverage, now: float
) -> Iterator[tuple[ImageTarget, SavedImage]]:
    for name in saved.images[identity]:
        target = coverage.image(identity, name)
        image = saved.image(target, now) if target else None
        if target and image:
            yield target, image
