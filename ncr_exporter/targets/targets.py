"""What to poll: the registries and images of a configuration, and this exporter's share. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import msgspec

from ncr_exporter.config import Config, CredentialsConfig, RegistryConfig
from ncr_exporter.config.globs import EVERY, excluded, is_glob, matches
from ncr_exporter.config.zones import pull_host
from ncr_exporter.inventory import Policy
from ncr_exporter.ncr.paths import RegistryPath

_EXPIRE_AFTER = 86_400.0
"""Seconds, where the configuration does not say."""

ImageKey = tuple[str, str]
"""The values of the labels `registry` and `image`, which identify an image everywhere."""

RegistryIdentity = tuple[str, RegistryPath]
"""Zone and path, which identify a registry however it is polled."""


@dataclass(frozen=True)
class Account:
    """One API key in one zone. Accounts have separate clients and rate limits."""

    zone: str
    credentials: CredentialsConfig

    def __hash__(self) -> int:
        """Return the zone's hash: few accounts are looked up with each poll of each image."""
        return hash(self.zone)


@dataclass(frozen=True)
class Timing:
    """How often something is polled, and how long its data is published. All in seconds."""

    interval: float
    expire_after: float
    relist_after: float | None = None
    """How long an unchanged entry in the image list may stand for a tag list; None is never."""

    @property
    def longest(self) -> float:
        """How long it takes at most until the tags of an image are listed again."""
        return max(self.interval, self.relist_after or 0.0)


@dataclass(frozen=True)
class ImageRule:
    """One entry of `images`: the images that it matches, and how they are polled."""

    pattern: str
    """A name, or a glob."""
    timing: Timing
    policy: Policy


@dataclass(frozen=True)
class RegistryTarget:
    """A registry to list, with the rules that choose its images."""

    path: RegistryPath
    account: Account
    timing: Timing
    rules: tuple[ImageRule, ...]
    """In the order of the file: the first rule that matches an image applies."""
    exclude: tuple[str, ...]
    """Globs of images that no rule with a glob may choose."""
    found_by: str | None = None
    """The label of the registry list that found it; None if the configuration names it."""

    @property
    def label(self) -> str:
        """The value of the label `registry`."""
        return self.path.label

    @property
    def region(self) -> str:
        """The registry's region."""
        return self.path.region

    @property
    def identity(self) -> RegistryIdentity:
        """What stays when the registry is polled with another key, interval, rule or version."""
        return (self.account.zone, self.path)

    @property
    def is_every(self) -> bool:
        """Whether this is the entry `"*"`, which stands for all registries of an account."""
        return self.path.name == EVERY

    @property
    def documented_host(self) -> str:
        """The public host that images are pulled from, by the documentation's pattern."""
        return pull_host(self.account.zone, self.region, self.path.name)

    @property
    def finds_images(self) -> bool:
        """Whether some images are known only from the image list: `"*"` or a glob asks for them."""
        return self.is_every or any(is_glob(rule.pattern) for rule in self.rules)

    def images(self, listed: Iterable[str] = ()) -> Iterator["ImageTarget"]:
        """Yield the images to poll: those named by rules, then those found in `listed`, by name.

        A listed image is found if a glob matches it and `exclude` does not.
        """
        for name in dict.fromkeys((*self._exact, *sorted(listed))):
            target = self.image(name)
            if target is not None:
                yield target

    def image(self, name: str) -> "ImageTarget | None":
        """Return the target of an image, or None where the configuration does not cover it."""
        named = name in self._exact
        rule = self._rule_for(name) if named or not excluded(name, self.exclude) else None
        if rule is None:
            return None
        return ImageTarget(self, name, named, rule.timing, rule.policy)

    def _rule_for(self, name: str) -> ImageRule | None:
        """Return the first rule that matches an image."""
        # A configuration may name 10,000 images: names are looked up, only globs are tried in turn.
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

    @property
    def globs(self) -> tuple[str, ...]:
        """The globs of `images` that could be mistyped: not the one that matches every image."""
        return tuple(self.rules[i].pattern for i in self._globs if self.rules[i].pattern != EVERY)


class ImageTarget(msgspec.Struct, frozen=True, gc=False):
    """An image to poll."""

    registry: RegistryTarget
    name: str
    named: bool
    """Whether the configuration names it; False if a glob found it."""
    timing: Timing
    policy: Policy
    key: ImageKey = ("", "")
    """The values of the labels `registry` and `image`. It follows from the others."""

    def __post_init__(self) -> None:
        """Make the key once: it is asked for with everything that is done for an image."""
        msgspec.structs.force_setattr(self, "key", (self.registry.label, self.name))


