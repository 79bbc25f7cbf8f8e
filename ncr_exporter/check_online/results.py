"""What was found, a line per registry and image, and what is to be done about it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ncr_exporter.check_online.api_findings import skew_of
from ncr_exporter.check_online.observed import ObservedResponses
from ncr_exporter.check_online.preflight import RegistryListing
from ncr_exporter.config import Config
from ncr_exporter.config.types import nearest
from ncr_exporter.ncr.signing import TOLERATED_SKEW
from ncr_exporter.report.rows import age_text, size_text
from ncr_exporter.state.model import Failure, ImageState, RegistryState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import RegistryListTarget, RegistryTarget

Verdict = Literal["ok", "warning", "FAILED", "not asked"]
_PROXIES = ("HTTPS_PROXY", "https_proxy")
_SHOWN = 5
"""Names that are shown where none is near."""


@dataclass(frozen=True)
class Finding:
    """One line for people."""

    verdict: Verdict
    place: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Online:
    """All that was asked and answered."""

    config: Config
    environ: Mapping[str, str]
    first: Mapping[RegistryListTarget, RegistryListing]
    store: Store
    observed: ObservedResponses
    now: float


def findings(online: Online) -> Iterator[Finding]:
    """Yield what was found: the clock if it is off, then registry by registry."""
    yield from _clock(online)
    for catalog, listing in online.first.items():
        yield _registry_list(online, catalog, listing)
        if not listing.worth_asking_more:
            yield from _not_asked(catalog)
    for state in online.store.registries.values():
        if not state.target.is_every:  # that list is what was asked first
            yield _registry(online, state)
            yield from (_image(online, image) for image in _images_of(online.store, state))


def _clock(online: Online) -> Iterator[Finding]:
    skew = skew_of(online.observed)
    if skew is not None and abs(skew) > TOLERATED_SKEW:
        side = "behind" if skew > 0 else "ahead of"
        text = f"this host's clock is {abs(skew):.0f} s {side} the API's"
        remedy = "run NTP on this host; until then requests are signed by the API's clock"
        yield Finding("warning", "clock", text, remedy)


def _registry_list(
    online: Online, catalog: RegistryListTarget, listing: RegistryListing
) -> Finding:
    """Say whether the account can be reached; a list that nothing depends on may be refused."""
    place = f"registry list of {_targets(catalog)[0].region}"
    if len(online.first) > 1:
        place += f" for {catalog.label}"
    if listing.failure is None:
        return Finding("ok", place, _count(len(listing.names), "registry", "registries"))
    failure = listing.failure
    if listing.worth_asking_more and catalog.every is None:
        remedy = "nothing depends on it but which registries are public and their private hosts"
        return Finding("warning", place, failure.message, remedy)
    return Finding("FAILED", place, failure.message, _remedy(online, failure))


def _not_asked(catalog: RegistryListTarget) -> Iterator[Finding]:
    text = "the account's registry list failed"
    for registry in catalog.named:
        yield Finding("not asked", registry.label, text)
        for image in registry.images():
            yield Finding("not asked", "/".join(image.key), text)


def _registry(online: Online, state: RegistryState) -> Finding:
    target = state.target
    if state.failure is None:
        public = ", anyone may pull" if state.public else ""
        text = _count(state.images or 0, "image")
        return Finding("ok", target.label, f"{text} listed{public}")
    known = _registries_of(online, target)
    if state.failure.reason == "not_found" and known is not None and target.path.name not in known:
        lacks = f"the account has no registry {target.path.name!r} in {target.region}"
        remedy = f"{lacks}{_instead(target.path.name, known)}; check its region, too"
        return _failed(target.label, state.failure, remedy)
    finding = _failed(target.label, state.failure, _remedy(online, state.failure))
    return finding if target.finds_images else replace(finding, verdict="warning")


def _registries_of(online: Online, target: RegistryTarget) -> tuple[str, ...] | None:
    """Return the names in the registry list that a registry should be in, where it was had."""
    for catalog, listing in online.first.items():
        if (catalog.account, catalog.prefix) == (target.account, target.path.prefix):
            return listing.names if listing.failure is None else None
    return None


def _image(online: Online, state: ImageState) -> Finding:
    place = "/".join(state.target.key)
    if state.failure is None:
        return Finding("ok", place, _described(state, online.now))
    known = online.observed.names(state.target.registry.path.image_list)
    name = state.target.name
    if state.failure.reason in {"not_found", "server"} and known is not None and name not in known:
        remedy = f"the registry lists no image {name!r}{_instead(name, known)}"
        return _failed(place, state.failure, remedy)
    return _failed(place, state.failure, _remedy(online, state.failure))


def _described(state: ImageState, now: float) -> str:
    image = state.image
    if image is None:
        return "gone"
    size = "size unknown" if image.size is None else size_text(image.size)
    pulled = "last pull unknown"
    if image.pulled is not None:
        pulled = f"last pull {age_text(max(0.0, now - image.pulled / 1000))} ago"
    elif image.never_pulled_tags == image.tags:
        pulled = "never pulled"
    return f"{_count(image.tags, 'tag')}, {size}, {pulled}"


def _remedy(online: Online, failure: Failure) -> str:
    api = online.config.api
    proxies = [name for name in _PROXIES if online.environ.get(name)]
    unused = proxies and not api.proxy_from_environment and api.proxy_url is None
    if failure.reason in {"connection", "timeout"} and unused:
        use = "to use it set api.proxy_from_environment: true"
        return f"{failure.remedy}; {proxies[0]} is set, but not used: {use}"
    return failure.remedy


def _failed(place: str, failure: Failure, remedy: str) -> Finding:
    return Finding("FAILED", place, failure.message, remedy)


def _instead(name: str, known: Sequence[str]) -> str:
    """Name what was meant, or what there is."""
    shown = f"{', '.join(known[:_SHOWN])}{', …' if len(known) > _SHOWN else ''}"
    return nearest(name, known) or (f"; there is {shown}" if known else "; there is none")


def _targets(catalog: RegistryListTarget) -> tuple[RegistryTarget, ...]:
    return catalog.named if catalog.every is None else (catalog.every, *catalog.named)


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def _images_of(store: Store, registry: RegistryState) -> Iterator[ImageState]:
    return (s for key, s in store.images.items() if key[0] == registry.target.label)
