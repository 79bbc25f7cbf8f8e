"""`ncr-exporter demo`: the whole program against an embedded simulated registry on loopback."""

import json
import sys
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
from ncr_exporter.simulator import certificates
from ncr_exporter.simulator.data import GeneratedSource, Source, file_source
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.simulator.key_rotation import key_file
from ncr_exporter.simulator.registry import (
    DEMO_ACCESS_KEY,
    DEMO_SECRET_KEY,
    ReplayedRegistry,
    SimulatedRegistry,
)

ConfigOf = Callable[[str, dict[str, str]], Config]
"""The simulated registry's base URL, and its key → what a user would write to watch all of it."""
KEY = {"access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}
"""The section `credentials`."""


def replayed(directory: str, fault: str | None) -> tuple[SimulatedRegistry, ConfigOf]:
    """Return a registry that gives recorded answers, and a configuration that asks for them.

    Raises:
        ValueError: the directory holds no recording, or there is no such fault; with a sentence.
    """
    recording = read_recording(Path(directory))
    keys = {DEMO_ACCESS_KEY: DEMO_SECRET_KEY}
    registry = ReplayedRegistry(recording, keys=keys, clock=SystemClock())
    registry.fault = fault_named(fault) if fault else None
    api = {"zone": recording.zone, "page_size": recording.page_size, "ca_file": _bundle(registry)}
    return registry, lambda url, key: _config(url, key, recording.registries, **api)


def simulated(tags: str | None, fault: str | None) -> tuple[SimulatedRegistry, ConfigOf]:
    """Return a registry that serves the tags in the file `tags`, or data of its own; as above.

    Raises:
        ValueError: the file holds no tags, or there is no such fault; with a sentence.
    """
    source: Source = file_source(Path(tags)) if tags else GeneratedSource()
    keys = {DEMO_ACCESS_KEY: DEMO_SECRET_KEY}
    registry = SimulatedRegistry(source, keys=keys, clock=SystemClock())
    registry.fault = fault_named(fault) if fault else None
    return registry, lambda url, key: demo_config(url, source, key, ca_file=_bundle(registry))


async def demo(registry: SimulatedRegistry, config_of: ConfigOf, listen: Sequence[Address]) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    certificate = _certificate(registry)
    access = certificates.access_policy(certificate)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            Server(registry.handle, Limits(requests=64), access)
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
    return certificates.trusted(_certificate(registry))


def demo_config(
    base_url: str,
    source: Source,
    key: dict[str, str] = KEY,
    **api: Any,  # noqa: ANN401 -- keys of the section `api`
) -> Config:
    """Return what a user would write to watch all of `source`, with short intervals."""
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
    for address in addresses:
        shown = Address(address.host or "localhost", address.port)
        sys.stdout.write(f"metrics: http://{shown}/metrics\n")
    sys.stdout.write("stop with Ctrl-C\n")
    sys.stdout.flush()
