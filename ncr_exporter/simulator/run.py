"""Runs `ncr-exporter demo`: the whole program and a simulated registry in one process."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import yaml

from ncr_exporter.app.serve import ServeOptions, serve
from ncr_exporter.config import parse
from ncr_exporter.config.zones import VERSIONS
from ncr_exporter.httpd.address import Address
from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.server import Server
from ncr_exporter.recording.reading import read_recording
from ncr_exporter.runtime.atomicfile import WriteError, write_atomically
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.runtime.streams import announce
from ncr_exporter.simulator.data import GeneratedSource, Source, file_source
from ncr_exporter.simulator.faults import Fault, fault_named
from ncr_exporter.simulator.faults.environment import access_policy, ca_bundle
from ncr_exporter.simulator.key_rotation import key_file
from ncr_exporter.simulator.registry import (
    DEMO_ACCESS_KEY,
    DEMO_SECRET_KEY,
    ReplayedRegistry,
    SimulatedRegistry,
)

ConfigOf = Callable[[str, dict[str, str]], str]
"""Base URL and section `credentials` → the text of a configuration that polls everything."""
KEY = {"access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}
"""The section `credentials` of the demo."""
_MARK = "# Written by `ncr-exporter demo`, which removes it when it ends."

log = structlog.get_logger()


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
    api = {
        "zone": recording.zone,
        "version": recording.version,
        "page_size": recording.page_size,
        "ca_file": _bundle(registry),
    }
    return registry, lambda url, key: _config(url, key, recording.registries, **api)


def simulated_registry(
    tags: str | None, fault: str | None, version: str = VERSIONS[0]
) -> tuple[SimulatedRegistry, ConfigOf]:
    """Return a registry that serves a file's tags or generated data, and the configuration for it.

    Args:
        tags: the file; None for generated data.
        fault: the name of a fault of all responses.
        version: the version of the API that the configuration asks for.

    Raises:
        ValueError: the file holds no tags, or the fault does not exist.
    """
    source: Source = file_source(Path(tags)) if tags else GeneratedSource()
    keys = {DEMO_ACCESS_KEY: DEMO_SECRET_KEY}
    registry = SimulatedRegistry(source, keys=keys, clock=SystemClock())
    registry.fault = fault_named(fault) if fault else None
    api = {"version": version, "ca_file": _bundle(registry)}
    return registry, lambda url, key: demo_config(url, source, key, **api)


async def demo(
    registry: SimulatedRegistry,
    config_of: ConfigOf,
    listen: Sequence[Address],
    *,
    fault_after: float = 0.0,
    write_config: Path | None = None,
) -> int:
    """Serve the registry and the exporter until SIGTERM or SIGINT, and return the exit code.

    Args:
        registry: the simulated registry, served on a free loopback port.
        config_of: the exporter's configuration.
        listen: the addresses of the exporter.
        fault_after: seconds of correct responses before the registry's fault begins.
        write_config: where the configuration is written for other commands; None for nowhere.
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
        if registry.fault and fault_after:
            _delay_fault(registry, registry.fault, fault_after)
        text = config_of(f"{'https' if certificate else 'http'}://127.0.0.1:{port}", key)
        config = parse(text, "demo", {})
        written = stack.enter_context(_written(write_config, text)) if write_config else ""
        told = partial(_announce, config=config.redacted, written=written)
        return await serve(config, ServeOptions(tuple(listen)), announce=told)


def _delay_fault(registry: SimulatedRegistry, fault: Fault, seconds: float) -> None:
    def begin() -> None:
        registry.fault = fault
        log.warning("the fault of the simulated registry begins", fault=fault.name)

    registry.fault = None
    asyncio.get_running_loop().call_later(seconds, begin)


@contextmanager
def _written(path: Path, text: str) -> Iterator[str]:
    """Keep a configuration in the file at `path`; yield in words where it is, or why nowhere.

    Only a file that a demo wrote is replaced, and only the file as written is removed.
    """
    content = text.encode()
    try:
        if path.exists() and not path.read_bytes().startswith(_MARK.encode()):
            yield f"not written: {path} exists; name another file with --write-config"
            return
        write_atomically(path, [content], mode=0o600)
    except (OSError, WriteError) as error:
        yield f"not written: {error}; name another file with --write-config"
        return
    try:
        yield f"{path}, for check and once in another terminal"
    finally:
        if path.exists() and path.read_bytes() == content:
            path.unlink()


def _certificate(registry: SimulatedRegistry) -> str:
    return registry.fault.certificate if registry.fault else ""


def _bundle(registry: SimulatedRegistry) -> str | None:
    return ca_bundle(_certificate(registry))


def demo_config(
    base_url: str,
    source: Source,
    key: dict[str, str] = KEY,
    **api: Any,  # noqa: ANN401 -- keys of the section `api`
) -> str:
    """Return the text of a configuration that polls every registry of a source often."""
    now_ms = SystemClock().time() * 1000
    names = [str(registry["name"]) for registry in source.registries(now_ms)]
    return _config(base_url, key, [{"name": name} for name in names], **api)


def _config(
    base_url: str,
    key: dict[str, str],
    registries: list[dict[str, Any]],
    **api: Any,  # noqa: ANN401 -- keys of the section `api`
) -> str:
    given = {key: value for key, value in api.items() if value is not None}
    content = {
        "api": {"base_url": base_url, "requests_per_second": 50, **given},
        "credentials": key,
        "defaults": {
            "interval": "10s",
            "tag_size_limit": "500MB",
            "tags_limit": 300,
            "platform_series": True,
        },
        "registries": registries,
    }
    return f"{_MARK}\n{yaml.safe_dump(content, sort_keys=False)}"


def _announce(addresses: tuple[Address, ...], *, config: str, written: str) -> None:
    shown = [Address(address.host or "localhost", address.port) for address in addresses]
    lines = [
        f"Status page:    http://{address}/\nMetrics:        http://{address}/metrics"
        for address in shown
    ]
    if written:
        lines += [f"Configuration:  {written}", *(f"    {line}" for line in config.splitlines())]
    announce("".join(f"{line}\n" for line in (*lines, "Press Ctrl-C to stop.")))
