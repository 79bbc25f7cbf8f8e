"""A result per registry and image: what works, what does not, and its remedy. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ncr_exporter.check_online.observed import ObservedResponses
from ncr_exporter.check_online.other_version import V3Result
from ncr_exporter.check_online.preflight import RegistryListResult
from ncr_exporter.config import Config
from ncr_exporter.config.suggestions import did_you_mean
from ncr_exporter.ncr.signing import TOLERATED_SKEW
from ncr_exporter.ncr.versions import V3, gateway_of
from ncr_exporter.report.rows import age_text, size_text
from ncr_exporter.report.verdicts import idle_pattern_remedy, idle_pattern_text
from ncr_exporter.state.model import Failure, ImageState, RegistryState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import RegistryListTarget, RegistryTarget

Verdict = Literal["ok", "warning", "FAILED", "not asked"]
_PROXIES = ("HTTPS_PROXY", "https_proxy")
_SHOWN = 5
"""Names that are listed if none is similar to the wrong one."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one check."""

    verdict: Verdict
    place: str
    """A registry, registry/image, registry list, or the clock."""
    text: str
    remedy: str = ""
    """What the user can do about it; empty if nothing is wrong."""


@dataclass(frozen=True)
class OnlineCheck:
    """The configuration, and everything that the API answered."""

    config: Config
    environ: Mapping[str, str]
    registry_lists: Mapping[RegistryListTarget, RegistryListResult]
    v3: Sequence[V3Result]
    store: Store
    observed: ObservedResponses
    now: float
    """Seconds since the epoch."""


def check_results(check: OnlineCheck) -> Iterator[CheckResult]:
    """Yield the results: the clock if it is wrong, registry lists, then each registry's images."""
    yield from _clock(check)
    for target, listed in check.registry_lists.items():
        yield _registry_list(check, target, listed)
        if not listed.account_works:
            yield from _not_asked(target)
    for state in check.store.registries.values():
        if not state.target.is_every:  # every registry of an account: its list is reported above
            yield _registry(check, state)
            yield from _idle_patterns(state)
            images = check.store.each_of(state.target.label)
            yield from (_image(check, image) for image in images)
    yield from (_v3(check, result) for result in check.v3)


def _clock(check: OnlineCheck) -> Iterator[CheckResult]:
    skew = check.observed.skew
    if skew is not None and abs(skew) > TOLERATED_SKEW:
        side = "behind" if skew > 0 else "ahead of"
        text = f"this host's clock is {abs(skew):.0f} s {side} the API's"
        remedy = "run NTP on this host; until then requests are signed by the API's clock"
        yield CheckResult("warning", "clock", text, remedy)


def _registry_list(
    check: OnlineCheck, target: RegistryListTarget, listed: RegistryListResult
) -> CheckResult:
    """Return the result of a registry list: only a warning if no registry is found by it."""
    place = f"registry list of {_targets(target)[0].region}"
    if len(check.registry_lists) > 1:
        place += f" for {target.label}"
    if listed.failure is None:
        return CheckResult("ok", place, _count(len(listed.names), "registry", "registries"))
    failure = listed.failure
    if listed.account_works and target.every is None:
        remedy = "can be ignored; the list only tells public registries and private hosts"
        return CheckResult("warning", place, failure.message, remedy)
    return CheckResult("FAILED", place, failure.message, _remedy(check, failure))


def _not_asked(target: RegistryListTarget) -> Iterator[CheckResult]:
    text = "the account's registry list failed"
    for registry in target.named:
        yield CheckResult("not asked", registry.label, text)
        for image in registry.images():
            yield CheckResult("not asked", "/".join(image.key), text)


def _idle_patterns(state: RegistryState) -> Iterator[CheckResult]:
    """Yield a warning for each pattern of the configuration that matches nothing."""
    for idle in state.idle_patterns:
        text, remedy = idle_pattern_text(idle), idle_pattern_remedy(idle)
        yield CheckResult("warning", state.target.label, text, f"{text}; {remedy}")


