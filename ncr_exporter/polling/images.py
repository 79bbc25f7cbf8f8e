"""Image lists: poll the images that a registry lists, and stop polling those that are gone."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

import structlog

from ncr_exporter.ncr.listing import Listing
from ncr_exporter.ncr.odd_counts import NOT_ODD, OddCount
from ncr_exporter.ncr.pages import ListedImage
from ncr_exporter.polling import events
from ncr_exporter.polling.jobs import Jobs
from ncr_exporter.polling.relisting import ImageList, entries_of
from ncr_exporter.polling.scheduler import AtOnce, JobKey
from ncr_exporter.polling.tags import Clients, ImagePoller
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.cooperative import BackgroundTask, Steps, run_cooperatively
from ncr_exporter.state.model import Description, Failure, ImageState, RegistryState
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import RegistryTarget, Shard

log = structlog.get_logger()

_STEP = 48
"""Images begun, continued or ended in one step; each takes some hundredths of a millisecond."""
_SPREAD = 0.0003
"""Seconds for each image over which the first lists after a restart come: what publishes a hundred
thousand images would be held up by their lists, if these came all at once."""
_TAGS_PER_UNIT = 8
"""Tags that are judged by another policy in the time in which an image is begun."""

_IDLE = {"images": ("glob", "no image matches"), "exclude": ("exclude", "no image is excluded")}
"""Where a pattern is written → its key in the log, and what is logged if it matches nothing."""
_REMEDIES = {
    "images": "check the glob and `exclude`; images pushed later are found by themselves",
    "exclude": "check the pattern, or leave it out",
}


class RegistryPoller:
    """Lists the images of each registry in a job of its own, and starts and ends their polling."""

    def __init__(  # noqa: PLR0913 -- what lists of images need, each by name
        self,
        clients: Clients,
        store: Store,
        jobs: Jobs,
        clock: Clock,
        images: ImagePoller,
        *,
        shard: Shard,
        saved: SavedState,
    ) -> None:
        """`saved` is the data of an earlier run, which registries and images start with."""
        self._clients = clients
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._images = images
        self._shard = shard
        self._saved = saved
        self._restored: set[str] = set()
        """Registries with the data of an earlier run that are not listed yet."""
        self._recording = asyncio.Lock()
        """Held while a list is recorded: fifty at a time would leave a scrape a fiftieth."""
        self._odd_counts: dict[str, OddCount] = {}
        """By label of a registry, what is known of the `count` of its image list."""

    def begin_or_retarget(self, registry: RegistryTarget) -> bool:
        """Start listing a registry, or continue under a changed target.

        Return whether something changed, and it has images: `adjust_images` does the same for them.
        """
        state = self._store.registries.get(registry.label)
        if state is None:
            self.begin(registry)
        elif state.target != registry:
            self._retarget(registry)
        else:
            return False
        return not registry.is_every

    def begin(self, registry: RegistryTarget) -> None:
        """Start listing a registry; `adjust_images` starts polling the images known beforehand.

        One with the data of an earlier run is listed with `list_restored`.
        """
        self._store.add_registry(registry)
        if registry.is_every:
            return
        was_restored = self._restore(registry)
        if description := self._saved.description(registry, self._clock.time()):
            self.publish_description(registry, description)
        if was_restored:
            self._restored.add(registry.label)
        key, interval = _job_key(registry), registry.timing.interval
        self._jobs.begin(
            key, registry.account, interval, self._run, at_once=self._put_off, tried=was_restored
        )
        self._restore_deleted(registry)
        if registry.identity in self._saved.showing_pulls:
            self._store.record_that_pulls_show(registry.label)

    def _restore(self, registry: RegistryTarget) -> bool:
        """Publish the saved image list of a registry; return whether there was one."""
        now = self._clock.time()
        saved = self._saved.registry(registry, now)
        if saved is None:
            return False
        self._store.restore_registry(registry.label, at=saved.at, images=saved.images)
        self._renew(registry, age=max(0.0, now - saved.at))
        return True

    def _restore_deleted(self, registry: RegistryTarget) -> None:
        """Publish again which images were deleted, where the configuration still covers them."""
        for name, at in self._saved.deleted_of(registry):
            target = registry.image(name)
            if target is not None and not target.named and self._shard.owns(*target.key):
                self._images.remember_deleted(target, at)

    def _renew(self, registry: RegistryTarget, *, age: float = 0.0) -> None:
        """Set when the data of an image list expires; it is `age` seconds old now."""
        expiry = BackgroundTask(partial(self._store.expire_image_list, registry.label))
        after = registry.timing.expire_after
        self._jobs.expiry.renew(_job_key(registry), after, lambda _: expiry.wake(), age=age)

    def publish_description(self, registry: RegistryTarget, description: Description) -> None:
        """Publish what a registry list said about a registry, until that expires."""
        self._store.record_description(registry.label, description)
        # It expires apart from the image list, which may succeed while the registry list fails.
        label = registry.label
        key, after = _description_key(registry), registry.timing.expire_after
        age = max(0.0, self._clock.time() - description.at)
        self._jobs.expiry.renew(
            key, after, lambda _: self._store.record_description(label, None), age=age
        )

    def _retarget(self, registry: RegistryTarget) -> None:
        """Continue a registry under a changed target; its data and schedule stay."""
        self._store.retarget_registry(registry)
        if registry.is_every:
            return
        self._jobs.change(_job_key(registry), registry.account, registry.timing)
        self._jobs.expiry.change(_description_key(registry), registry.timing.expire_after)
        self._images.retarget_deleted(registry)
        self._jobs.scheduler.run_now(_job_key(registry))  # images not polled so far may match

    async def adjust_images(self, registry: RegistryTarget) -> None:
        """Continue, end and begin images as the target of their registry says, in steps.

        Image lists may come between two steps. They begin further images by the same target.
        """
        steps = Steps(_STEP)
        for state in self._store.each_of(registry.label):
            if not self._is_current(registry):
                return
            await self._adjust_image(registry, state)
            await steps.done(1 + len(state.tags or ()) // _TAGS_PER_UNIT)
        await self._begin_images(registry, {})

    def list_restored(self, registries: Iterable[RegistryTarget]) -> None:
        """List those of some registries that were restored, now that all their images have begun.

        What is known is published before it is looked up whether that is still right.
        """
        within = len(self._store.images) * _SPREAD
        for registry in registries:
            if registry.label in self._restored:
                self._restored.discard(registry.label)
                self._jobs.scheduler.run_within(_job_key(registry), within)

    def _put_off(self, job: JobKey) -> AtOnce:
        """Put the first list of a restored registry off until `list_restored`."""
        return AtOnce.POSTPONED if job[1] in self._restored else AtOnce.IMPOSSIBLE

    async def _adjust_image(self, registry: RegistryTarget, state: ImageState) -> None:
        target = registry.image(state.target.name)
        # A named image that is not known to exist is polled for its name alone. It must not go on
        # as one that a glob found.
        was_found = not state.target.named or state.present
        if target is None or not (target.named or was_found):
            self._images.end(state.target.key)
        elif state.target.registry is not registry:
            await self._images.retarget(target)

    def _is_current(self, registry: RegistryTarget) -> bool:
        """Return whether this is the target of its registry still."""
        state = self._store.registries.get(registry.label)
        return state is not None and state.target is registry

    async def end(self, registry: RegistryTarget) -> None:
        """Stop listing a registry and polling its images, in steps, and remove them.

        A registry that is gone already, or has another target by now, is left as it is.
        """
        state = self._store.registries.get(registry.label)
        if state is None or state.target != registry:
            return
        self._jobs.end(_job_key(registry))
        self._jobs.expiry.drop(_description_key(registry))
        steps = Steps(_STEP)
        try:
            for image in self._store.each_of(registry.label):
                self._images.end(image.target.key)
                await steps.done()
        finally:  # the rest at once, if it was cancelled: half a registry would stay for good
            self._end_at_once(registry.label)

    def _end_at_once(self, label: str) -> None:
        for image in self._store.each_of(label):
            self._images.end(image.target.key)
        self._images.forget_registry(label)
        self._odd_counts.pop(label, None)
        self._restored.discard(label)
        if label in self._store.registries:  # else another one ended it meanwhile
            self._store.remove_registry(label)

    async def _run(self, job: JobKey, _: float) -> bool:
        label = job[1]
        return await self.list_images(label)

    async def list_images(self, label: str) -> bool:
        """List a registry's images once and return whether that succeeded."""
        state = self._store.registries[label]
        registry, before, began = state.target, state.failure, self._clock.monotonic()
        try:
            client = self._clients[registry.account]
            odd_count = self._odd_counts.get(label, NOT_ODD)
            listed = await client.images(registry.path, odd_count)
            # Taken before it waits: a list is of when it was read.
            ended, at = self._clock.monotonic(), round(self._clock.time(), 3)
            async with self._recording:
                await self._record(label, listed, ImageList(began, ended, at, {}))
        except Exception as error:  # noqa: BLE001 -- whatever it is, the list fails, and not the loop
            self._record_failure(label, error, before)
            await run_cooperatively(self._store.review_images(label))
            await self._end_gone_images(label)
            await run_cooperatively(self._images.start_waiting(label))
            return False
        events.log_success("image list", before, registry=label, images=len(listed.records))
        return True

    def _record_failure(self, label: str, raised: Exception, before: Failure | None) -> None:
        # A function of its own: an error that stays in the variable of a frame which its traceback
        # holds is a cycle, and keeps a body of 16 MiB until a full garbage collection.
        error = events.as_api_error(raised, before, registry=label)
        failure = events.log_failure("image list", before, error, registry=label)
        self._store.record_list_failure(label, failure)
        self._images.relisting.forget_list(label)

    async def _record(self, label: str, listed: Listing[ListedImage], moment: ImageList) -> None:
        """Record a complete image list; start polling new images and end those that are gone.

        `moment` says when the list was read; its entries are not known yet.
        """
        is_first = self._store.registries[label].up is None
        images = {image.name: image for image in listed.records}
        self._odd_counts[label] = listed.odd_count
        await run_cooperatively(
            self._store.record_image_list(
                label, images, at=moment.at, short=listed.is_short, left_out=listed.left_out
            )
        )
        await self._record_entries(label, listed, moment)
        # A reload may have changed the target while the list was requested.
        registry = self._store.registries[label].target
        await self._end_gone_images(label)
        await self._begin_images(registry, images)
        if is_first:
            _warn_of_idle_patterns(self._store.registries[label])
        key, account = _job_key(registry), registry.account
        self._jobs.plan(key, account, registry.timing.interval, listed.requests)
        self._renew(registry, age=self._clock.monotonic() - moment.ended)
        await run_cooperatively(self._images.start_waiting(label))

    async def _record_entries(
        self, label: str, listed: Listing[ListedImage], moment: ImageList
    ) -> None:
        """Keep what a list of `moment` says of images, if it is sound: it answers polls."""
        if listed.left_out or not listed.count_matches:
            self._images.relisting.forget_list(label)
            return
        entries = await run_cooperatively(entries_of(listed.pages))
        self._images.relisting.record_list(label, moment._replace(entries=entries))

    async def _begin_images(
        self, registry: RegistryTarget, listed: Mapping[str, ListedImage]
    ) -> None:
        """Begin the images that are named, listed or saved, in steps."""
        steps = Steps(_STEP)
        names, label = (*listed, *self._saved.images_of(registry)), registry.label
        unknown = [name for name in names if (label, name) not in self._store.images]
        for target in registry.images(unknown):
            if not self._is_current(registry):
                return  # whoever changed the target adjusts the images
            if target.key not in self._store.images and self._shard.owns(*target.key):
                self._images.begin(target, listed.get(target.name))
            await steps.done()
        await run_cooperatively(self._store.review_pulls(registry.label))
        self._jobs.review_plan(registry.account)

    async def _end_gone_images(self, label: str) -> None:
        steps = Steps(_STEP)
        for state in self._store.each_of(label):
            if state.gone:
                self._images.end_if_gone(state.target.key)
                await steps.done()


def _warn_of_idle_patterns(state: RegistryState) -> None:
    """Warn of globs and excludes that match nothing: most likely they are mistyped."""
    label, images = state.target.label, state.images
    if not images:
        log.warning("the registry has no images", registry=label)
        return
    for idle in state.idle_patterns:
        key, event = _IDLE[idle.key]
        meant = f"; did you mean {idle.similar!r}?" if idle.similar else ""
        remedy = f"{_REMEDIES[idle.key]}{meant}"
        log.warning(event, registry=label, **{key: idle.pattern}, images=images, remedy=remedy)


def _job_key(registry: RegistryTarget) -> JobKey:
    return ("image list", registry.label, registry.region)


def _description_key(registry: RegistryTarget) -> tuple[str, ...]:
    """Return the key for the expiry of a registry's description."""
    return ("description", *_job_key(registry))