@dataclass(frozen=True)
class RegistryListTarget:
    """The list of one account's registries in one region, and the registries wanted from it."""

    label: str
    """The value of the label `registry` that its requests are counted under."""
    region: str
    account: Account
    timing: Timing
    named: tuple[RegistryTarget, ...]
    """The registries that the configuration names."""
    every: RegistryTarget | None
    """The template for registries found by the list; None if the configuration has no `"*"`."""

    @property
    def key(self) -> tuple[str, ...]:
        """Identifies the list among all jobs; it differs from every image's key."""
        return ("registry list", self.label, self.region)

    def found(self, listed: Iterable[str]) -> Iterator[RegistryTarget]:
        """Yield, by name, the listed registries that the configuration does not name.

        None are found where the configuration has no `"*"`.
        """
        named = {registry.path.name for registry in self.named}
        if self.every is not None:
            for name in sorted(set(listed) - named):
                path = RegistryPath(name, name, self.region)
                yield replace(self.every, path=path, found_by=self.label)


class Coverage:
    """The images that registry lists and a shard cover, also of registries not found so far."""

    def __init__(self, lists: Iterable[RegistryListTarget], shard: "Shard") -> None:
        self._lists = tuple(lists)
        self._shard = shard
        self._known = {target.identity: target for each in self._lists for target in each.named}

    def registry(self, identity: RegistryIdentity) -> RegistryTarget | None:
        """Return the target of a registry, or None where the configuration does not cover it."""
        if identity not in self._known:
            found = (each for it in self._lists for each in it.found([identity[1].name]))
            target = next((each for each in found if each.identity == identity), None)
            if target is None:
                return None
            self._known[identity] = target
        return self._known[identity]

    def image(self, identity: RegistryIdentity, name: str) -> ImageTarget | None:
        """Return the target of an image, or None where this shard does not poll it."""
        registry = self.registry(identity)
        target = registry.image(name) if registry else None
        return target if target and self._shard.owns(*target.key) else None


def registry_list_targets(config: Config) -> tuple[RegistryListTarget, ...]:
    """Return what a configuration asks to be polled: one registry list per account and region."""
    groups: dict[tuple[Account, str], list[RegistryTarget]] = {}
    for registry in config.registries:
        target = _registry_target(config, registry)
        groups.setdefault((target.account, target.region), []).append(target)
    return tuple(_registry_list_target(group) for group in groups.values())


def _registry_list_target(group: list[RegistryTarget]) -> RegistryListTarget:
    every = next((registry for registry in group if registry.is_every), None)
    first = every or group[0]
    soonest = min((registry.timing for registry in group), key=lambda timing: timing.interval)
    return RegistryListTarget(
        label=first.label,
        region=first.region,
        account=first.account,
        timing=soonest,
        named=tuple(registry for registry in group if registry is not every),
        every=every,
    )


def _registry_target(config: Config, registry: RegistryConfig) -> RegistryTarget:
    zone = registry.zone or config.api.zone
    settings = {**asdict(config.defaults), **registry.overrides}
    images = registry.images
    if images is None:
        rules = [_rule(EVERY, settings)]
    else:
        rules = [_rule(image.name, {**settings, **image.overrides}) for image in images]
    return RegistryTarget(
        path=RegistryPath(registry.label or registry.name, registry.name, registry.region),
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
    return Timing(
        interval, expire_after or max(_EXPIRE_AFTER, 3 * interval), settings["relist_after"]
    )


@dataclass(frozen=True)
class Shard:
    """One of `total` exporters that share the polling without talking to each other."""

    index: int = 0
    """Counted from 0."""
    total: int = 1

    def owns(self, *names: str) -> bool:
        """Return whether this shard polls the image, or publishes the registry, of these labels."""
        return self.total == 1 or shard_of(names, self.total) == self.index


def shard_of(names: tuple[str, ...], total: int) -> int:
    """Return the index of the shard, of `total`, that owns what has these names.

    Rendezvous hashing: the shard with the highest hash owns it. One more shard takes an even
    share from each of the others, and nothing moves between those.
    """
    return max(range(total), key=lambda index: _weight(index, names))


def _weight(index: int, names: tuple[str, ...]) -> bytes:
    # Names hold no NUL, so ("ab", "c") and ("a", "bc") differ.
    return hashlib.blake2b("\0".join((str(index), *names)).encode(), digest_size=8).digest()
