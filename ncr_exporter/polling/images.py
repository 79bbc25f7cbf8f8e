"""One registry: list its images, begin with new ones, end those that are gone."""

from collections.abc import Mapping
from functools import partial

import structlog

from ncr_exporter.config.zones import pull_host
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.ncr.listing import Listing
from ncr_exporter.ncr.wire import ListedImage
from ncr_exporter.polling import events, tags
from ncr_exporter.polling.context import Polling
from ncr_exporter.polling.scheduler import JobKey
from ncr_exporter.runtime.cooperative import in_steps
from ncr_exporter.state.model import Description, Hosts
from ncr_exporter.targets.targets import RegistryTarget

log = structlog.get_logger()


def begin_or_go_on(polling: Polling, registry: RegistryTarget) -> None:
    """Poll a registry as the configuration wants it now."""
    state = polling.store.registries.get(registry.label)
    if state is None:
        begin(polling, registry)
    elif state.target != registry:
        _retarget(polling, registry)


def begin(polling: Polling, registry: RegistryTarget) -> None:
    """Start listing a registry, and polling the images of it that are named."""
    if registry.is_every:
        polling.store.add_registry(registry, hosts=())
        return
    polling.store.add_registry(registry, hosts=documented_hosts(registry))
    is_known = _restore(polling, registry)
    if said := polling.kept.description(registry, polling.clock.time()):
        describe(polling, registry, said)
    run = partial(list_images, polling, registry.label)
    interval = registry.timing.interval
    polling.begin(_key(registry), registry.account, interval, run, tried=is_known)
    _begin_images(polling, registry, {})


def _restore(polling: Polling, registry: RegistryTarget) -> bool:
    """Publish what is known of a registry from before the start; tell whether anything is."""
    now = polling.clock.time()
    kept = polling.kept.registry(registry, now)
    if kept is None:
        return False
    polling.store.restore_registry(registry.label, at=kept.at, images=kept.images)
    expire = partial(polling.store.list_expired, registry.label)
    age = max(0.0, now - kept.at)
    polling.expiry.renew(_key(registry), registry.timing.expire_after, expire, age=age)
    return True


def describe(polling: Polling, registry: RegistryTarget, said: Description) -> None:
    """Publish what the registry list said of a registry, until that is too old.

    It leaves by itself, whichever list is asked by then.
    """
    label, hosts = registry.label, said.hosts or documented_hosts(registry)
    polling.store.described(label, hosts=hosts, public=said.public, at=said.at)
    forget = partial(polling.store.described, label, hosts=documented_hosts(registry))
    key, after = _description(registry), registry.timing.expire_after
    polling.expiry.renew(key, after, forget, age=max(0.0, polling.clock.time() - said.at))


def _retarget(polling: Polling, registry: RegistryTarget) -> None:
    """Go on with a registry as the configuration wants it now; its data and moments stay."""
    polling.store.retarget_registry(registry)
    if registry.is_every:
        return
    polling.change(_key(registry), registry.account, registry.timing)
    polling.expiry.change(_description(registry), registry.timing.expire_after)
    states = {state.target.name: state for state in polling.store.images_of(registry.label)}
    there = [name for name, state in states.items() if not state.target.named or state.present]
    wanted = {target.name: target for target in registry.images(there)}
    for name, state in states.items():
        if name in wanted:
            tags.retarget(polling, wanted[name])
        else:
            tags.end(polling, state.target.key)
    _begin_images(polling, registry, {})
    polling.scheduler.hurry(_key(registry))  # it tells which images only now match


def end(polling: Polling, registry: RegistryTarget) -> None:
    """Stop listing a registry and polling its images, and publish them no longer."""
    polling.end(_key(registry))
    polling.expiry.drop(_description(registry))
    polling.told.discard((registry.label,))
    for state in polling.store.images_of(registry.label):
        polling.end(state.target.key)
    polling.store.remove_registry(registry.label)


def documented_hosts(registry: RegistryTarget) -> Hosts:
    """Return the host to pull from that the documentation's pattern gives a registry."""
    host = pull_host(registry.account.zone, registry.region, registry.path.name)
    return ((host, "public"),)


async def list_images(polling: Polling, label: str) -> bool:
    """List a registry's images once; tell whether that succeeded."""
    state = polling.store.registries[label]
    registry, before = state.target, state.failure
    try:
        listed = await polling.clients[registry.account].images(registry.path)
    except ApiError as error:
        failure = events.failed("image list", before, error, registry=label)
        polling.store.list_failed(label, failure)
        _end_gone(polling, label)
        return False
    await _listed(polling, label, listed)
    events.succeeded("image list", before, registry=label, images=len(listed.records))
    return True


async def _listed(polling: Polling, label: str, listed: Listing[ListedImage]) -> None:
    first = polling.store.registries[label].up is None
    images = {image.name: image for image in listed.records}
    now, whole = round(polling.clock.time(), 3), not listed.left_out
    await in_steps(polling.store.listed(label, images, at=now, whole=whole))
    registry = polling.store.registries[label].target  # by now perhaps another than was asked for
    _end_gone(polling, label)
    _begin_images(polling, registry, images)
    if first:
        _warn_of_idle_globs(registry, images)
    key = _key(registry)
    polling.plan(key, registry.account, registry.timing.interval, listed.pages)
    expire = partial(polling.store.list_expired, label)
    polling.expiry.renew(key, registry.timing.expire_after, expire)


def _begin_images(
    polling: Polling, registry: RegistryTarget, listed: Mapping[str, ListedImage]
) -> None:
    for target in registry.images({*listed, *polling.kept.images_of(registry)}):
        if target.key not in polling.store.images and polling.shard.owns(*target.key):
            tags.begin(polling, target, listed.get(target.name))


def _end_gone(polling: Polling, label: str) -> None:
    """End the images that are gone; one that the configuration names goes on being asked for."""
    for state in polling.store.images_of(label):
        if state.gone and not state.target.named:
            tags.end_gone(polling, state.target.key)


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


def _description(registry: RegistryTarget) -> tuple[str, ...]:
    """Return what tells the age of a registry's description from that of its images' list."""
    return ("description", *_key(registry))
