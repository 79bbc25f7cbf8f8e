"""Mistakes in a configuration that only the system shows: its API keys, `ca_file` and proxy."""

from collections.abc import Mapping
from dataclasses import fields

from ncr_exporter.app.accounts import proxies_of
from ncr_exporter.config import Config, ConfigError, CredentialsConfig, RegistryConfig
from ncr_exporter.config.load import Inspection
from ncr_exporter.config.suggestions import followed_by, some_of
from ncr_exporter.config.yaml_tree import Mistakes, Node, NodeOf
from ncr_exporter.ncr.credentials import problems_of
from ncr_exporter.ncr.http import client_pool
from ncr_exporter.ncr.versions import gateway_of

_NAMED = 3
"""Registries named beside an API key that they need; the others are counted."""


def inspection(environ: Mapping[str, str], *, with_credentials: bool = True) -> Inspection:
    """Return what finds unusable API keys, CA files and proxies while a configuration is loaded.

    Args:
        environ: the environment's variables, which may hold keys.
        with_credentials: whether API keys are looked for.
    """

    def inspect(config: Config, root: Node, node_of: NodeOf) -> Mistakes:
        yield from _ca_file(config, root)
        yield from _proxy(config, root, environ)
        if with_credentials:
            yield from _credentials(config, root, node_of, environ)

    return inspect


def _ca_file(config: Config, root: Node) -> Mistakes:
    if config.api.ca_file is not None:
        try:
            client_pool(config.api, config.directory)
        except ConfigError as error:
            node = root.child("api").child("ca_file")
            yield from ((problem.message, node) for problem in error.problems)


def _proxy(config: Config, root: Node, environ: Mapping[str, str]) -> Mistakes:
    """Yield what is wrong with the proxy that the environment names."""
    if not config.api.proxy_from_environment:
        return
    zones = (registry.zone or config.api.zone for registry in config.registries)
    for zone in dict.fromkeys(zones):
        try:
            proxies_of(config.api, gateway_of(config.api, zone), environ)
        except ConfigError as error:
            node = root.child("api").child("proxy_from_environment")
            yield from ((problem.message, node) for problem in error.problems)
            return


def _credentials(
    config: Config, root: Node, node_of: NodeOf, environ: Mapping[str, str]
) -> Mistakes:
    """Yield what is wrong with each API key that a registry needs."""
    needing: dict[CredentialsConfig, list[RegistryConfig]] = {}
    for registry in config.registries:
        needing.setdefault(registry.credentials or config.credentials, []).append(registry)
    for credentials, registries in needing.items():
        owner = node_of(registries[0]) if registries[0].credentials else root
        node = owner.child("credentials")
        if _is_reported(credentials, node, owner):
            continue
        needed = _needed_by([each.label or each.name or node_of(each).place for each in registries])
        place = node_of(registries[0]) if node is owner else node
        for key, problem in problems_of(credentials, config.directory, environ):
            yield followed_by(problem, needed), place.child(key) if key else place


def _needed_by(names: list[str]) -> str:
    what = "registry" if len(names) == 1 else "registries"
    return f"it is needed by {what} {some_of(names, _NAMED)}"


def _is_reported(credentials: CredentialsConfig, node: Node, owner: Node) -> bool:
    """Return whether a section lacks what its node has, or half a key: both are reported."""
    if node is owner or not isinstance(node.value, dict):
        return node is not owner and node.value is not None
    written = {key for key, child in node.value.items() if child.value is not None}
    read = {each.name for each in fields(credentials) if getattr(credentials, each.name)}
    keys = {name.removesuffix("_file") for name in read - {"source"}}
    return written != read or len(keys) == 1
