"""One image: list its tags, put the whole result in force, or note why there is none."""

from functools import partial

import structlog

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.client import Listing
from ncr_exporter.ncr.errors import ApiError, NotFoundError
from ncr_exporter.ncr.wire import ListedImage
from ncr_exporter.polling import events
from ncr_exporter.polling.context import Polling
from ncr_exporter.targets import ImageTarget

log = structlog.get_logger()


def begin(polling: Polling, target: ImageTarget, listed: ListedImage | None = None) -> None:
    """Start polling an image."""
    polling.store.add(target, listed)
    account = target.registry.account
    polling.begin(target.key, account, target.timing.interval, partial(poll, polling, target))


def end_gone(polling: Polling, target: ImageTarget) -> None:
    """Stop polling an image that does not exist any more, and publish it no longer."""
    log.info("image is gone", registry=target.registry.label, image=target.name)
    polling.end(target.key)
    polling.store.remove(target.key)


async def poll(polling: Polling, target: ImageTarget) -> bool:
    """Poll an image once; tell whether that succeeded."""
    started = polling.clock.monotonic()
    client = polling.clients[target.registry.account]
    try:
        listing = await client.tags(target.registry.path, target.name)
        _succeeded(polling, target, listing, started)
    except ApiError as error:
        _failed(polling, target, error, started)
    except Exception as error:  # noqa: BLE001 -- logged with its traceback; the image fails, not the loop
        labels = {"registry": target.registry.label, "image": target.name}
        _failed(polling, target, events.unexpected(error, **labels), started)
    else:
        return True
    return False


def _succeeded(
    polling: Polling, target: ImageTarget, listing: Listing[Tag], started: float
) -> None:
    before = polling.store.images[target.key].failure
    duration = round(polling.clock.monotonic() - started, 6)
    now = round(polling.clock.time(), 3)
    polling.store.succeeded(target, listing.records, at=now, duration=duration)
    account = target.registry.account
    polling.plan(target.key, account, target.timing.interval, listing.pages)
    expire = partial(polling.store.expired, target.key)
    polling.expiry.renew(target.key, target.timing.expire_after, expire)
    _warn_of_unknown_pulls(polling, target)
    labels = {"registry": target.registry.label, "image": target.name}
    events.succeeded("poll", before, **labels, tags=len(listing.records), duration=duration)


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


def _failed(polling: Polling, target: ImageTarget, error: ApiError, started: float) -> None:
    before = polling.store.images[target.key].failure
    duration = round(polling.clock.monotonic() - started, 6)
    labels = {"registry": target.registry.label, "image": target.name}
    failure = events.failed("poll", before, error, **labels, duration=duration)
    not_found = isinstance(error, NotFoundError) and error.from_service
    now = round(polling.clock.time(), 3)
    polling.store.failed(target, failure, at=now, duration=duration, not_found=not_found)
    state = polling.store.images[target.key]
    if state.gone and not target.named:
        end_gone(polling, target)
