"""The images and registries now in force. A state is never edited: a new one replaces it."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

from ncr_exporter.inventory import Knowledge, Tag, records_pulls
from ncr_exporter.ncr.pages import ListedImage
from ncr_exporter.state.evaluation import Evaluation, is_outdated, summary_of
from ncr_exporter.state.model import Failure, Hosts, ImageState, Poll, RegistryState
from ncr_exporter.targets.targets import ImageKey, ImageTarget, RegistryTarget

RECENT_POLLS = 5
"""How many polls of each image are remembered, for people who look why it fails."""

_AT_A_TIME = 64
"""Images that a list changes in one step, each in some hundredths of a millisecond."""


class Listener(Protocol):
    """Told of every state that changed or left."""

    def put(self, state: ImageState) -> None:
        """An image's state is this now."""
        ...

    def remove(self, key: ImageKey) -> None:
        """An image is no longer published."""
        ...

    def put_registry(self, state: RegistryState) -> None:
        """A registry's state is this now."""
        ...

    def remove_registry(self, label: str) -> None:
        """A registry is no longer published."""
        ...


@dataclass
class Store:
    """Keeps one state per image and registry, and tells `listener` of each that changes."""

    listener: Listener
    _images: dict[ImageKey, ImageState] = field(default_factory=dict)
    _images_of: dict[str, dict[ImageKey, ImageState]] = field(default_factory=dict)
    """The same by registry: a scan over all of them, for each image list, took seconds."""
    _registries: dict[str, RegistryState] = field(default_factory=dict)
    _records_pulls: set[str] = field(default_factory=set)
    """Registries some record of which has a pull time."""

    @property
    def images(self) -> Mapping[ImageKey, ImageState]:
        """The images' states, by their labels."""
        return MappingProxyType(self._images)

    @property
    def registries(self) -> Mapping[str, RegistryState]:
        """The registries' states, by label."""
        return MappingProxyType(self._registries)

    @property
    def targets(self) -> tuple[RegistryTarget, ...]:
        """The registries that are listed."""
        return tuple(state.target for state in self._registries.values())

    def images_of(self, label: str) -> list[ImageState]:
        """Return the states of a registry's images."""
        return list(self._images_of.get(label, {}).values())

    def records_pulls(self, label: str) -> bool:
        """Tell whether some record of a registry has shown a pull time."""
        return label in self._records_pulls

    def add_registry(self, target: RegistryTarget, hosts: Hosts) -> None:
        """Begin with a registry that was not listed yet; `hosts` by the documented pattern."""
        self._put_registry(RegistryState(target, hosts=hosts))

    def retarget_registry(self, target: RegistryTarget) -> None:
        """Go on with a registry under another target; what is known of it stays."""
        self._put_registry(replace(self._registries[target.label], target=target))

    def remove_registry(self, label: str) -> None:
        """Forget a registry and its images."""
        for state in self.images_of(label):
            self.remove(state.target.key)
        del self._registries[label]
        self._images_of.pop(label, None)
        self._records_pulls.discard(label)
        self.listener.remove_registry(label)

    def record_description(
        self, label: str, *, hosts: Hosts, public: bool | None = None, at: float | None = None
    ) -> None:
        """Note what the registry list said `at` a moment, or what holds where it says nothing."""
        state = self._registries[label]
        self._put_registry(replace(state, hosts=hosts, public=public, described_at=at))

    def record_image_list(
        self, label: str, images: Mapping[str, ListedImage], *, at: float, whole: bool = True
    ) -> Generator[None, None, None]:
        """Take a complete image list in: what is there, what is gone, how often it was pulled.

        In steps, during which images may leave. Not `whole`: names were left out of it, so that
        it does not tell what is gone.
        """
        self._put_registry(self._registries[label].after_list(len(images), at))
        for number, key in enumerate([state.target.key for state in self.images_of(label)]):
            listed, image = images.get(key[1]), self._images.get(key)
            if image is not None and (listed is not None or whole):
                self._update(
                    image,
                    presence=image.presence.after_list(listed=listed is not None),
                    pull_count=listed.pull_count if listed else image.pull_count,
                )
            if number % _AT_A_TIME == 0:
                yield

    def record_registry_list_success(self, label: str, *, at: float) -> None:
        """Note that the list of all registries, which `label` stands for, could be read."""
        state = self._registries[label]
        self._put_registry(replace(state, up=True, failure=None, last_success=at))

    def record_list_failure(self, label: str, failure: Failure) -> None:
        """Note that the image list could not be read: it changes nothing else."""
        self._put_registry(replace(self._registries[label], up=False, failure=failure))
        for image in self.images_of(label):  # a 404 may have waited for the list's word
            self._update(image)

    def expire_image_list(self, label: str) -> None:
        """Forget what an image list told that is too old to be published."""
        self._put_registry(replace(self._registries[label], images=None))
        for image in self.images_of(label):
            self._update(image, pull_count=None)

    def add(self, target: ImageTarget, listed: ListedImage | None = None) -> None:
        """Begin with an image that was not polled yet."""
        state = ImageState(target)
        if listed is not None:
            presence = state.presence.after_list(listed=True)
            state = replace(state, presence=presence, pull_count=listed.pull_count)
        self._put(state)

    def restore(
        self, target: ImageTarget, tags: tuple[Tag, ...], *, at: float, pull_count: int | None
    ) -> None:
        """Begin with an image whose last complete listing, read `at`, is known from before."""
        if records_pulls(tags):
            self._pulls_are_recorded(target.registry.label)
        state = ImageState(target, tags=tags, last_success=at, pull_count=pull_count)
        self._put(replace(state, image=summary_of(state, self._knowledge(state))))

    def restore_registry(self, label: str, *, at: float, images: int | None) -> None:
        """Take in what a registry's image list said before, `at` that moment."""
        self._put_registry(replace(self._registries[label], last_success=at, images=images))

    def retarget(self, target: ImageTarget) -> None:
        """Go on with an image under another policy; its last listing is evaluation by that."""
        before = self._images[target.key]
        state = replace(before, target=target)
        if target.policy != before.target.policy:
            state = replace(state, image=summary_of(state, self._knowledge(state)))
        self._put(state)

    def remove(self, key: ImageKey) -> None:
        """Forget an image."""
        del self._images[key], self._images_of[key[0]][key]
        self.listener.remove(key)

    def knowledge(self, key: ImageKey, tags: tuple[Tag, ...]) -> Knowledge:
        """Return what an image is to be evaluation by once these tags are in force."""
        recorded = self.records_pulls(key[0]) or records_pulls(tags)
        return Knowledge(recorded, self._images[key].pull_count)

    def commit(
        self,
        target: ImageTarget,
        tags: tuple[Tag, ...],
        *,
        at: float,
        duration: float,
        evaluation: Evaluation | None = None,
    ) -> None:
        """Put the result of one complete listing in force, all of it at once.

        `evaluation` is what it amounts to `at` that moment, where that was worked out beforehand.
        """
        if records_pulls(tags):
            self._pulls_are_recorded(target.registry.label)
        state = self._images[target.key]
        self._update(
            state,
            tags=tags,
            up=True,
            failure=None,
            last_success=at,
            duration=duration,
            polls=state.polls + 1,
            recent=_recent(state, Poll(at, duration)),
            presence=state.presence.after_success(),
            evaluation=evaluation,
        )

    def record_failure(
        self,
        target: ImageTarget,
        failure: Failure,
        *,
        at: float,
        duration: float,
        not_found: bool = False,
    ) -> None:
        """Note a failed poll; the last good listing stands, and shows its age.

        `not_found`: the service itself said that there is no such image.
        """
        state = self._images[target.key]
        if failure == state.failure:
            failure = state.failure  # one text in memory, however often it is said
        presence = state.presence.after_not_found() if not_found else state.presence
        self._update(
            state,
            up=False,
            failure=failure,
            duration=duration,
            polls=state.polls + 1,
            failures=state.failures + 1,
            recent=_recent(state, Poll(at, duration, failure)),
            presence=presence,
        )

    def expire(self, key: ImageKey) -> None:
        """Forget a listing that is too old to be published; how polling goes stays."""
        self._update(self._images[key], tags=None)

    def _pulls_are_recorded(self, registry: str) -> None:
        """Learn that a 0 means "never" in this registry, and judge its other images anew."""
        if registry in self._records_pulls:
            return
        self._records_pulls.add(registry)
        for state in self.images_of(registry):
            self._update(state)

    def _update(
        self, state: ImageState, *, evaluation: Evaluation | None = None, **changes: object
    ) -> None:
        """Put a state in force with what follows from its changes; nothing where none does."""
        after = replace(state, **changes)  # type: ignore[arg-type] # fields of ImageState by name
        registry = self._registries.get(state.target.registry.label)
        gone = after.presence.gone(list_denied=registry is not None and registry.list_denied)
        if gone:
            after = replace(after, tags=None, pull_count=None)
        after = replace(after, gone=gone)
        listed_anew = (after.tags, after.last_success) != (state.tags, state.last_success)
        knowledge = self._knowledge(after)
        if listed_anew or is_outdated(after, knowledge):
            after = replace(after, image=summary_of(after, knowledge, evaluation))
        if after != state:
            self._put(after)

    def _knowledge(self, state: ImageState) -> Knowledge:
        return Knowledge(self.records_pulls(state.target.registry.label), state.pull_count)

    def _put(self, state: ImageState) -> None:
        key = state.target.key
        self._images[key] = self._images_of.setdefault(key[0], {})[key] = state
        self.listener.put(state)

    def _put_registry(self, state: RegistryState) -> None:
        self._registries[state.target.label] = state
        self.listener.put_registry(state)


def _recent(state: ImageState, poll: Poll) -> tuple[Poll, ...]:
    return (poll, *state.recent[: RECENT_POLLS - 1])
