"""One image: list its tags, put the whole result in force, or record why there is none."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import structlog

from ncr_exporter.inventory import Tag, overwritten_tags
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.errors import ApiError, NotFoundError
from ncr_exporter.ncr.listing import Listing
from ncr_exporter.ncr.pages import ListedImage
from ncr_exporter.polling import events
from ncr_exporter.polling.jobs import Jobs
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.state.evaluation import Evaluation, evaluate
from ncr_exporter.state.model import DeletedImage
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import Account, ImageKey, ImageTarget, RegistryTarget

Clients = Mapping[Account, Client]

_LONG = 1000
"""Tags that take some milliseconds to evaluate."""

log = structlog.get_logger()


class ImagePoller:
    """Polls images: one job for each."""

    def __init__(
        self, clients: Clients, store: Store, jobs: Jobs, clock: Clock, saved: SavedState
    ) -> None:
        """`saved` is what is known from before the start."""
        self._clients = clients
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._saved = saved
        self._listings: dict[ImageKey, Listing[Tag]] = {}
        """The last complete listing of each image; pages that did not change are not decoded."""
        self._warned_about: set[tuple[str, ...]] = set()
        """Registries and images of whose pulls nothing is known."""

    def begin(self, target: ImageTarget, listed: ListedImage | None = None) -> None:
        """Start polling an image. Saved data is published until its first poll ends."""
        self._jobs.expiry.drop(_deleted_key(target.key))
        is_known = self._restore(target)
        if not is_known:
            self._store.add(target, listed)
        account, interval = target.registry.account, target.timing.interval
        self._jobs.begin(
            target.key, account, interval, partial(self.poll, target.key), tried=is_known
        )

    def _restore(self, target: ImageTarget) -> bool:
        """Publish the saved data of an image, and return whether there was any."""
        now = self._clock.time()
        saved = self._saved.image(target, now)
        if saved is None:
            return False
        # The count is of an image list: it expires with what else the registry saved of that.
        listed = self._saved.registry(target.registry, now)
        self._store.restore(target, saved if listed else replace(saved, pull_count=None))
        self._renew(target, age=max(0.0, now - saved.at))
        return True

    def retarget(self, target: ImageTarget) -> None:
        """Continue an image under another configuration; its data and schedule stay."""
        if self._store.images[target.key].target != target:
            self._store.retarget(target)
            self._jobs.change(target.key, target.registry.account, target.timing)

    def end(self, key: ImageKey) -> None:
        """Stop polling an image and remove it from the store."""
        self._forget(key)
        self._store.remove(key)

    def _forget(self, key: ImageKey) -> None:
        self._jobs.end(key)
        self._listings.pop(key, None)
        self._warned_about.discard(key)

    def end_if_gone(self, key: ImageKey) -> None:
        """Stop polling an image that was deleted, and remember for a while that it was.

        One that the configuration names is polled further: it may come back.
        """
        state = self._store.images[key]
        if state.gone and not state.target.named:
            log.info("image is gone", registry=key[0], image=key[1])
            self._forget(key)
            self.remember_deleted(state.target, round(self._clock.time(), 3))

    def remember_deleted(self, target: ImageTarget, at: float) -> None:
        """Publish that an image is deleted, known at `at` (s), until that is as old as data may be.

        Without it nothing would tell that something runs which could not be pulled again.
        """
        age = max(0.0, self._clock.time() - at)
        if age >= target.timing.expire_after:
            return
        self._store.mark_deleted(DeletedImage(target, at))
        forget = partial(self._store.forget_deleted, target.key)
        key, after = _deleted_key(target.key), target.timing.expire_after
        self._jobs.expiry.renew(key, after, forget, age=age)

    def retarget_deleted(self, registry: RegistryTarget) -> None:
        """Keep what is known of deleted images where the configuration still covers them."""
        for key in [key for key in self._store.deleted if key[0] == registry.label]:
            target = registry.image(key[1])
            if target is None or target.named:
                self._jobs.expiry.drop(_deleted_key(key))
                self._store.forget_deleted(key)
            else:
                self._jobs.expiry.change(_deleted_key(key), target.timing.expire_after)

    def forget_registry(self, label: str) -> None:
        """Forget a registry's deleted images, and warn about it again if it comes back."""
        self._warned_about.discard((label,))
        for key in [key for key in self._store.deleted if key[0] == label]:
            self._jobs.expiry.drop(_deleted_key(key))

    async def poll(self, key: ImageKey) -> bool:
        """Poll an image once and return whether that succeeded."""
        started = self._clock.monotonic()
        target = self._store.images[key].target
        client = self._clients[target.registry.account]
        try:
            before = self._listings.get(key)
            listing = await client.tags(target.registry.path, target.name, before)
            await self._commit(key, listing, started)
        except ApiError as error:
            self._record_failure(key, error, started)
        except Exception as error:  # noqa: BLE001 -- logged with its traceback; the image fails, not the loop
            labels = {"registry": target.registry.label, "image": target.name}
            self._record_failure(key, events.log_unexpected(error, **labels), started)
        else:
            return True
        return False

    async def _commit(self, key: ImageKey, listing: Listing[Tag], started: float) -> None:
        """Put a complete listing in force; the poll began at `started` (monotonic seconds)."""
        duration = round(self._clock.monotonic() - started, 6)
        now = round(self._clock.time(), 3)
        evaluation = await self._evaluate(key, listing.records, now)
        state = self._store.images[key]
        target, before = state.target, state.failure  # the target may be another than at the start
        overwritten = overwritten_tags(
            state.tags or (), listing.records, target.policy.immutable_tags
        )
        self._listings[key] = listing
        self._store.commit(
            target,
            listing.records,
            at=now,
            duration=duration,
            evaluation=evaluation,
            overwritten=len(overwritten),
        )
        events.warn_of_overwritten_tags(target, overwritten)
        account = target.registry.account
        self._jobs.plan(key, account, target.timing.interval, len(listing.pages))
        self._renew(target)
        self._warn_of_unknown_pulls(target)
        labels = {"registry": target.registry.label, "image": target.name}
        events.log_success("poll", before, **labels, tags=len(listing.records), duration=duration)

    async def _evaluate(self, key: ImageKey, tags: tuple[Tag, ...], now: float) -> Evaluation:
        """Evaluate a listing that was read at `now` (s): a long one in a thread."""
        state = self._store.images[key]
        policy, knowledge = state.target.policy, self._store.knowledge(state, tags)
        if len(tags) < _LONG:
            return evaluate(tags, policy, now, knowledge)
        return await asyncio.to_thread(evaluate, tags, policy, now, knowledge)

    def _renew(self, target: ImageTarget, *, age: float = 0.0) -> None:
        """Let an image's data, of this age (s) now, expire unless it is renewed before."""
        expire = partial(self._store.expire, target.key)
        self._jobs.expiry.renew(target.key, target.timing.expire_after, expire, age=age)

    def _warn_of_unknown_pulls(self, target: ImageTarget) -> None:
        """Warn once where nothing is known of an image's pulls.

        Not at its first poll: another image of the registry may show a pull in the same round.
        """
        state, label = self._store.images[target.key], target.registry.label
        image = state.image
        known = image is None or image.trusted or image.stale_tags is not None
        if known or state.polls == 1:
            return
        subject = (label, target.name) if self._store.records_pulls(label) else (label,)
        if subject not in self._warned_about:
            self._warned_about.add(subject)
            events.warn_of_unknown_pulls(*subject)

    def _record_failure(self, key: ImageKey, error: ApiError, started: float) -> None:
        state = self._store.images[key]
        target, before = state.target, state.failure
        duration = round(self._clock.monotonic() - started, 6)
        labels = {"registry": target.registry.label, "image": target.name}
        failure = events.log_failure("poll", before, error, **labels, duration=duration)
        not_found = isinstance(error, NotFoundError) and error.from_service
        now = round(self._clock.time(), 3)
        self._store.record_failure(target, failure, at=now, duration=duration, not_found=not_found)
        self.end_if_gone(key)


def _deleted_key(key: ImageKey) -> tuple[str, ...]:
    """Return the key of the expiry of the fact that an image is deleted."""
    return ("deleted", *key)
