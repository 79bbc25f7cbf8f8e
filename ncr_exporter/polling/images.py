"""One registry: list its images, begin with new ones, end those that are gone."""

from collections.abc import Mapping
from functools import partial

import structlog

from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.ncr.wire import ListedImage
from ncr_exporter.polling import events, tags
from ncr_exporter.polling.context import Polling
from ncr_exporter.polling.scheduler import JobKey
from ncr_exporter.states import Hosts
from ncr_exporter.targets import RegistryTarget
from ncr_exporter.zones import pull_host

log = structlog.get_logger()


def begin(polling: Polling, registry: RegistryTarget) -> None:
    """Start listing a registry, and polling the images of it that are named."""
    polling.store.add_registry(registry, hosts=documented_hosts(registry))
    run = partial(list_images, polling, registry)
    polling.begin(_key(registry), registry.account, registry.timing.interval, run)
    _begin_images(polling, registry, {})


def end(polling: Polling, registry: RegistryTarget) -> None:
    """Stop listing a registry and polling its images, and publish them no longer."""
    polling.end(_key(registry))
    for key in [key for key in polling.store.images if key[0] == registry.label]:
        polling.end(key)
    polling.store.remove_registry(registry.label)


def documented_hosts(registry: RegistryTarget) -> Hosts:
    """Return the host to pull from that the documentation's pattern gives a registry."""
    host = pull_host(registry.account.zone, registry.region, registry.path.name)
    return ((host, "public"),)


async def list_images(polling: Polling, registry: RegistryTarget) -> bool:
    """List a registry's images once; tell whether that succeeded."""
    before = polling.store.registries[registry.label].failure
    try:
        listed = await polling.clients[registry.account].images(registry.path)
    except ApiError as error:
        failure = events.failed("image list", before, error, registry=registry.label)
        polling.store.list_failed(registry.label, failure)
        _end_gone(polling, registry)
        return False
    images = {image.name: image for image in listed.records}
    _listed(polling, registry, images, listed.pages)
    events.succeeded("image list", before, registry=registry.label, images=len(images))
    return True


def _listed(
    polling: Polling, registry: RegistryTarget, images: Mapping[str, ListedImage], pages: int
) -> None:
    first = polling.store.registries[registry.label].up is None
    polling.store.listed(registry.label, images, at=round(polling.clock.time(), 3))
    _end_gone(polling, registry)
    _begin_images(polling, registry, images)
    if first:
        _warn_of_idle_globs(registry, images)
    key = _key(registry)
    polling.plan(key, registry.account, registry.timing.interval, pages)
    expire = partial(polling.store.list_expired, registry.label)
    polling.expiry.renew(key, registry.timing.expire_after, expire)


def _begin_images(
    polling: Polling, registry: RegistryTarget, listed: Mapping[str, ListedImage]
) -> None:
    for target in registry.images(listed):
        if target.key not in polling.store.images and polling.shard.owns(*target.key):
            tags.begin(polling, target, listed.get(target.name))


def _end_gone(polling: Polling, registry: RegistryTarget) -> None:
    """End the images that are gone; one that the configuration names goes on being asked for."""
    gone = [
        state.target
        for key, state in polling.store.images.items()
        if key[0] == registry.label and state.gone and not state.target.named
    ]
    for target in gone:
        tags.end_gone(polling, target)


def _warn_of_idle_globs(registry: RegistryTarget, listed: Mapping[str, ListedImage]) -> None:
    for pattern in registry.idle_globs(listed):
        log.warning(
            "no image matches",
            registry=registry.label,
            glob=pattern,
            images=len(listed),
            remedy="check the glob and `exclude`; images pushed later are found by themselves",
        )


def _key(registry: RegistryTarget) -> JobKey:
    return ("image list", registry.label, registry.path.prefix)
