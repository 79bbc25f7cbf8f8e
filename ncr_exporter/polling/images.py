"""One registry: list its images, begin with new ones, end those that are gone."""

from collections.abc import Mapping
from functools import partial

import structlog

from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.ncr.listing import Listing
from ncr_exporter.ncr.pages import ListedImage
from ncr_exporter.polling import events
from ncr_exporter.polling.jobs import Jobs
from ncr_exporter.polling.scheduler import JobKey
from ncr_exporter.polling.tags import Clients, ImagePoller
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.cooperative import run_cooperatively
from ncr_exporter.state.model import Description, RegistryState
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import RegistryTarget, Shard

log = structlog.get_logger()


class RegistryPoller:
    """Lists the images of registries: one job for each registry."""

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
        """`saved` is what is known from before the start."""
        self._clients = clients
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._images = images
        self._shard = shard
        self._saved = saved

    def begin_or_retarget(self, registry: RegistryTarget) -> None:
        """Poll a registry as the configuration wants it now."""
        state = self._store.registries.get(registry.label)
        if state is None:
            self.begin(registry)
        elif state.target != registry:
            self._retarget(registry)

    def begin(self, registry: RegistryTarget) -> None:
        """Start listing a registry, and polling the images of it that are named."""
        if registry.is_every:
            self._store.add_registry(registry)
            return
        self._store.add_registry(registry)
        is_known = self._restore(registry)
        if description := self._saved.description(registry, self._clock.time()):
            self.describe(registry, description)
        key, interval = _job_key(registry), registry.timing.interval
        run = partial(self.list_images, registry.label)
        self._jobs.begin(key, registry.account, interval, run, tried=is_known)
        self._restore_deleted(registry)
        self._begin_images(registry, {})

    def _restore(self, registry: RegistryTarget) -> bool:
        """Publish the saved data of a registry, and return whether there was any."""
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
        """Let what the image list told, of this age (s) now, expire unless it is renewed before."""
        expire = partial(self._store.expire_image_list, registry.label)
        after = registry.timing.expire_after
        self._jobs.expiry.renew(_job_key(registry), after, expire, age=age)

    def describe(self, registry: RegistryTarget, told: Description) -> None:
        """Publish what the registry list told of a registry, until that expires.

        It has an expiry of its own: the image list may go on while the registry list fails.
        """
        self._store.record_description(registry.label, told)
        forget = partial(self._store.record_description, registry.label, None)
        key, after = _description_key(registry), registry.timing.expire_after
        self._jobs.expiry.renew(key, after, forget, age=max(0.0, self._clock.time() - told.at))

    def _retarget(self, registry: RegistryTarget) -> None:
        """Continue a registry under another configuration; its data and schedule stay."""
        self._store.retarget_registry(registry)
        if registry.is_every:
            return
        self._jobs.change(_job_key(registry), registry.account, registry.timing)
        self._jobs.expiry.change(_description_key(registry), registry.timing.expire_after)
        states = {state.target.name: state for state in self._store.images_of(registry.label)}
        there = [name for name, state in states.items() if not state.target.named or state.present]
        wanted = {target.name: target for target in registry.images(there)}
        for name, state in states.items():
            if name in wanted:
                self._images.retarget(wanted[name])
            else:
                self._images.end(state.target.key)
        self._images.retarget_deleted(registry)
        self._begin_images(registry, {})
        self._jobs.scheduler.hurry(_job_key(registry))  # it tells which images match only now

    def end(self, registry: RegistryTarget) -> None:
        """Stop listing a registry and polling its images, and remove them from the store."""
        self._jobs.end(_job_key(registry))
        self._jobs.expiry.drop(_description_key(registry))
        for state in self._store.images_of(registry.label):
            self._images.end(state.target.key)
        self._images.forget_registry(registry.label)
        self._store.remove_registry(registry.label)

    async def list_images(self, label: str) -> bool:
        """List a registry's images once and return whether that succeeded."""
        state = self._store.registries[label]
        registry, before = state.target, state.failure
        try:
            listed = await self._clients[registry.account].images(registry.path)
        except ApiError as error:
            failure = events.log_failure("image list", before, error, registry=label)
            self._store.record_list_failure(label, failure)
            self._end_gone(label)
            return False
        await self._record(label, listed)
        events.log_success("image list", before, registry=label, images=len(listed.records))
        return True

    async def _record(self, label: str, listed: Listing[ListedImage]) -> None:
        """Record a complete image list, begin with new images and end those that are gone."""
        first = self._store.registries[label].up is None
        images = {image.name: image for image in listed.records}
        now, whole = round(self._clock.time(), 3), not listed.left_out
        await run_cooperatively(self._store.record_image_list(label, images, at=now, whole=whole))
        registry = self._store.registries[label].target  # perhaps another than was asked for
        self._end_gone(label)
        self._begin_images(registry, images)
        if first:
            _warn_of_idle_patterns(self._store.registries[label])
        key, account = _job_key(registry), registry.account
        self._jobs.plan(key, account, registry.timing.interval, len(listed.pages))
        self._renew(registry)

    def _begin_images(self, registry: RegistryTarget, listed: Mapping[str, ListedImage]) -> None:
        for target in registry.images({*listed, *self._saved.images_of(registry)}):
            if target.key not in self._store.images and self._shard.owns(*target.key):
                self._images.begin(target, listed.get(target.name))

    def _end_gone(self, label: str) -> None:
        for state in self._store.images_of(label):
            self._images.end_if_gone(state.target.key)


def _warn_of_idle_patterns(state: RegistryState) -> None:
    """Warn of globs and excludes that match nothing: most likely they are mistyped."""
    label, images = state.target.label, state.images
    if not images:
        log.warning("the registry has no images", registry=label)
        return
    for glob in [glob for glob, matched in state.glob_images if not matched]:
        log.warning(
            "no image matches",
            registry=label,
            glob=glob,
            images=images,
            remedy="check the glob and `exclude`; images pushed later are found by themselves",
        )
    for pattern in state.idle_excludes:
        log.warning(
            "no image is excluded",
            registry=label,
            exclude=pattern,
            images=images,
            remedy="check the pattern, or leave it out",
        )


def _job_key(registry: RegistryTarget) -> JobKey:
    return ("image list", registry.label, registry.path.prefix)


def _description_key(registry: RegistryTarget) -> tuple[str, ...]:
    """Return the key of a description's expiry, which is not that of the image list."""
    return ("description", *_job_key(registry))
