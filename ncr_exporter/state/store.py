"""The current state of every registry and image, changed by polls and lists."""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ncr_exporter.inventory import Knowledge, Tag, TagList, records_pulls
from ncr_exporter.ncr.pages import Activity, ListedImage
from ncr_exporter.state.evaluation import Evaluation, needs_evaluation, summary_of
from ncr_exporter.state.model import (
    DeletedImage,
    Description,
    Failure,
    ImageState,
    Poll,
    RegistryState,
    StateListener,
)
from ncr_exporter.state.patterns import PatternCounts, without_other_patterns
from ncr_exporter.state.pull_count import PullCount
from ncr_exporter.state.saved import SavedImage
from ncr_exporter.targets.targets import ImageKey, ImageTarget, RegistryTarget

_NAMES_PER_STEP = 1000
"""Names held to every glob in one step: about a millisecond with a few globs."""
_IMAGES_PER_STEP = 64
"""Images updated from an image list in one step; each takes some hundredths of a millisecond."""


@dataclass
class Store:
    """Holds one state per image and registry, and calls `listener` with each that changes.

    Each `at` is in seconds since the epoch.
    """

    listener: StateListener
    _images: dict[ImageKey, ImageState] = field(default_factory=dict)
    _images_of: dict[str, dict[ImageKey, ImageState]] = field(default_factory=dict)
    """`_images` by registry: each image list scanned all images without it, which took seconds."""
    _registries: dict[str, RegistryState] = field(default_factory=dict)
    _deleted: dict[ImageKey, DeletedImage] = field(default_factory=dict)
    _records_pulls: set[str] = field(default_factory=set)
    """Registries in which some record has shown a pull time."""
    _unreviewed: set[str] = field(default_factory=set)
    """Those of which the images that were evaluated before are not yet evaluated again."""

    @property
    def images(self) -> Mapping[ImageKey, ImageState]:
        """The states of images, by registry label and name."""
        return MappingProxyType(self._images)

    @property
    def registries(self) -> Mapping[str, RegistryState]:
        """The states of registries, by label."""
        return MappingProxyType(self._registries)

    @property
    def targets(self) -> tuple[RegistryTarget, ...]:
        """The targets of all registries."""
        return tuple(state.target for state in self._registries.values())

    @property
    def deleted(self) -> Mapping[ImageKey, DeletedImage]:
        """The images found by globs that are known to be deleted, by their labels."""
        return MappingProxyType(self._deleted)

    def each_of(self, label: str) -> Iterator[ImageState]:
        """Yield a registry's images of now as they are at their turn, if they are there by then."""
        for key in list(self._images_of.get(label, ())):
            if (state := self._images.get(key)) is not None:
                yield state

    def records_pulls(self, label: str) -> bool:
        """Return whether some record of a registry has shown a pull time."""
        return label in self._records_pulls

    def add_registry(self, target: RegistryTarget) -> None:
        """Add a registry that was not listed yet."""
        self._put_registry(RegistryState(target))

    def retarget_registry(self, target: RegistryTarget) -> None:
        """Replace the target of a registry; what is known of the registry stays."""
        self._put_registry(without_other_patterns(self._registries[target.label], target))

    def remove_registry(self, label: str) -> None:
        """Remove a registry and its images."""
        for state in self.each_of(label):
            self.remove(state.target.key)
        for key in [key for key in self._deleted if key[0] == label]:
            self.forget_deleted(key)
        del self._registries[label]
        self._images_of.pop(label, None)
        self._records_pulls.discard(label)
        self._unreviewed.discard(label)
        self.listener.remove_registry(label)

    def record_description(self, label: str, description: Description | None) -> None:
        """Record what a registry list said about a registry; None once that has expired."""
        self._put_registry(replace(self._registries[label], description=description))

    def record_image_list(
        self,
        label: str,
        images: Mapping[str, ListedImage],
        *,
        at: float,
        short: bool = False,
        left_out: int = 0,
    ) -> Generator[None, None, None]:
        """Record a complete image list, read at `at`, in steps of several images.

        `images` are the listed images by name. Where the list is `short` of its own count, or left
        records without a usable name out, an image that it lacks is not taken for absent.
        """
        trust = self._registries[label].trust.after_list(short=short, left_out=left_out)
        self._put_registry(self._registries[label].after_list(len(images), at, trust))
        whole = trust.tells_what_is_gone
        yield from self._in_steps(
            label,
            lambda image: self._record_entry(image, images.get(image.target.name), whole=whole),
        )
        yield from self._count_glob_images(label, images)

    def _in_steps(
        self, label: str, change: Callable[[ImageState], None]
    ) -> Generator[None, None, None]:
        """Call `change` with each image of a registry, several in one step."""
        for number, image in enumerate(self.each_of(label)):
            change(image)
            if number % _IMAGES_PER_STEP == 0:
                yield

    def _record_entry(self, image: ImageState, listed: ListedImage | None, *, whole: bool) -> None:
        """Record what an image list says about an image; `listed` is None if it lacks the image."""
        if listed is None and not whole:
            if image.gone:  # perhaps only because the list before was denied
                self._update(image)
            return
        presence = image.presence.after_list(listed=listed is not None)
        pulls = image.pulls.after_list(listed.pull_count) if listed else image.pulls
        # Most images of most lists: a hundred thousand of them are compared in a moment.
        if listed is None or (presence, pulls) != (image.presence, image.pulls):
            self._update(image, presence=presence, pulls=pulls)

    def _count_glob_images(
        self, label: str, listed: Collection[str]
    ) -> Generator[None, None, None]:
        """Count the images that each pattern of a registry matches, in steps of several names."""
        if self._registries[label].turned_empty:
            return  # not believed yet
        counts = PatternCounts(self._registries[label].target)
        for number, name in enumerate(listed if counts.is_needed else ()):
            counts.add(name)
            if number % _NAMES_PER_STEP == 0:
                yield
        if state := self._registries.get(label):  # else it was removed meanwhile
            self._put_registry(counts.of(state, listed))

    def record_unlisted_change(self, label: str) -> None:
        """Record that tags of a registry had changed although its image list did not tell."""
        state = self._registries[label]
        self._put_registry(replace(state, unlisted_changes=state.unlisted_changes + 1))

    def record_registry_list_success(self, label: str, *, at: float) -> None:
        """Record that the registry list counted under `label` was read at `at`."""
        state = self._registries[label]
        self._put_registry(replace(state, up=True, failure=None, last_success=at))

    def record_list_failure(self, label: str, failure: Failure) -> None:
        """Record that an image list, or the registry list counted under `label`, failed.

        Values from earlier lists stay. `review_images` must follow for an image list.
        """
        self._put_registry(replace(self._registries[label], up=False, failure=failure))

    def review_images(self, label: str) -> Generator[None, None, None]:
        """Judge again, in steps, which images are gone: where the list is denied, a 404 counts."""

        def review(image: ImageState) -> None:
            if image.presence.not_found:
                self._update(image)

        return self._in_steps(label, review)

    def expire_image_list(self, label: str) -> Generator[None, None, None]:
        """Drop the values of the last image list, which are too old to be published, in steps."""
        state = self._registries[label]
        self._put_registry(
            replace(state, images=None, glob_images=(), exclude_images=(), idle_patterns=())
        )

        def expire(image: ImageState) -> None:
            if self._registries[label].images is None:  # else a newer list came between two steps
                self._update(image, pulls=image.pulls.expired())

        yield from self._in_steps(label, expire)

    def add(self, target: ImageTarget, listed: ListedImage | None = None) -> None:
        """Add an image that was not polled yet; `listed` is its record in the last image list."""
        state = ImageState(target)
        if listed is not None:
            presence = state.presence.after_list(listed=True)
            pulls = state.pulls.after_list(listed.pull_count)
            state = state.changed(presence=presence, pulls=pulls)
        self._put(state)

    def restore(self, target: ImageTarget, saved: SavedImage) -> None:
        """Add an image with the data of an earlier run; `review_pulls` must follow some time."""
        if saved.tags.shows_pulls:
            self.record_that_pulls_show(target.registry.label)
        state = ImageState(
            target,
            tags=saved.tags,
            last_success=saved.at,
            listed_at=saved.listed_at,
            listed_under=saved.listed_under,
            pulls=PullCount(saved.pull_count, saved.pull_count),
            overwritten=saved.overwritten,
        )
        summary = summary_of(state, self.knowledge(state), saved.evaluation)
        self._put(state.changed(image=summary))

    def restore_registry(self, label: str, *, at: float, images: int | None) -> None:
        """Record the number of images that a registry's list had in an earlier run, at `at`."""
        self._put_registry(replace(self._registries[label], last_success=at, images=images))

    def retarget(self, target: ImageTarget, evaluation: Evaluation | None = None) -> None:
        """Replace the target of an image; a new policy applies to the last listing at once.

        `evaluation` is that of its current tags under the new policy, if it was worked out before.
        """
        before = self._images[target.key]
        state = before.changed(target=target)
        if target.policy != before.target.policy:
            state = state.changed(image=summary_of(state, self.knowledge(state), evaluation))
        self._put(state)

    def remove(self, key: ImageKey) -> None:
        """Remove an image."""
        del self._images[key], self._images_of[key[0]][key]
        self.listener.remove(key)

    def mark_deleted(self, deleted: DeletedImage) -> None:
        """Replace the state of an image, if there is one, by the fact that it is deleted."""
        key = deleted.target.key
        if key in self._images:
            del self._images[key], self._images_of[key[0]][key]
        self._deleted[key] = deleted
        self.listener.put_deleted(deleted)

    def forget_deleted(self, key: ImageKey) -> None:
        """Drop the fact that an image is deleted; nothing is published of it any more."""
        if self._deleted.pop(key, None) is not None:
            self.listener.remove(key)

    def knowledge(self, state: ImageState, tags: Iterable[Tag] = ()) -> Knowledge:
        """Return what is known of an image's pulls beyond its tags.

        `tags` are those of a newer listing that is to be evaluated before it is committed.
        """
        recorded = self.records_pulls(state.target.registry.label) or records_pulls(tags)
        return Knowledge(recorded, state.pull_count)

    def commit(  # noqa: PLR0913 -- the results of one poll, each by name
        self,
        target: ImageTarget,
        tags: Iterable[Tag],
        *,
        at: float,
        duration: float,
        evaluation: Evaluation | None = None,
        overwritten: int = 0,
        entry: Activity | None = None,
    ) -> bool:
        """Record a successful poll: replace an image's listing by a complete one, read at `at`.

        Return whether the listing is believed. One that turns empty is believed only the second
        time in a row: the service may have lost sight of the tags, and deleting all is rare.

        `duration` is in seconds. `evaluation` is the result of `evaluate` for these tags, if it
        was computed beforehand, for instance in a thread. `overwritten` is the number of tags that
        must not change and came with other content than before. `entry` is the image's in the
        last image list before. `review_pulls` must follow.
        """
        packed = TagList.of(tags)
        if packed.shows_pulls:
            self.record_that_pulls_show(target.registry.label)
        state = self._images[target.key]
        turns_empty = not packed and bool(state.tags) and not state.turned_empty
        changes: dict[str, object] = {
            "up": True,
            "failure": None,
            "duration": duration,
            "polls": state.polls + 1,
            "recent": state.recent_with(Poll(at, duration)),
            "presence": state.presence.after_success(),
            "turned_empty": turns_empty,
        }
        if not turns_empty:
            changes |= {"tags": packed, "last_success": at, "listed_at": at, "listed_under": entry}
            changes |= {"overwritten": state.overwritten + overwritten}
        self._update(state, evaluation=None if turns_empty else evaluation, **changes)
        return not turns_empty

    def confirm(self, target: ImageTarget, *, at: float, ended: float) -> None:
        """Record a poll that an image list answered: the listing was still right at `at`.

        The poll ended at `ended`. It waited for nothing, so that its duration is 0.
        """
        state = self._images[target.key]
        changes: dict[str, object] = {
            "up": True,
            "failure": None,
            "last_success": at,
            "duration": 0.0,
            "polls": state.polls + 1,
            "unchanged": state.unchanged + 1,
            "recent": state.recent_with(Poll(ended, 0.0)),
        }
        if state.gone or state.image is None or not state.image.holds_at(round(at * 1000)):
            self._update(state, evaluation=None, **changes)
        else:  # nothing else follows: this is what a hundred thousand images do in each round
            self._put(state.changed(**changes))

    def record_failure(
        self,
        target: ImageTarget,
        failure: Failure,
        *,
        at: float,
        duration: float,
        not_found: bool = False,
    ) -> None:
        """Record a failed poll that ended at `at`; the last complete listing stays.

        `duration` is in seconds. With `not_found` the service itself answered that there is no
        such image.
        """
        state = self._images[target.key]
        if failure == state.failure:
            failure = state.failure  # one object in memory for all repetitions
        presence = state.presence.after_not_found() if not_found else state.presence
        self._update(
            state,
            up=False,
            failure=failure,
            duration=duration,
            polls=state.polls + 1,
            failures=state.failures + 1,
            recent=state.recent_with(Poll(at, duration, failure)),
            presence=presence,
        )

    def expire(self, key: ImageKey) -> None:
        """Drop a listing that is too old to be published; what is known of polls stays."""
        self._update(self._images[key], tags=None)

    def record_that_pulls_show(self, label: str) -> None:
        """Record that a registry shows pull times: a `pulled` of 0 in it now means "never".

        After a restart that is known before its images are restored: each would else be evaluated
        twice. `review_pulls` must follow.
        """
        if label not in self._records_pulls:
            self._records_pulls.add(label)
            self._unreviewed.add(label)

    def review_pulls(self, label: str) -> Generator[None, None, None]:
        """Evaluate a registry's images again, in steps, if it has begun to show pull times."""
        if label in self._unreviewed:
            self._unreviewed.discard(label)
            yield from self._in_steps(label, self._update)

    def _update(
        self, state: ImageState, *, evaluation: Evaluation | None = None, **changes: object
    ) -> None:
        """Change a state and what follows from it; call the listener if anything changed."""
        after = state.changed(**changes)
        registry = self._registries.get(state.target.registry.label)
        gone = after.presence.is_gone(list_denied=registry is not None and registry.list_denied)
        if gone:
            after = after.changed(tags=None, pulls=PullCount(), gone=True)
        elif after.gone:
            after = after.changed(gone=False)
        knowledge = self.knowledge(after)
        if needs_evaluation(after, state, knowledge):
            after = after.changed(image=summary_of(after, knowledge, evaluation))
        if after != state:
            self._put(after)

    def _put(self, state: ImageState) -> None:
        key = state.target.key
        self._deleted.pop(key, None)
        self._images[key] = self._images_of.setdefault(key[0], {})[key] = state
        self.listener.put(state)

    def _put_registry(self, state: RegistryState) -> None:
        self._registries[state.target.label] = state
        self.listener.put_registry(state)
