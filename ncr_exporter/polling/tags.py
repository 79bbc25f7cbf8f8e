"""One image: list its tags, put the whole result in force, or note why there is none."""

import asyncio
from functools import partial

import structlog

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.errors import ApiError, NotFoundError
from ncr_exporter.ncr.listing import Listing
from ncr_exporter.ncr.wire import ListedImage
from ncr_exporter.polling import events
from ncr_exporter.polling.context import Polling
from ncr_exporter.state.evaluation import Judged, judge
from ncr_exporter.targets.targets import ImageKey, ImageTarget

_MANY = 1000
"""Tags that take some milliseconds to judge."""

log = structlog.get_logger()


def begin(polling: Polling, target: ImageTarget, listed: ListedImage | None = None) -> None:
    """Start polling an image; what is known of it from before the start stands until then."""
    is_known = _restore(polling, target)
    if not is_known:
        polling.store.add(target, listed)
    account = target.registry.account
    run = partial(poll, polling, target.key)
    polling.begin(target.key, account, target.timing.interval, run, tried=is_known)


def _restore(polling: Polling, target: ImageTarget) -> bool:
    """Publish what is known of an image from before the start; tell whether anything is."""
    now = polling.clock.time()
    kept = polling.kept.image(target, now)
    if kept is None:
        return False
    # Its count is of an image list: it leaves when what the registry keeps of that does.
    listed = polling.kept.registry(target.registry, now)
    pull_count = kept.pull_count if listed else None
    polling.store.restore(target, kept.tags, at=kept.at, pull_count=pull_count)
    _expire_later(polling, target, age=max(0.0, now - kept.at))
    return True


def retarget(polling: Polling, target: ImageTarget) -> None:
    """Go on with an image as the configuration wants it now; its data and moment stay."""
    if polling.store.images[target.key].target != target:
        polling.store.retarget(target)
        polling.change(target.key, target.registry.account, target.timing)


def end(polling: Polling, key: ImageKey) -> None:
    """Stop polling an image and publish it no longer."""
    polling.end(key)
    polling.store.remove(key)


def end_gone(polling: Polling, key: ImageKey) -> None:
    """Do so because the image does not exist any more."""
    log.info("image is gone", registry=key[0], image=key[1])
    end(polling, key)


async def poll(polling: Polling, key: ImageKey) -> bool:
    """Poll an image once; tell whether that succeeded."""
    started = polling.clock.monotonic()
    target = polling.store.images[key].target
    client = polling.clients[target.registry.account]
    try:
        before = polling.listings.get(key)
        listing = await client.tags(target.registry.path, target.name, before)
        await _succeeded(polling, key, listing, started)
    except ApiError as error:
        _failed(polling, key, error, started)
    except Exception as error:  # noqa: BLE001 -- logged with its traceback; the image fails, not the loop
        labels = {"registry": target.registry.label, "image": target.name}
        _failed(polling, key, events.unexpected(error, **labels), started)
    else:
        return True
    return False


async def _succeeded(
    polling: Polling, key: ImageKey, listing: Listing[Tag], started: float
) -> None:
    duration = round(polling.clock.monotonic() - started, 6)
    now = round(polling.clock.time(), 3)
    judged = await _judged(polling, key, listing.records, now)
    state = polling.store.images[key]
    target, before = state.target, state.failure  # the target may be another than when it began
    polling.listings[key] = listing
    polling.store.succeeded(target, listing.records, at=now, duration=duration, judged=judged)
    account = target.registry.account
    polling.plan(target.key, account, target.timing.interval, listing.pages)
    _expire_later(polling, target)
    _warn_of_unknown_pulls(polling, target)
    labels = {"registry": target.registry.label, "image": target.name}
    events.succeeded("poll", before, **labels, tags=len(listing.records), duration=duration)


async def _judged(
    polling: Polling, key: ImageKey, tags: tuple[Tag, ...], now: float
) -> Judged | None:
    """Judge a long list in a thread, where it holds nobody up; a short one the store judges."""
    if len(tags) < _MANY:
        return None
    policy = polling.store.images[key].target.policy
    knowledge = polling.store.knowledge(key, tags)
    return await asyncio.to_thread(judge, tags, policy, now, knowledge)


def _expire_later(polling: Polling, target: ImageTarget, *, age: float = 0.0) -> None:
    """Let an image's data leave when it is too old; it is of this age (s) now."""
    expire = partial(polling.store.expired, target.key)
    polling.expiry.renew(target.key, target.timing.expire_after, expire, age=age)


def _warn_of_unknown_pulls(polling: Polling, target: ImageTarget) -> None:
    """Warn once where nothing is known of an image's pulls.

    Not at its first poll: another image of the registry may show a pull in the same round.
    """
    state, label = polling.store.images[target.key], target.registry.label
    known = state.image is None or not state.image.tags or state.image.never_pulled_tags is not None
    if known or state.polls == 1:
        return
    subject = (label, target.name) if polling.store.records_pulls(label) else (label,)
    if subject not in polling.told:
        polling.told.add(subject)
        events.pulls_unknown(*subject)


def _failed(polling: Polling, key: ImageKey, error: ApiError, started: float) -> None:
    state = polling.store.images[key]
    target, before = state.target, state.failure
    duration = round(polling.clock.monotonic() - started, 6)
    labels = {"registry": target.registry.label, "image": target.name}
    failure = events.failed("poll", before, error, **labels, duration=duration)
    not_found = isinstance(error, NotFoundError) and error.from_service
    now = round(polling.clock.time(), 3)
    polling.store.failed(target, failure, at=now, duration=duration, not_found=not_found)
    if polling.store.images[key].gone and not target.named:
        end_gone(polling, key)
