"""Checks that need more than one key or a URL: regions, labels, key pairs, expiry, base URLs."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import httpx

from ncr_exporter.config.globs import EVERY, excluded, is_glob
from ncr_exporter.config.model import Api, Config, RegistryConfig
from ncr_exporter.config.proxy_url import proxy_problem
from ncr_exporter.config.suggestions import did_you_mean
from ncr_exporter.config.units import duration_text
from ncr_exporter.config.yaml_tree import Mistakes, Node, NodeOf
from ncr_exporter.config.zones import (
    REGION_ALIASES,
    REGIONS,
    V3,
    V3_LARGEST_PAGE,
    V3_ZONE,
    zones_of_region,
)

_NO_V3 = "the {} zone has no version 3 of the API, as far as the vendor documents"


def mistakes(config: Config, root: Node, node_of: NodeOf) -> Mistakes:
    """Yield the mistakes that no single value shows.

    Args:
        config: the configuration as read from `root`, without the values that were wrong.
        root: the node of the whole file.
        node_of: returns the node of an entry.
    """
    if config.api.base_url is not None:
        node = root.child("api").child("base_url")
        yield from ((message, node) for message in _base_url(config.api.base_url))
    if config.api.proxy_url is not None:
        yield from _proxy(config, root.child("api"))
    yield from _version(config.api, root.child("api"))
    yield from _credentials(root)
    settings = asdict(config.defaults)
    yield from _expiry(settings, settings, root.child("defaults"))
    yield from _clashes(config, node_of)
    for registry in config.registries or ():  # None if the file has no valid list
        node = node_of(registry)
        yield from _registry(registry, registry.zone or config.api.zone, node)
        yield from _zone_in_version(registry, config.api, node)
        yield from _images(registry, settings, node, node_of)


def _clashes(config: Config, node_of: NodeOf) -> Mistakes:
    """Yield each label that two registries have, and each account that two "*" entries list."""
    labels: dict[str, str] = {}
    accounts: dict[object, str] = {}
    for registry in config.registries or ():
        entry = node_of(registry)
        label = registry.label or registry.name
        other = labels.setdefault(label, entry.place)
        if label and other != entry.place:
            same = f"{other} also has the label {label!r}"
            yield f"{same}; give one of them another `label`", entry
        elif registry.name == EVERY:
            zone = registry.zone or config.api.zone
            account = (registry.credentials or config.credentials, zone, registry.region)
            other = accounts.setdefault(account, entry.place)
            if other != entry.place:
                yield f"{other} already covers every registry of this account and region", entry


def _registry(registry: RegistryConfig, zone: str, node: Node) -> Mistakes:
    regions = REGIONS[zone]
    if registry.region not in regions:
        message = f"the {zone} zone has the regions {', '.join(regions)}, not {registry.region!r}"
        yield f"{message}{_other_region(registry.region, zone)}", node.child("region")
    yield from _credentials(node)


def _version(api: Api, node: Node) -> Mistakes:
    """Yield what version 3 of the API has not: other zones, and pages above its limit."""
    if api.version != V3:
        return
    if api.zone != V3_ZONE:
        yield f"{_NO_V3.format(api.zone)}; write v2", node.child("version")
    if api.page_size > V3_LARGEST_PAGE:
        most = f"at most {V3_LARGEST_PAGE:,} records per page"
        yield f"version 3 allows {most}, not {api.page_size:,}", node.child("page_size")


def _zone_in_version(registry: RegistryConfig, api: Api, node: Node) -> Mistakes:
    """Yield a mistake for a registry in a zone that the version of the whole file has not."""
    if api.version == V3 and registry.zone not in {None, V3_ZONE, api.zone}:
        apart = "one file has one version, so put this registry into a file of its own with v2"
        yield f"{_NO_V3.format(registry.zone)}; {apart}", node.child("zone")


def _other_region(region: str, zone: str) -> str:
    """Return the rest of a sentence on a wrong region: the zone that has it, or a similar one."""
    others = [other for other in zones_of_region(region) if other != zone]
    if others:
        return f"; {region} is a region of the {others[0]} zone: write zone: {others[0]}"
    return did_you_mean(region, REGIONS[zone], REGION_ALIASES)


def _images(
    registry: RegistryConfig, defaults: Mapping[str, Any], node: Node, node_of: NodeOf
) -> Mistakes:
    settings = {**defaults, **registry.overrides}
    yield from _expiry(settings, registry.overrides, node)
    seen: set[str] = set()
    for image in registry.images or ():
        image_node = node_of(image)
        if image.name and image.name in seen:
            yield f"{image.name!r} is listed twice; keep one", image_node
        seen.add(image.name)
        if image.name and not is_glob(image.name) and excluded(image.name, registry.exclude):
            yield (
                f"{image.name!r} is named here and in `exclude`; leave one of them out",
                image_node,
            )
        yield from _expiry({**settings, **image.overrides}, image.overrides, image_node)


def _expiry(settings: Mapping[str, Any], own: Mapping[str, Any], node: Node) -> Mistakes:
    """Yield a mistake where data would expire before the third poll.

    Args:
        settings: the values in force at this node.
        own: the keys that the node gives itself. A node that gives neither of the two only repeats
            the mistake of the node that does.
        node: where the mistake is reported.
    """
    interval, expire_after = settings["interval"], settings["expire_after"]
    if expire_after and expire_after < 3 * interval and {"interval", "expire_after"} & set(own):
        least, given = duration_text(3 * interval), duration_text(expire_after)
        yield f"expire_after must be at least three intervals, here {least}, not {given}", node


def _proxy(config: Config, node: Node) -> Mistakes:
    url = config.api.proxy_url
    if url is not None and (problem := proxy_problem(url.reveal())):
        yield problem, node.child("proxy_url")
    if config.api.proxy_from_environment:
        yield "give proxy_url or proxy_from_environment, not both", node


def _credentials(owner: Node) -> Mistakes:
    """Yield mistakes in `credentials`; a key with a wrong value counts as given."""
    node = owner.child("credentials")
    if node is owner or not isinstance(node.value, dict):
        return
    given = {key for key, child in node.value.items() if child.value is not None}
    if "source" in given and len(given) > 1:
        yield "give a source or keys, not both", node
        return
    for key, other in (("access_key", "secret_key"), ("secret_key", "access_key")):
        if {key, f"{key}_file"} <= given:
            yield f"give {key} or {key}_file, not both", node
        if {key, f"{key}_file"} & given and not {other, f"{other}_file"} & given:
            yield f"{other} (or {other}_file) is needed beside {key}", node


def _base_url(url: str) -> Iterator[str]:
    """Yield what is wrong with `base_url`. The signature must not cross a network unencrypted."""
    parts = _url(url)
    if parts is None:
        yield "must be a URL such as https://ncr.apigw.ntruss.com"
        return
    if parts.scheme == "http" and not _is_loopback(parts.host):
        yield f"http would send the key's signature unencrypted to {parts.host}; use https"
    if parts.raw_path != b"/" or set(url) & set("?#@"):
        yield "must be scheme, host and port alone: no path, query or user"


def _url(text: str) -> httpx.URL | None:
    """Return the URL as the API client parses it, or None where the client cannot use it."""
    try:
        url = httpx.URL(text)
        host_and_port = urlsplit(text).port != 0 and bool(url.raw_host and url.host)
        usable = url.scheme in {"http", "https"} and host_and_port and not set(text) & set(" %")
    except (httpx.InvalidURL, ValueError):  # ValueError: no DNS name can hold that host
        return None
    return url if usable else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
