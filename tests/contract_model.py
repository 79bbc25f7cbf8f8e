"""Contract §5 as a model: what was seen so far, and what of it still counts.

Shares no code with the program. It is told only what users could know, too: the configuration, the
answers of the API in their order, and both clocks. Nothing is kept that follows from something
else; what must be published follows in `tests.contract_samples`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from tests.independent import Json, Rules, cleaned, has_pulls

EVERY = "*"
TOLERATED = 300.0
"""Seconds that stored data may come from the future, after a clock was set back."""


@dataclass(frozen=True)
class Wanted:
    """What the configuration asks of a registry: the first pattern that matches decides."""

    rules: tuple[tuple[str, Rules], ...]
    exclude: tuple[str, ...] = ()

    def named(self) -> list[str]:
        return [pattern for pattern, _ in self.rules if EVERY not in pattern]

    def finds(self, image: str) -> bool:
        """Tell whether an image is wanted that is not named."""
        excluded = any(fnmatchcase(image, pattern) for pattern in self.exclude)
        return not excluded and any(fnmatchcase(image, pattern) for pattern, _ in self.rules)

    def rules_of(self, image: str) -> Rules:
        return next(rules for pattern, rules in self.rules if fnmatchcase(image, pattern))


@dataclass(frozen=True)
class Settings:
    """A whole configuration; seconds."""

    named: dict[str, Wanted]
    every: Wanted | None
    interval: float
    expire_after: float


@dataclass
class ModelImage:
    """What was seen of an image."""

    named: bool = False
    """Whether the configuration names it rather than finding it by a glob."""
    tags: list[Json] | None = None
    """Of the last complete listing; None once it expired, and when the image is gone."""
    since: float = 0.0
    """Monotonic time of that listing."""
    last_success: float | None = None
    """The same by the wall clock."""
    up: bool | None = None
    polls: int = 0
    failures: int = 0
    pulls: int | None = None
    listed: bool | None = None
    absences: int = 0
    not_found: bool = False

    def gone(self, *, denied: bool) -> bool:
        unlisted = self.listed is False or denied
        return self.absences >= 2 or (self.not_found and unlisted)


@dataclass(frozen=True)
class Described:
    """What the registry list tells of a registry, and when it told it by both clocks."""

    private_host: str
    public: bool
    wall: float
    mono: float


@dataclass
class ModelRegistry:
    """What was seen of a registry."""

    found: bool
    """Whether a list found it rather than the configuration."""
    images: dict[str, ModelImage] = field(default_factory=dict)
    up: bool | None = None
    denied: bool = False
    count: int | None = None
    was_empty: bool = False
    last_success: float | None = None
    since: float = 0.0
    described: Described | None = None
    has_pulls: bool = False
    absences: int = 0


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

    def _exists(self, registry: ModelRegistry, image: ModelImage) -> bool:
        """Tell whether an image was found, or is known to be there, so that a glob may find it."""
        known = bool(image.listed) or image.last_success is not None
        return not image.named or (known and not image.gone(denied=registry.denied))

    def tags_listed(
        self, label: str, name: str, tags: list[Json], wall: float, mono: float
    ) -> None:
        """Take a complete tag list in."""
        self.expire(mono)
        registry = self.registries[label]
        image = registry.images[name]
        image.tags, image.since = cleaned(tags, wall * 1000), mono
        image.last_success, image.up = round(wall, 3), True
        image.polls += 1
        image.not_found = False
        registry.has_pulls |= has_pulls(image.tags)
        self._leave(registry)

    def tags_failed(self, label: str, name: str, mono: float, *, not_found: bool) -> None:
        """Take a failed poll in; `not_found` where the service itself said so."""
        self.expire(mono)
        registry = self.registries[label]
        image = registry.images[name]
        image.up = False
        image.polls += 1
        image.failures += 1
        image.not_found |= not_found
        self._leave(registry)

    def images_listed(
        self, label: str, pulls: dict[str, int], wall: float, mono: float, *, whole: bool
    ) -> None:
        """Take a complete image list in: name → pulls.

        Not `whole`: it held a record without a name, and so does not tell what is gone.
        """
        self.expire(mono)
        registry = self.registries[label]
        emptied = not pulls and bool(registry.count) and not registry.was_empty
        registry.count = registry.count if emptied else len(pulls)
        registry.was_empty = emptied
        registry.up, registry.denied = True, False
        registry.last_success, registry.since = round(wall, 3), mono
        for name, image in registry.images.items():
            if not whole and name not in pulls:
                continue
            image.listed = name in pulls
            image.absences = 0 if image.listed else image.absences + 1
            image.not_found &= not image.listed
            image.pulls = pulls.get(name, image.pulls)
        self._leave(registry)
        for name, count in pulls.items():
            if name not in registry.images and self.wanted(label).finds(name):
                registry.images[name] = ModelImage(listed=True, pulls=count)

    def images_failed(self, label: str, mono: float, *, denied: bool) -> None:
        """Take a failed image list in."""
        self.expire(mono)
        registry = self.registries[label]
        registry.up, registry.denied = False, denied
        self._leave(registry)

    def _leave(self, registry: ModelRegistry) -> None:
        """Take out what is gone; of an image that is named only its inventory."""
        for name, image in list(registry.images.items()):
            if image.gone(denied=registry.denied):
                image.tags = image.pulls = None
                if not image.named:
                    del registry.images[name]

    def registries_listed(
        self, told: dict[str, tuple[str, bool]], wall: float, mono: float, *, whole: bool
    ) -> None:
        """Take a complete registry list in: name → private host, and whether it is public."""
        self.expire(mono)
        if self.settings.every is not None:
            self.star_up, self.star_success = True, round(wall, 3)
            self._find(told, whole=whole)
        for label, (private_host, public) in told.items():
            if label in self.registries:
                self.registries[label].described = Described(private_host, public, wall, mono)

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
            if registry.described is not None and is_old(registry.described.mono):
                registry.described = None
            lists_are_old = registry.last_success is not None and is_old(registry.since)
            if lists_are_old:
                registry.count = None
            for image in registry.images.values():
                if lists_are_old:
                    image.pulls = None
                if is_old(image.since):
                    image.tags = None

    def restarted(self, wall: float, mono: float) -> None:
        """Begin anew with what was kept."""
        kept, self.registries = self.registries, {}
        self.star_up = self.star_success = None
        for label, registry in kept.items():
            at = registry.last_success
            if label not in self.settings.named and (at is None or at > wall + TOLERATED):
                continue
            self.registries[label] = self._restored(label, registry, wall, mono)
        for label, registry in self.registries.items():
            for name in self.wanted(label).named():
                registry.images.setdefault(name, ModelImage(named=True))

    def _restored(
        self, label: str, registry: ModelRegistry, wall: float, mono: float
    ) -> ModelRegistry:
        restored = ModelRegistry(found=registry.found)
        is_kept = self._is_kept(registry.last_success, wall)
        if is_kept and registry.last_success is not None:
            restored.count, restored.last_success = registry.count, registry.last_success
            restored.since = mono - max(0.0, wall - registry.last_success)
        told, listed = registry.described, registry.last_success
        is_stored = listed is not None and listed <= wall + TOLERATED
        if told is not None and is_stored and self._is_kept(told.wall, wall):
            restored.described = replace(told, mono=mono - max(0.0, wall - told.wall))
        wanted = self.wanted(label)
        for name, image in registry.images.items():
            at = image.last_success
            if image.tags is None or at is None or at > wall + TOLERATED:
                continue
            if name in wanted.named() or wanted.finds(name):
                named = name in wanted.named()
                restored.images[name] = ModelImage(named)
                if self._is_kept(at, wall):
                    restored.images[name] = ModelImage(
                        named=named,
                        tags=cleaned(image.tags, wall * 1000),
                        since=mono - max(0.0, wall - at),
                        last_success=at,
                        pulls=image.pulls if is_kept else None,
                    )
        known = (image.tags for image in restored.images.values())
        restored.has_pulls = any(has_pulls(tags) for tags in known if tags)
        return restored

    def _is_kept(self, at: float | None, wall: float) -> bool:
        return at is not None and at <= wall + TOLERATED and wall - at < self.settings.expire_after

    def wanted(self, label: str) -> Wanted:
        wanted = self.settings.named.get(label, self.settings.every)
        assert wanted is not None
        return wanted