def _registry(check: OnlineCheck, state: RegistryState) -> CheckResult:
    target = state.target
    if state.failure is None and state.images == 0:
        text, remedy = "the registry is empty: it has no images", "check that it is the one meant"
        return CheckResult("warning", target.label, text, f"{text}; {remedy}")
    if state.failure is None:
        public = ", anyone may pull" if state.public else ""
        text = _count(state.images or 0, "image")
        return CheckResult("ok", target.label, f"{text} listed{public}")
    known = _registries_of(check, target)
    if state.failure.reason == "not_found" and known is not None and target.path.name not in known:
        lacks = f"the account has no registry {target.path.name!r} in {target.region}"
        remedy = f"{lacks}{_instead(target.path.name, known)}; check the region too"
        return _failed(target.label, state.failure, remedy)
    result = _failed(target.label, state.failure, _remedy(check, state.failure))
    return result if target.finds_images else replace(result, verdict="warning")


def _registries_of(check: OnlineCheck, target: RegistryTarget) -> tuple[str, ...] | None:
    """Return the names in the registry list of a registry's account and region; None if unknown."""
    for listed_target, listed in check.registry_lists.items():
        account_and_region = (listed_target.account, listed_target.region)
        if account_and_region == (target.account, target.region):
            return listed.names if listed.failure is None else None
    return None


def _image(check: OnlineCheck, state: ImageState) -> CheckResult:
    place = "/".join(state.target.key)
    if state.failure is None:
        return CheckResult("ok", place, _described(state, check.now))
    registry, name = state.target.registry, state.target.name
    gateway = gateway_of(check.config.api, registry.account.zone)
    known = check.observed.names(gateway.list_path(registry.region, registry.path.name))
    if state.failure.reason in {"not_found", "server"} and known is not None and name not in known:
        remedy = f"the registry lists no image {name!r}{_instead(name, known)}"
        return _failed(place, state.failure, remedy)
    return _failed(place, state.failure, _remedy(check, state.failure))


def _described(state: ImageState, now: float) -> str:
    image = state.image
    if image is None:
        return "deleted from the registry"
    size = "size unknown" if image.size is None else size_text(image.size)
    pulled = "last pull unknown"
    if image.pulled is not None:
        pulled = f"last pull {age_text(max(0.0, now - image.pulled / 1000))} ago"
    elif image.never_pulled:
        pulled = "never pulled"
    return f"{_count(image.tags, 'tag')}, {size}, {pulled}"


def _v3(check: OnlineCheck, result: V3Result) -> CheckResult:
    """Return whether an account may use version 3 of the API; a warning at most."""
    place = "API v3" if len(check.v3) == 1 else f"API v3 for {result.label}"
    failure = result.failure
    if failure is None:
        return CheckResult("ok", place, f"this key may use it: {result.shape}")
    is_refused = failure.reason in {"authentication", "permission"}
    text = f"this key may not use it: {failure.message}" if is_refused else failure.message
    remedy = failure.remedy
    if check.config.api.version != V3.name:
        remedy = f"not needed while api.version is {check.config.api.version}; to use it, {remedy}"
    return CheckResult("warning", place, text, remedy)


def _remedy(check: OnlineCheck, failure: Failure) -> str:
    api = check.config.api
    proxies = [name for name in _PROXIES if check.environ.get(name)]
    unused = proxies and not api.proxy_from_environment and api.proxy_url is None
    if failure.reason in {"connection", "timeout"} and unused:
        use = "set api.proxy_from_environment: true to use it"
        return f"{failure.remedy}; {proxies[0]} is set but not used, {use}"
    return failure.remedy


def _failed(place: str, failure: Failure, remedy: str) -> CheckResult:
    return CheckResult("FAILED", place, failure.message, remedy)


def _instead(name: str, known: Sequence[str]) -> str:
    """Return the rest of a sentence on a wrong name: a similar name, or the first known ones."""
    shown = f"{', '.join(known[:_SHOWN])}{', …' if len(known) > _SHOWN else ''}"
    return did_you_mean(name, known) or (f"; it has {shown}" if known else "; it has none")


def _targets(target: RegistryListTarget) -> tuple[RegistryTarget, ...]:
    return target.named if target.every is None else (target.every, *target.named)


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
