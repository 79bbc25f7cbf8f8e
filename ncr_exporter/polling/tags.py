"""Tag lists: poll an image, and commit its complete listing or record the failure."""

from collections.abc import Collection, Generator, Mapping
from math import ceil

import structlog

from ncr_exporter.inventory import Policy, Tag, overwritten_tags
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.errors import NotFoundError
from ncr_exporter.ncr.listing import Listing, packed
from ncr_exporter.ncr.pages import Activity, ListedImage
from ncr_exporter.polling import events
from ncr_exporter.polling.jobs import Jobs
from ncr_exporter.polling.relisting import ImageList, Relisting
from ncr_exporter.polling.scheduler import AtOnce
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.cooperative import run_cooperatively
from ncr_exporter.runtime.threads import compute_in_thread
from ncr_exporter.state.evaluation import Evaluation, evaluate
from ncr_exporter.state.model import DeletedImage, Failure, ImageState
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import Account, ImageKey, ImageTarget, RegistryTarget

Clients = Mapping[Account, Client]

_MANY_TAGS = 1000
"""Tags that take some milliseconds to evaluate or pack: more would hold up the event loop."""

_POLLS_PER_STEP = 32
"""Polls started in one step; each that an image list answers takes a twentieth of a millisecond."""

log = structlog.get_logger()


