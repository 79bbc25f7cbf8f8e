"""Contract §5 as a model: what was seen so far, and what of it still counts.

Shares no code with the program. It is told only what users could know, too: the configuration, the
answers of the API in their order, and both clocks. Nothing is kept that follows from something
else; what must be published follows in `tests.oracle.samples`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tests.oracle.computation import Json, cleaned, has_pulls
from tests.oracle.seen import Described, ModelImage, ModelRegistry, Moment
from tests.oracle.settings import Settings, Wanted

TOLERATED = 300.0
"""Seconds that stored data may come from the future, after a clock was set back."""


class Model:
    """Everything that should be published."""

    def __init__(self) -> None:
        self.settings = Settings({}, None, 900.0, 86_400.0)
        self.registries: dict[str, ModelRegistry] = {}
        self.star_up: bool | None = None
        self.star_success: float | None = None

    # What happens

    def configured(self, settings: Settings) -> None:
        """Take another configuration in: what is still asked for stays."""
        had_star = self.settings.every is not None
        self.settings = settings
        if settings.every is None or not had_star:
            self.star_up = self.star_success = None
        for label, registry in list(self.registries.items()):
            was_named, registry.found = not registry.found, label not in settings.named
            if was_named:
                registry.absences = 0  # of one that is named no absence was counted
            if registry.found and settings.every is None:
                del self.registries[label]
        for label in settings.named:
            self.registries.setdefault(label, ModelRegistry(found=False))
        for label, registry in self.registries.items():
            self._choose_anew(label, registry)

    def _choose_anew(self, label: str, registry: ModelRegistry) -> None:
        wanted, before = self.wanted(label), registry.images
        registry.images = {name: ModelImage(named=True) for name in wanted.named()}
        for name, image in before.items():
            if name in registry.images or (wanted.finds(name) and self._exists(registry, image)):
                registry.images[name] = image
                image.named = name in wanted.named()
        registry.deleted = {
            name: at
            for name, at in registry.deleted.items()
            if name not in registry.images and wanted.finds(name)
        }
        registry.matched = {
            glob: count for glob, count in registry.matched.items() if glob in wanted.globs()
        }
        registry.excluded = {
            glob: count for glob, count in registry.excluded.items() if glob in wanted.exclude
        }

    def _exists(self, registry: ModelRegistry, image: ModelImage) -> bool:
        """Tell whether an image was found, or is known to be there, so that a glob may find it."""
        known = bool(image.listed) or image.last_success is not None
        return not image.named or (known and not image.gone(denied=registry.denied))

    def tags_listed(
        self, label: str, name: str, tags: list[Json], now: Moment, took: float
    ) -> None:
        """Take a complete tag list in."""
        registry, image = self._polled(label, name, now, took)
        image.tags, image.since = cleaned(tags, now.wall * 1000), now.mono
        image.last_success, image.up = round(now.wall, 3), True
        image.not_found = False
        registry.has_pulls |= has_pulls(image.tags)
        self._leave(registry, now)

    def tags_failed(
        self, label: str, name: str, now: Moment, took: float, *, not_found: bool
    ) -> None:
        """Take a failed poll in; `not_found` where the service itself said so."""
        registry, image = self._polled(label, name, now, took)
        image.up = False
        image.failures += 1
        image.not_found |= not_found
        self._leave(registry, now)

    def _polled(
        self, label: str, name: str, now: Moment, took: float
    ) -> tuple[ModelRegistry, ModelImage]:
        self.expire(now.mono)
        registry = self.registries[label]
        image = registry.images[name]
        image.polls += 1
        image.took = round(took, 6)
        return registry, image

    def images_listed(self, label: str, pulls: dict[str, int], now: Moment, *, whole: bool) -> None:
        """Take a complete image list in: name → pulls.

        Not `whole`: it held a record without a name, and so does not tell what is gone.
        """
        self.expire(now.mono)
        registry = self.registries[label]
        emptied = not pulls and bool(registry.count) and not registry.was_empty
        registry.count = registry.count if emptied else len(pulls)
        registry.was_empty = emptied
        registry.up, registry.denied = True, False
        registry.last_success, registry.since = round(now.wall, 3), now.mono
        for name, image in registry.images.items():
            if not whole and name not in pulls:
                continue
            image.listed = name in pulls
            image.absences = 0 if image.listed else image.absences + 1
            image.not_found &= not image.listed
            image.pulls = pulls.get(name, image.pulls)
        self._leave(registry, now)
        if not emptied:
            registry.matched = self.wanted(label).matched_by(pulls)
            registry.excluded = self.wanted(label).excluded_by(pulls)
        for name, count in pulls.items():
            if name not in registry.images and self.wanted(label).finds(name):
                registry.images[name] = ModelImage(listed=True, pulls=count)
                registry.deleted.pop(name, None)

    def images_failed(self, label: str, now: Moment, *, denied: bool) -> None:
        """Take a failed image list in."""
        self.expire(now.mono)
        registry = self.registries[label]
        registry.up, registry.denied = False, denied
        self._leave(registry, now)

    def _leave(self, registry: ModelRegistry, now: Moment) -> None:
        """Take out what is gone; of an image that is named only its inventory."""
        for name, image in list(registry.images.items()):
            if image.gone(denied=registry.denied):
                image.tags = image.pulls = None
                if not image.named:
                    del registry.images[name]
                    registry.deleted[name] = now

    def registries_listed(
        self, told: dict[str, tuple[str, bool]], now: Moment, *, whole: bool
    ) -> None:
        """Take a complete registry list in: name → private host, and whether it is public."""
        self.expire(now.mono)
        if self.settings.every is not None:
            self.star_up, self.star_success = True, round(now.wall, 3)
            self._find(told, whole=whole)
        for label, (private_host, public) in told.items():
            if label in self.registries:
                self.registries[label].described = Described(private_host, public, now)

    def _find(self, told: Iterable[str], *, whole: bool) -> None:
        """Begin with registries that are new, and end those that two lists in a row lacked."""
        for label in told:
            if label not in self.registries:
                self.registries[label] = ModelRegistry(found=True)
                self._choose_anew(label, self.registries[label])
        for label, registry in list(self.registries.items()):
            if label in told:
                registry.absences = 0
            elif whole:
                registry.absences += 1
            if registry.found and registry.absences >= 2:
                del self.registries[label]

    def registries_failed(self) -> None:
        """Take a failed registry list in."""
        if self.settings.every is not None:
            self.star_up = False

    def expire(self, mono: float) -> None:
        """Take out what is too old."""

        def is_old(since: float) -> bool:
            return mono - since >= self.settings.expire_after - 1e-6

        for registry in self.registries.values():
            if registry.described is not None and is_old(registry.described.at.mono):
                registry.described = None
            lists_are_old = registry.last_success is not None and is_old(registry.since)
            if lists_are_old:
                registry.count = None
                registry.matched, registry.excluded = {}, {}
            for name, at in list(registry.deleted.items()):
                if is_old(at.mono):
                    del registry.deleted[name]
            for image in registry.images.values():
                if lists_are_old:
                    image.pulls = None
                if is_old(image.since):
                    image.tags = None

    def restarted(self, now: Moment) -> None:
        """Begin anew with what was kept."""
        kept, self.registries = self.registries, {}
        self.star_up = self.star_success = None
        for label, registry in kept.items():
            if label in self.settings.named or _is_believed(registry.last_success, now):
                self.registries[label] = self._restored(label, registry, now)
        for label in self.registries:
            self._choose_anew(label, self.registries[label])

    def _restored(self, label: str, registry: ModelRegistry, now: Moment) -> ModelRegistry:
        restored, at = ModelRegistry(found=registry.found), registry.last_success
        if at is not None and self._is_kept(at, now):
            restored.count, restored.last_success = registry.count, at
            restored.since = now.before(at).mono
        told = registry.described
        if told is not None and _is_believed(at, now) and self._is_kept(told.at.wall, now):
            restored.described = replace(told, at=now.before(told.at.wall))
        wanted, named = self.wanted(label), self.wanted(label).named()
        for name, image in registry.images.items():
            is_there = image.tags is not None and _is_believed(image.last_success, now)
            if is_there and (name in named or wanted.finds(name)):
                restored.images[name] = self._restored_image(image, now)
                restored.images[name].named = name in named
                if restored.last_success is None:
                    restored.images[name].pulls = None
        for name, known_at in registry.deleted.items():
            if self._is_kept(known_at.wall, now):
                restored.deleted[name] = now.before(known_at.wall)
        known = (image.tags for image in restored.images.values())
        restored.has_pulls = any(has_pulls(tags) for tags in known if tags)
        return restored

    def _restored_image(self, image: ModelImage, now: Moment) -> ModelImage:
        at, tags = image.last_success, image.tags
        if at is None or tags is None or not self._is_kept(at, now):
            return ModelImage()
        return ModelImage(
            tags=cleaned(tags, now.wall * 1000),
            since=now.before(at).mono,
            last_success=at,
            pulls=image.pulls,
        )

    def _is_kept(self, at: float, now: Moment) -> bool:
        return _is_believed(at, now) and now.wall - at < self.settings.expire_after

    def subjects(self) -> Iterator[tuple[str, ...]]:
        """Yield what is to be asked for: all registries, each one's images, each image's tags."""
        yield ()
        for label, registry in self.registries.items():
            yield (label,)
            yield from ((label, name) for name in registry.images)

    def wanted(self, label: str) -> Wanted:
        wanted = self.settings.named.get(label, self.settings.every)
        assert wanted is not None
        return wanted


def _is_believed(at: float | None, now: Moment) -> bool:
    """Tell whether what was stored is not of the future, but for a little."""
    return at is not None and at <= now.wall + TOLERATED
