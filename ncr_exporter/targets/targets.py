"""From the configuration, and what was discovered, to what is polled."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

from ncr_exporter.config import Api, Config, CredentialsConfig, RegistryConfig
from ncr_exporter.config.globs import EVERY, excluded, is_glob, matches
from ncr_exporter.config.zones import REGIONS, ZONES
from ncr_exporter.inventory import Policy
from ncr_exporter.ncr.paths import RegistryPath

_EXPIRE_AFTER = 86_400.0
"""Seconds, where the configuration does not say."""

ImageKey = tuple[str, str]
"""The labels `registry` and `image`, by which everything about an image is found."""


@dataclass(frozen=True)
class Account:
    """A key in a zone: what has limits of its own, and fails by itself."""

    zone: str
    credentials: CredentialsConfig

    def base_url(self, api: Api) -> str:
        """Return where it is asked; `base_url` stands in for the host of `api.zone` alone."""
        own = api.base_url if self.zone == api.zone else None
        return own or ZONES[self.zone]


@dataclass(frozen=True)
class Timing:
    """How often something is polled, and for how long its data stands. Seconds."""

    interval: float
    expire_after: float


@dataclass(frozen=True)
class ImageRule:
    """An entry of `images`: which images, and what is asked of them."""

    pattern: str
    timing: Timing
    policy: Policy


@dataclass(frozen=True)
class RegistryTarget:
    """A registry to list, and the rules that choose its images."""

    path: RegistryPath
    region: str
    account: Account
    timing: Timing
    rules: tuple[ImageRule, ...]
    """In the order written: the first that matches an image decides."""
    exclude: tuple[str, ...]
    found_by: str | None = None
    """The label of the list that found it; None where the configuration names it."""

    @property
    def label(self) -> str:
        """The value of the label `registry`."""
        return self.path.label

    @property
    def is_every(self) -> bool:
        """Whether this stands for every registry of an account, rather than for one."""
        return self.path.name == EVERY

    @property
    def finds_images(self) -> bool:
        """Whether images of the registry are known only from its list."""
        return self.is_every or any(is_glob(rule.pattern) for rule in self.rules)

    def is_at(self, other: "RegistryTarget") -> bool:
        """Tell whether both are the same registry of the same place, however it is polled."""
        return (self.account.zone, self.path) == (other.account.zone, other.path)

    def images(self, listed: Iterable[str] = ()) -> Iterator["ImageTarget"]:
        """Yield the images named, and those listed that a glob matches and `exclude` does not."""
        named = dict.fromkeys(rule.pattern for rule in self.rules if not is_glob(rule.pattern))
        found = (name for name in sorted(listed) if not excluded(name, self.exclude))
        for name in dict.fromkeys((*named, *found)):
            rule = self._rule_for(name)
            if rule is not None:
                yield ImageTarget(self, name, name in named, rule.timing, rule.policy)

    def _rule_for(self, name: str) -> ImageRule | None:
        """Return the first rule that matches; of 10,000 names each must not be held to each."""
        exact = self._exact.get(name, len(self.rules))
        globs = (i for i in self._globs if i < exact and matches(name, self.rules[i].pattern))
        index = next(globs, exact)
        return self.rules[index] if index < len(self.rules) else None

    @cached_property
    def _exact(self) -> dict[str, int]:
        return {rule.pattern: i for i, rule in enumerate(self.rules) if not is_glob(rule.pattern)}

    @cached_property
    def _globs(self) -> tuple[int, ...]:
        return tuple(i for i, rule in enumerate(self.rules) if is_glob(rule.pattern))

    def idle_globs(self, listed: Iterable[str]) -> Iterator[str]:
        """Yield the globs that match none of the images listed."""
        names = [name for name in listed if not excluded(name, self.exclude)]
        for rule in self.rules:
            if is_glob(rule.pattern) and not any(matches(name, rule.pattern) for name in names):
                yield rule.pattern


@dataclass(frozen=True)
class ImageTarget:
    """An image to poll."""

    registry: RegistryTarget
    name: str
    named: bool
    """Whether the configuration names it, rather than finding it by a glob."""
    timing: Timing
    policy: Policy

    @property
    def key(self) -> ImageKey:
        """The values of the labels `registry` and `image`."""
        return (self.registry.label, self.name)


@dataclass(frozen=True)
class RegistryListTarget:
    """One account's registries in one region, as the registry list tells them."""

    label: str
    """What its requests are counted under."""
    prefix: str
    account: Account
    timing: Timing
    named: tuple[RegistryTarget, ...]
    every: RegistryTarget | None
    """What a registry found by the list is polled like; None where all are named."""

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from other catalogs and from images."""
        return ("registry list", self.label, self.prefix)

    def found(self, listed: Iterable[str]) -> Iterator[RegistryTarget]:
        """Yield the registries that the list tells and the configuration does not name."""
        named = {registry.path.name for registry in self.named}
        if self.every is not None:
            for name in sorted(set(listed) - named):
                path = RegistryPath(name, name, self.prefix)
                yield replace(self.every, path=path, found_by=self.label)


def registry_list_targets(config: Config) -> tuple[RegistryListTarget, ...]:
    """Return what the configuration asks for: one catalog per account and region."""
    groups: dict[tuple[Account, str], list[RegistryTarget]] = {}
    for registry in config.registries:
        target = _registry_target(config, registry)
        groups.setdefault((target.account, target.path.prefix), []).append(target)
    return tuple(_catalog(group) for group in groups.values())


def _catalog(group: list[RegistryTarget]) -> RegistryListTarget:
    every = next((registry for registry in group if registry.path.name == EVERY), None)
    first = every or group[0]
    soonest = min((registry.timing for registry in group), key=lambda timing: timing.interval)
    return RegistryListTarget(
        label=first.label,
        prefix=first.path.prefix,
        account=first.account,
        timing=soonest,
        named=tuple(registry for registry in group if registry is not every),
        every=every,
    )


def _registry_target(config: Config, registry: RegistryConfig) -> RegistryTarget:
    zone = registry.zone or config.api.zone
    prefix = REGIONS[zone][registry.region]
    settings = {**asdict(config.defaults), **registry.overrides}
    images = registry.images
    if images is None:
        rules = [_rule(EVERY, settings)]
    else:
        rules = [_rule(image.name, {**settings, **image.overrides}) for image in images]
    return RegistryTarget(
        path=RegistryPath(registry.label or registry.name, registry.name, prefix),
        region=registry.region,
        account=Account(zone, registry.credentials or config.credentials),
        timing=_timing(settings),
        rules=tuple(rules),
        exclude=registry.exclude,
    )


def _rule(pattern: str, settings: Mapping[str, Any]) -> ImageRule:
    policy = {field.name: settings[field.name] for field in fields(Policy)}
    return ImageRule(pattern, _timing(settings), Policy(**policy))


def _timing(settings: Mapping[str, Any]) -> Timing:
    """Return the timing; data must outlive two polls in a row that fail."""
    interval, expire_after = settings["interval"], settings["expire_after"]
    return Timing(interval, expire_after or max(_EXPIRE_AFTER, 3 * interval))
