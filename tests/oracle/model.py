"""Contract §5 as a model: what was seen so far, and what of it still counts.

Shares no code with the program. It is told only what users could know, too: the configuration, the
answers of the API in their order, and both clocks. Nothing is kept that follows from something
else; what must be published follows in `tests.oracle.samples`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tests.oracle.computation import Json, cleaned, has_pulls
from tests.oracle.seen import Described, Entry, ModelImage, ModelRegistry, Moment, SeenList
from tests.oracle.settings import Settings, Wanted

TOLERATED = 300.0
"""Seconds that stored data may come from the future, after a clock was set back."""
DOUBTED = 4
"""Lists in a row with fewer names than they say that do not tell what is gone."""


class Model:
    """Everything that should be published."""

    def __init__(self) -> None:
        self.settings = Settings({}, None, 900.0, 86_400.0)
        self.registries: dict[str, ModelRegistry] = {}
        self.star_up: bool | None = None
        self.star_success: float | None = None
        self.short_lists = 0
        """Registry lists in a row that had fewer names than they said."""

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

    def is_answered(self, label: str, name: str, mono: float) -> bool:
        """Return whether an image list answers a poll that begins now, so that none is sent."""
        self.expire(mono)
        registry, interval = self.registries[label], self.settings.interval
        image, newest = registry.images[name], registry.newest
        if newest is None or image.listed_at is None or image.tags is None:
            return False
        since = image.listed_at.mono
        same = newest.entries.get(name) == image.listed_under is not None
        if newest.began > since and image.slipped:
            image.slipped = False
            registry.unlisted_changes += same
        if registry.unlisted_changes or not same or self.settings.relist_after is None:
            return False
        tells = newest.began > image.confirmed or mono - newest.ended.mono <= interval
        lasts = mono - since + interval / 2 < self.settings.relist_after
        return newest.began > since and tells and lasts

    def answered(self, label: str, name: str, now: Moment) -> None:
        """Take a poll in that the newest image list answered: nothing had changed by then."""
        assert self.is_answered(label, name, now.mono), f"{label}/{name} was not listed"
        registry, image = self._polled(label, name, now, 0.0)
        assert registry.newest is not None
        at = registry.newest.ended
        image.unchanged += 1
        image.up = True
        image.last_success, image.since, image.confirmed = round(at.wall, 3), at.mono, at.mono
        self.expire(now.mono)

    def entry(self, label: str, name: str) -> Entry | None:
        """Return an image's entry in the newest image list, if that is sound."""
        newest = self.registries[label].newest
        return newest.entries.get(name) if newest else None

    def tags_listed(  # noqa: PLR0913 -- what is known of a list, each by name
        self,
        label: str,
        name: str,
        tags: list[Json],
        now: Moment,
        took: float,
        *,
        entry: Entry | None,
    ) -> None:
        """Take a complete tag list in; one that turns empty is believed the second time.

        `entry` is the image's when it began.
        """
        registry, image = self._polled(label, name, now, took)
        image.up, image.not_found = True, False
        image.turned_empty = bool(image.tags) and not tags and not image.turned_empty
        if image.turned_empty:
            image.listed_at = None
            self._leave(registry, now)
            return
        before, listed = image.tags, cleaned(tags, now.wall * 1000)
        had_entry = image.listed_at is not None and image.listed_under == entry is not None
        image.slipped = had_entry and before is not None and before != listed
        image.listed_under, image.listed_at, image.confirmed = entry, now, now.mono
        image.tags, image.since = listed, now.mono
        image.last_success = round(now.wall, 3)
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

    def images_listed(  # noqa: PLR0913 -- what is known of a list, each by name
        self,
        label: str,
        pulls: dict[str, int],
        now: Moment,
        *,
        nameless: int,
        said: int,
        newest: SeenList | None = None,
    ) -> None:
        """Take a complete image list in: name → pulls, records without a name, and its count.

        With one without a name, or fewer than it says, it does not tell what is gone. `newest` is
        the same with all that a pull or a push changes, if the list agrees with itself.
        """
        self.expire(now.mono)
        registry = self.registries[label]
        registry.newest = newest
        is_short = said > len(pulls) + nameless
        registry.short_lists = registry.short_lists + 1 if is_short else 0
        whole = not nameless and not 1 <= registry.short_lists <= DOUBTED
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
            if name in pulls:
                image.count_pulls(pulls[name])
        self._leave(registry, now)
        if not emptied:
            registry.matched = self.wanted(label).matched_by(pulls)
            registry.excluded = self.wanted(label).excluded_by(pulls)
        for name, count in pulls.items():
            if name not in registry.images and self.wanted(label).finds(name):
                registry.images[name] = ModelImage(listed=True)
                registry.images[name].count_pulls(count)
                registry.deleted.pop(name, None)

    def images_failed(self, label: str, now: Moment, *, denied: bool) -> None:
        """Take a failed image list in."""
        self.expire(now.mono)
        registry = self.registries[label]
        registry.up, registry.denied = False, denied
        registry.newest = None
        self._leave(registry, now)

    def _leave(self, registry: ModelRegistry, now: Moment) -> None:
        """Take out what is gone; of an image that is named only its inventory."""
        for name, image in list(registry.images.items()):
            if image.gone(denied=registry.denied):
                image.tags = image.pulls = image.highest_pulls = None
                image.pulls_fell = False
                if not image.named:
                    del registry.images[name]
                    registry.deleted[name] = now

    def registries_listed(
        self, told: dict[str, tuple[str, bool]], now: Moment, *, nameless: int, said: int
    ) -> None:
        """Take a complete registry list in: name → private host, and whether it is public."""
        self.expire(now.mono)
        is_short = said > len(told) + nameless
        self.short_lists = self.short_lists + 1 if is_short else 0
        whole = not nameless and not 1 <= self.short_lists <= DOUBTED
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
        self.short_lists = 0
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
                    restored.images[name].pulls = restored.images[name].highest_pulls = None
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
            highest_pulls=image.pulls,
            listed_under=image.listed_under,
            listed_at=image.listed_at and now.before(image.listed_at.wall),
            confirmed=now.before(image.listed_at.wall).mono if image.listed_at else 0.0,
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