class ImagePoller:
    """Polls each image in a job of its own."""

    def __init__(
        self, clients: Clients, store: Store, jobs: Jobs, clock: Clock, saved: SavedState
    ) -> None:
        """`saved` is the data of an earlier run, which images start with."""
        self._clients = clients
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._saved = saved
        # One object each for all images: a hundred thousand would have as many bound methods.
        self._poll, self._poll_by_list, self._expire = self.poll, self.poll_by_list, store.expire
        self._listings: dict[ImageKey, Listing[Tag]] = {}
        """The last complete listing of each image: unchanged pages are not decoded again."""
        self._warned_about: set[tuple[str, ...]] = set()
        """Registries and images that a warning of unknown pulls was logged for."""
        self.relisting = Relisting()
        self._waiting: dict[str, set[ImageKey]] = {}
        """By registry, the images whose poll its next image list may answer."""

    def begin(self, target: ImageTarget, listed: ListedImage | None = None) -> None:
        """Start polling an image; its saved data is published until the first poll ends.

        `listed` is its record in the last image list, if there was one.
        """
        self._jobs.expiry.drop(_deleted_key(target.key))
        was_restored = self._restore(target)
        if not was_restored:
            self._store.add(target, listed)
        self._jobs.begin(
            target.key,
            target.registry.account,
            target.timing.interval,
            self._poll,
            at_once=self._poll_by_list,
            registry=target.registry.label,
            tried=was_restored,
        )

    def start_waiting(self, label: str) -> Generator[None, None, None]:
        """Poll the images that waited for the next image list of a registry, in steps."""
        for number, key in enumerate(self._waiting.pop(label, ())):
            self._jobs.scheduler.run_now(key)
            if number % _POLLS_PER_STEP == 0:
                yield

    def _restore(self, target: ImageTarget) -> bool:
        """Publish the saved listing of an image; return whether there was one."""
        now = self._clock.time()
        saved = self._saved.image(target, now)
        if saved is None:
            return False
        self._store.restore(target, saved)
        self._renew(target, age=max(0.0, now - saved.at))
        if saved.listed_under is not None and saved.listed_at is not None:
            listed = self._clock.monotonic() - max(0.0, now - saved.listed_at)
            self.relisting.restore(target.key, saved.listed_under, listed)
        return True

    async def retarget(self, target: ImageTarget) -> None:
        """Continue an image under a changed target; its data and schedule stay."""
        state, evaluation = self._store.images[target.key], None
        if state.tags is not None and target.policy != state.target.policy:
            at = state.last_success or 0.0
            evaluation = await self._evaluate(state, target.policy, state.tags, at)
        after = self._store.images.get(target.key)
        if after is None:
            return  # it was deleted meanwhile
        self._store.retarget(target, evaluation if after.tags is state.tags else None)
        self._jobs.change(target.key, target.registry.account, target.timing)

    def end(self, key: ImageKey) -> None:
        """Stop polling an image and remove it from the store."""
        self._forget(key)
        self._store.remove(key)

    def _forget(self, key: ImageKey) -> None:
        self._jobs.end(key)
        self._listings.pop(key, None)
        self.relisting.forget(key)
        self._waiting.get(key[0], set()).discard(key)
        self._warned_about.discard(key)

    def end_if_gone(self, key: ImageKey) -> None:
        """Stop polling an image that was deleted, and remember for a while that it was.

        An image that the configuration names is still polled: it may come back.
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
        key, after = _deleted_key(target.key), target.timing.expire_after
        self._jobs.expiry.renew(
            key, after, lambda _: self._store.forget_deleted(target.key), age=age
        )

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
        self._waiting.pop(label, None)
        self.relisting.forget_registry(label)
        for key in [key for key in self._store.deleted if key[0] == label]:
            self._jobs.expiry.drop(_deleted_key(key))

    async def poll(self, key: ImageKey, started: float) -> bool:
        """Request an image's tags once and return whether that succeeded.

        The poll began to wait for its turn at `started` (monotonic seconds).
        """
        state = self._store.images[key]
        target, before = state.target, state.failure
        entry = self.relisting.entry(key)
        try:
            known, client = self._listings.get(key), self._clients[target.registry.account]
            listing = await client.tags(target.registry.path, target.name, known)
            await self._commit(key, listing, started, entry)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the image fails, and not the loop
            self._record_failure(key, error, started, before)
            return False
        return True

    def poll_by_list(self, key: ImageKey) -> AtOnce:
        """Poll an image by the newest image list alone, if that answers.

        Where the next list may answer, the poll is put off until then, or until the next tick if
        there is none by then. Else the tags have to be requested.
        """
        now, state = self._clock.monotonic(), self._store.images[key]
        if state.tags is None:
            return AtOnce.IMPOSSIBLE  # expired, or never listed
        if self.relisting.is_contradicted(key):
            self._store.record_unlisted_change(state.target.registry.label)
            events.warn_of_unlisted_change(state.target)
        images = self.relisting.confirm(key, state.target.timing, now)
        if images is not None:
            self._confirm(state.target, state.failure, images, now)
            return AtOnce.SUCCEEDED
        return AtOnce.POSTPONED if self._awaits_list(state, now) else AtOnce.IMPOSSIBLE

    def _awaits_list(self, state: ImageState, now: float) -> bool:
        """Have the next image list poll an image, if that may answer; return whether it may.

        It waits for the first list for as long as that takes. Later its tags are requested if the
        list has not come by the next poll: so its data is never older than two intervals.
        """
        key, timing = state.target.key, state.target.timing
        registry = self._store.registries[key[0]]
        waiting, is_first = self._waiting.setdefault(key[0], set()), registry.up is None
        comes_in_time = is_first or (
            key not in waiting
            and state.failure is None
            and registry.target.timing.interval <= timing.interval
        )
        if comes_in_time and self.relisting.may_be_confirmed(key, timing, now, unlisted=is_first):
            waiting.add(key)
            return True
        return False

    def _confirm(
        self, target: ImageTarget, before: Failure | None, images: ImageList, now: float
    ) -> None:
        """Record a poll that an image list answered at `now` (monotonic seconds)."""
        self._store.confirm(target, at=images.at, ended=round(self._clock.time(), 3))
        self._renew(target, age=max(0.0, now - images.ended))
        self._plan(target, self._requests_of(target), target.timing.longest)
        if before is not None:
            labels = {"registry": target.registry.label, "image": target.name}
            events.log_success("poll", before, **labels, unchanged=True)

    def _requests_of(self, target: ImageTarget) -> int:
        """Return the requests of an image's last tag list; of a restored one, by its tags."""
        if listing := self._listings.get(target.key):
            return listing.requests
        page_size = self._clients[target.registry.account].page_size
        return max(1, ceil(len(self._store.images[target.key].tags or ()) / page_size))

    async def _commit(
        self, key: ImageKey, listing: Listing[Tag], started: float, entry: Activity | None
    ) -> None:
        """Commit a complete listing; the poll began at `started` (monotonic seconds).

        `entry` is the image's in the last image list before.
        """
        duration = round(self._clock.monotonic() - started, 6)
        now = round(self._clock.time(), 3)
        evaluation = await self._evaluate_listing(key, listing.records, now)
        listing = await _packed(listing)
        # A reload may have changed the target while the tags were requested.
        state = self._store.images[key]
        target, before = state.target, state.failure
        overwritten = overwritten_tags(
            state.tags or (), listing.records, target.policy.immutable_tags
        )
        changed = state.tags is not None and state.tags != listing.records
        is_believed = self._store.commit(
            target,
            listing.records,
            at=now,
            duration=duration,
            evaluation=evaluation,
            overwritten=len(overwritten),
            entry=entry,
        )
        self._plan(target, listing.requests, target.timing.interval)
        if not is_believed:
            self.relisting.forget(key)  # the next poll has to list the tags
            events.warn_of_emptied_list(target, len(state.tags or ()))
            return
        self._listings[key] = listing
        self._renew(target)
        events.warn_of_overwritten_tags(target, overwritten)
        self.relisting.record_tags(key, entry, self._clock.monotonic(), changed=changed)
        self._warn_of_unknown_pulls(target)
        labels = {"registry": target.registry.label, "image": target.name}
        events.log_success("poll", before, **labels, tags=len(listing.records), duration=duration)
        await run_cooperatively(self._store.review_pulls(target.registry.label))

    def _plan(self, target: ImageTarget, requests: int, interval: float) -> None:
        """Plan a listing of an image's tags once per `interval` (s)."""
        self._jobs.plan(target.key, target.registry.account, interval, requests)

    async def _evaluate_listing(
        self, key: ImageKey, tags: Collection[Tag], now: float
    ) -> Evaluation | None:
        """Evaluate a listing that was read at `now` (s).

        Return None where the summary of the same tags is still right.
        """
        state = self._store.images[key]
        if (
            state.tags is tags
            and state.image is not None
            and state.image.holds_at(round(now * 1000))
        ):
            return None
        return await self._evaluate(state, state.target.policy, tags, now)

    async def _evaluate(
        self, state: ImageState, policy: Policy, tags: Collection[Tag], at: float
    ) -> Evaluation:
        """Evaluate an image's tags that were right at `at` (s), in a thread if they are many."""
        knowledge = self._store.knowledge(state, tags)
        if len(tags) < _MANY_TAGS:
            return evaluate(tags, policy, at, knowledge)
        return await compute_in_thread(evaluate, tags, policy, at, knowledge)

    def _renew(self, target: ImageTarget, *, age: float = 0.0) -> None:
        """Set when the listing of an image expires; it is `age` seconds old now."""
        self._jobs.expiry.renew(target.key, target.timing.expire_after, self._expire, age=age)

    def _warn_of_unknown_pulls(self, target: ImageTarget) -> None:
        """Warn once if nothing is known of an image's pulls."""
        state, label = self._store.images[target.key], target.registry.label
        summary = state.image
        is_known = summary is None or summary.trusted or summary.stale_tags is not None
        # After its first poll an image is spared: in the same round another image of the registry
        # may still show a pull.
        if is_known or state.polls == 1:
            return
        subject = (label, target.name) if self._store.records_pulls(label) else (label,)
        if subject not in self._warned_about:
            self._warned_about.add(subject)
            events.warn_of_unknown_pulls(*subject)

    def _record_failure(
        self, key: ImageKey, raised: Exception, started: float, before: Failure | None
    ) -> None:
        target = self._store.images[key].target
        duration = round(self._clock.monotonic() - started, 6)
        labels = {"registry": target.registry.label, "image": target.name}
        error = events.as_api_error(raised, before, **labels)
        failure = events.log_failure("poll", before, error, **labels, duration=duration)
        not_found = isinstance(error, NotFoundError) and error.from_service
        now = round(self._clock.time(), 3)
        self._store.record_failure(target, failure, at=now, duration=duration, not_found=not_found)
        self.end_if_gone(key)


async def _packed(listing: Listing[Tag]) -> Listing[Tag]:
    """Return a listing as it is kept; many tags are packed in a thread."""
    if len(listing.records) < _MANY_TAGS:
        return packed(listing)
    return await compute_in_thread(packed, listing)


def _deleted_key(key: ImageKey) -> tuple[str, ...]:
    """Return the key of the expiry of the fact that an image is deleted."""
    return ("deleted", *key)
