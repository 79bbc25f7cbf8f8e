"""What of an earlier run is used, from the frames of its state file. Pure."""

from msgspec.structs import replace

from ncr_exporter.inventory import Knowledge
from ncr_exporter.state.evaluation import evaluate
from ncr_exporter.state.frames import (
    ClockFrame,
    DeletedFrame,
    Frame,
    ImageFrame,
    RegistryFrame,
    correction_of,
    decoded,
    moment,
    saved_image,
    saved_registry,
)
from ncr_exporter.state.saved import SavedState
from ncr_exporter.targets.targets import Coverage, ImageTarget, RegistryIdentity


class FrameReader:
    """Collects what the frames of a state file hold, one after the other."""

    def __init__(self, saved: SavedState, now: float, coverage: Coverage | None = None) -> None:
        """Add to `saved`; `now` is this host's time in seconds since the epoch.

        With `coverage`, images that it does not cover are left out, and the others are evaluated:
        the event loop would be held for seconds if the store had to do it.
        """
        self._saved = saved
        self._now = now
        self._coverage = coverage

    def add(self, encoded: bytes) -> None:
        """Add the next frame; one that cannot be used is counted."""
        try:
            self._add(decoded(encoded))
        except ValueError:
            self._saved.refused += 1

    def _add(self, frame: Frame) -> None:
        if isinstance(frame, ClockFrame):
            self._saved.correction = correction_of(frame, self._now)
            self._now += self._saved.correction
            return
        identity = (frame.zone, frame.registry)
        if isinstance(frame, RegistryFrame):
            self._saved.registries[identity] = saved_registry(frame, self._now)
            return
        target = None
        if self._coverage is not None:
            target = self._coverage.image(identity, frame.image)
            if target is None:
                return
        if isinstance(frame, DeletedFrame):
            at = moment(frame.at, self._now)
            self._saved.deleted.setdefault(identity, {})[frame.image] = at
        else:
            self._add_image(identity, frame, target)

    def _add_image(
        self, identity: RegistryIdentity, frame: ImageFrame, target: ImageTarget | None
    ) -> None:
        """Add an image, and evaluate it by its target's policy unless it is too old."""
        if frame.image in self._saved.images.get(identity, {}):
            raise ValueError("an image that stands there already")
        image, tags = saved_image(frame, self._now)
        images = self._saved.images.setdefault(identity, {})
        images[frame.image] = image
        usable = None if target is None else self._saved.image(target, self._now)
        if target is None or usable is None:
            return
        if image.tags.shows_pulls:
            self._saved.showing_pulls.add(identity)
        # An image before the first that shows a pull is evaluated again by the store.
        knowledge = Knowledge(identity in self._saved.showing_pulls, usable.pull_count)
        evaluation = evaluate(tags, target.policy, image.at, knowledge)
        images[frame.image] = replace(image, evaluation=evaluation)
