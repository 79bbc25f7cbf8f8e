"""What a valid configuration holds that is most likely a mistake: warnings of `check`. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ncr_exporter.config.globs import EVERY, is_glob, matches
from ncr_exporter.config.model import Config, RegistryConfig
from ncr_exporter.config.names import (
    IMAGE,
    REGISTRY,
    TAG,
    NameRule,
    looks_like_a_host,
    own_registry_in,
)
from ncr_exporter.config.yaml_tree import Mistakes, Node, NodeOf

_TAG_GLOBS = ("keep_tags", "ignore_tags", "immutable_tags")


def likely_mistakes(config: Config, root: Node, node_of: NodeOf) -> Mistakes:
    """Yield what is most likely a mistake in a configuration without any certain one.

    Args:
        config: the configuration as read from `root`.
        root: the node of the whole file.
        node_of: returns the node of an entry.
    """
    defaults = root.child("defaults")
    if defaults is not root and isinstance(defaults.value, dict):
        given = {key: getattr(config.defaults, key) for key in _TAG_GLOBS if key in defaults.value}
        yield from _tag_globs(given, defaults)
    for registry in config.registries:
        node = node_of(registry)
        if registry.name != EVERY:
            yield from _by_rule(REGISTRY, registry.name, node.child("name"))
        yield from _tag_globs(registry.overrides, node)
        for name, item in _items(registry.exclude, node.child("exclude")):
            yield from _by_rule(IMAGE, name, item)
        yield from _images(registry, node_of)


def _images(registry: RegistryConfig, node_of: NodeOf) -> Mistakes:
    globs: list[str] = []
    for image in registry.images or ():
        node = node_of(image)
        name_node = node.child("name")
        yield from _by_rule(IMAGE, image.name, name_node)
        yield from ((message, name_node) for message in _of_image(image.name, registry.name))
        yield from _tag_globs(image.overrides, node)
        first = next((glob for glob in globs if matches(image.name, glob)), None)
        if image.overrides and first:
            yield f"has no effect: {first!r} above matches first, and the first decides", node
        globs += [image.name] if is_glob(image.name) else []


def _of_image(name: str, registry: str) -> Iterator[str]:
    yield from own_registry_in(name, registry)
    if looks_like_a_host(name):
        host = name.partition("/")[0]
        yield f"{name!r} begins like a host; right only if the registry itself lists {host}/…"


def _tag_globs(settings: Mapping[str, Any], node: Node) -> Mistakes:
    for key in _TAG_GLOBS:
        for glob, item in _items(settings.get(key, ()), node.child(key)):
            yield from _by_rule(TAG, glob, item)


def _items(names: Sequence[str], node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the items of a list with their nodes."""
    return zip(names, node.value if isinstance(node.value, list) else [], strict=False)


def _by_rule(rule: NameRule, name: str, node: Node) -> Mistakes:
    if warning := rule.vendor_warning(name):
        yield warning, node
