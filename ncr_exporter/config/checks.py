"""What no single key can tell: regions of a zone, clashing labels, half a key pair, base URLs."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from ncr_exporter.config.globs import EVERY, excluded, is_glob
from ncr_exporter.config.model import Config, ImageConfig, RegistryConfig
from ncr_exporter.config.units import duration_text
from ncr_exporter.config.yaml_tree import Node, Report
from ncr_exporter.config.zones import REGIONS

UNNAMEABLE = {".", ".."}
"""What a path cannot hold as a name: it would lead elsewhere."""
Entry = TypeVar("Entry", RegistryConfig, ImageConfig)
_child = Node.child


def check(config: Config, root: Node, report: Report) -> None:
    """Report what is wrong between keys; keys that are wrong themselves were reported already."""
    for message, node in _problems(config, root):
        report(node.problem(message))


def _problems(config: Config, root: Node) -> Iterator[tuple[str, Node]]:
    if config.api.base_url is not None:
        node = _child(_child(root, "api"), "base_url")
        yield from ((message, node) for message in _base_url(config.api.base_url))
    if config.api.proxy_url is not None:
        yield from _proxy(config, _child(root, "api"))
    yield from _credentials(root)
    settings = asdict(config.defaults)
    yield from _expiry(settings, settings, _child(root, "defaults"))
    yield from _clashes(config, _child(root, "registries"))
    for registry, node in _entries(config.registries, _child(root, "registries")):
        yield from _registry(registry, registry.zone or config.api.zone, node)
        yield from _images(registry, settings, node)


def _clashes(config: Config, node: Node) -> Iterator[tuple[str, Node]]:
    """Yield registries whose series would mix, and accounts that would be listed twice."""
    labels: dict[str, str] = {}
    accounts: dict[object, str] = {}
    for registry, entry in _entries(config.registries, node):
        label = registry.label or registry.name
        other = labels.setdefault(label, entry.place)
        if label and other != entry.place:
            told = f"{other} has the label {label!r} too"
            yield f"{told}; give one of them another `label`", entry
        elif registry.name == EVERY:
            zone = registry.zone or config.api.zone
            account = (registry.credentials or config.credentials, zone, registry.region)
            other = accounts.setdefault(account, entry.place)
            if other != entry.place:
                yield f"{other} stands for every registry of this account and region already", entry


def _registry(registry: RegistryConfig, zone: str, node: Node) -> Iterator[tuple[str, Node]]:
    regions = REGIONS[zone]
    if registry.region not in regions:
        message = f"the {zone} zone has the regions {', '.join(regions)}, not {registry.region!r}"
        yield message, _child(node, "region")
    if registry.name in UNNAMEABLE:
        yield f"{registry.name!r} cannot be a registry's name", _child(node, "name")
    if registry.name and is_glob(registry.name) and registry.name != EVERY:
        yield 'must be one name, or "*" for every registry', _child(node, "name")
    yield from _credentials(node)


def _images(
    registry: RegistryConfig, defaults: Mapping[str, Any], node: Node
) -> Iterator[tuple[str, Node]]:
    settings = {**defaults, **registry.overrides}
    yield from _expiry(settings, registry.overrides, node)
    seen: set[str] = set()
    for image, image_node in _entries(registry.images, _child(node, "images")):
        if image.name in UNNAMEABLE:
            yield f"{image.name!r} cannot be an image's name", image_node
        if image.name and image.name in seen:
            yield f"{image.name!r} stands here twice; keep one", image_node
        seen.add(image.name)
        if image.name and not is_glob(image.name) and excluded(image.name, registry.exclude):
            yield (
                f"{image.name!r} is named here and in `exclude`; leave one of them out",
                image_node,
            )
        yield from _expiry({**settings, **image.overrides}, image.overrides, image_node)


def _expiry(
    settings: Mapping[str, Any], own: Mapping[str, Any], node: Node
) -> Iterator[tuple[str, Node]]:
    """Yield a problem where data would expire between polls, at the place that makes it so."""
    interval, expire_after = settings["interval"], settings["expire_after"]
    if expire_after and expire_after < 3 * interval and {"interval", "expire_after"} & set(own):
        needed, had = duration_text(3 * interval), duration_text(expire_after)
        yield f"expire_after must be at least three intervals, here {needed}, not {had}", node


def _entries(entries: Sequence[Entry] | None, node: Node) -> Iterator[tuple[Entry, Node]]:
    """Yield entries with their nodes; none where some entry could not be read at all."""
    nodes = node.value if isinstance(node.value, list) else []
    if entries and len(entries) == len(nodes):
        yield from zip(entries, nodes, strict=True)


def _proxy(config: Config, node: Node) -> Iterator[tuple[str, Node]]:
    if config.api.proxy_url is not None and _url(config.api.proxy_url.reveal()) is None:
        yield "must be a URL such as http://proxy.example:3128", _child(node, "proxy_url")
    if config.api.proxy_from_environment:
        yield "give proxy_url or proxy_from_environment, not both", node


def _credentials(owner: Node) -> Iterator[tuple[str, Node]]:
    """Yield what is wrong with the keys that stand in `credentials`, readable or not."""
    node = _child(owner, "credentials")
    if node is owner or not isinstance(node.value, dict):
        return
    written = {key for key, child in node.value.items() if child.value is not None}
    if "source" in written and len(written) > 1:
        yield "give a source or keys, not both", node
        return
    for key, other in (("access_key", "secret_key"), ("secret_key", "access_key")):
        if {key, f"{key}_file"} <= written:
            yield f"give {key} or {key}_file, not both", node
        if {key, f"{key}_file"} & written and not {other, f"{other}_file"} & written:
            yield f"{other} (or {other}_file) is needed beside {key}", node


def _base_url(url: str) -> Iterator[str]:
    """Yield what makes `url` unfit: the key must never cross a network unencrypted."""
    parts = _url(url)
    if parts is None:
        yield "must be a URL such as https://ncr.apigw.ntruss.com"
        return
    if parts.scheme == "http" and not _is_loopback(parts.host):
        yield f"http would send the key's signature unencrypted to {parts.host}; use https"
    if parts.raw_path != b"/" or set(url) & set("?#@"):
        yield "must be scheme, host and port alone: no path, query or user"


def _url(text: str) -> httpx.URL | None:
    """Return the URL as the API client will read it, or None where it will not."""
    try:
        url = httpx.URL(text)
        host_and_port = urlsplit(text).port != 0 and bool(url.raw_host and url.host)
        usable = url.scheme in {"http", "https"} and host_and_port and not set(text) & set(" %")
    except (httpx.InvalidURL, ValueError):  # a ValueError comes from a host that no DNS can hold
        return None
    return url if usable else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
