"""Runs `ncr-exporter demo`: the whole program and a simulated registry in one process."""

import json
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from ncr_exporter.app.serve import ServeOptions, serve
from ncr_exporter.config import Config, parse
from ncr_exporter.httpd.address import Address
from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.server import Server
from ncr_exporter.recording.reading import read_recording
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.runtime.streams import announce
from ncr_exporter.simulator.data import GeneratedSource, Source, file_source
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.simulator.faults.environment import access_policy, ca_bundle
from ncr_exporter.simulator.key_rotation import key_file
from ncr_exporter.simulator.registry import (
    DEMO_ACCESS_KEY,
    DEMO_SECRET_KEY,
    ReplayedRegistry,
    SimulatedRegistry,
)

ConfigOf = Callable[[str, dict[str, str]], Config]
"""Base URL and section `credentials` → a configuration that polls the whole simulated registry."""
KEY = {"access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}
"""The section `credentials` of the demo."""


def replayed_registry(directory: str, fault: str | None) -> tuple[SimulatedRegistry, ConfigOf]:
    """Return a registry that serves a recording, and the configuration for it.

    Args:
        directory: the recording.
        fault: the name of a fault of all responses.

    Raises:
        ValueError: the directory holds no recording, or the fault does not exist.
    """
    recording = read_recording(Path(directory))
    keys = {DEMO_ACCESS_KEY: DEMO_SECRET_KEY}
    registry = ReplayedRegistry(recording, keys=keys, clock=SystemClock())
    registry.fault = fault_named(fault) if fault else None
    api = {"zone": recording.zone, "page_size": recording.page_size, "ca_file": _bundle(registry)}
    return registry, lambda url, key: _config(url, key, recording.registries, **api)


def simulated_registry(tags: str | None, fault: str | None) -> tuple[SimulatedRegistry, ConfigOf]:
    """Return a registry that serves a file's tags or generated data, and the configuration for it.

    Args:
        tags: the file; None for generated data.
        fault: the name of a fault of all responses.

    Raises:
        ValueError: the file holds no tags, or the fault does not exist.
    """
    source: Source = file_source(Path(tags)) if tags else GeneratedSource()
    keys = {DEMO_ACCESS_KEY: DEMO_SECRET_KEY}
    registry = SimulatedRegistry(source, keys=keys, clock=SystemClock())
    registry.fault = fault_named(fault) if fault else None
    return registry, lambda url, key: demo_config(url, source, key, ca_file=_bundle(registry))


async def demo(registry: SimulatedRegistry, config_of: ConfigOf, listen: Sequence[Address]) -> int:
    """Serve the registry and the exporter until SIGTERM or SIGINT, and return the exit code.

    Args:
        registry: the simulated registry, served on a free loopback port.
        config_of: the exporter's configuration.
        listen: the addresses of the exporter.
    """
    certificate = _certificate(registry)
    policy = access_policy(certificate)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            Server(registry.handle, Limits(requests=64), policy)
        )
        port, key = await server.listen("127.0.0.1", 0), KEY
        if registry.fault and registry.fault.rotates_key:
            path = await stack.enter_async_context(key_file(registry, SystemClock()))
            key = {"access_key": DEMO_ACCESS_KEY, "secret_key_file": str(path)}
        config = config_of(f"{'https' if certificate else 'http'}://127.0.0.1:{port}", key)
        return await serve(config, ServeOptions(tuple(listen)), announce=_announce)


def _certificate(registry: SimulatedRegistry) -> str:
    return registry.fault.certificate if registry.fault else ""


def _bundle(registry: SimulatedRegistry) -> str | None:
    return ca_bundle(_certificate(registry))


def demo_config(
    base_url: str,
    source: Source,
    key: dict[str, str] = KEY,
    **api: Any,  # noqa: ANN401 -- keys of the section `api`
) -> Config:
    """Return a configuration that polls every registry of a source at short intervals."""
    now_ms = SystemClock().time() * 1000
    names = [str(registry["name"]) for registry in source.registries(now_ms)]
    return _config(base_url, key, [{"name": name} for name in names], **api)


def _config(
    base_url: str,
    key: dict[str, str],
    registries: list[dict[str, Any]],
    **api: Any,  # noqa: ANN401 -- keys of the section `api`
) -> Config:
    content = {
        "api": {"base_url": base_url, "requests_per_second": 50, **api},
        "credentials": key,
        "defaults": {
            "interval": "10s",
            "tag_size_limit": "500MB",
            "tags_limit": 300,
            "platform_series": True,
        },
        "registries": registries,
    }
    return parse(json.dumps(content), "demo", {})


def _announce(addresses: tuple[Address, ...]) -> None:
    shown = [Address(address.host or "localhost", address.port) for address in addresses]
    lines = [f"Metrics: http://{address}/metrics\n" for address in shown]
    announce("".join([*lines, "Press Ctrl-C to stop.\n"]))
