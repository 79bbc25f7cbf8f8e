"""A simulated registry that answers from a thread, for commands that run to their end."""

import asyncio
import json
import queue
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ncr_exporter.httpd.messages import Handler, Request, Response
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.simulator.data import GeneratedSource, Source
from ncr_exporter.simulator.faults import FAULTS, Fault
from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY, DEMO_SECRET_KEY, SimulatedRegistry
from tests.support.clock import tls_access
from tests.support.http_server import served

KEYS = {"access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}


@contextmanager
def answering(
    source: Source | None = None, *, tls: ssl.SSLContext | None = None, **options: Any
) -> Iterator[tuple[SimulatedRegistry, str]]:
    """Give a simulated registry and its base URL until the end of the block."""
    given = {"keys": {DEMO_ACCESS_KEY: DEMO_SECRET_KEY}, "clock": SystemClock(), **options}
    registry = SimulatedRegistry(source or GeneratedSource(), **given)
    with serving(registry.handle, tls) as url:
        yield registry, url


@contextmanager
def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Give the base URL of a server until the end of the block."""
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    urls: queue.Queue[str] = queue.Queue()

    async def serve() -> None:
        async with served(handler, tls_access(tls)) as url:
            urls.put(url)
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield urls.get(timeout=10)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def throttled_for(seconds: int) -> Fault:
    """Return the fault that throttles everything and asks to come back after so long."""
    throttle = FAULTS["throttle"]

    def apply(request: Request, answer: Response) -> Response:
        response = throttle.apply(request, answer)
        return replace(response, headers={**response.headers, "retry-after": str(seconds)})

    return Fault("throttled-for", "", apply)


def write_config(
    directory: Path,
    url: str,
    *registries: str | Mapping[str, Any],
    keys: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    **api: Any,
) -> Path:
    """Write a configuration of registries, names or whole entries, and return its path."""
    content = {
        "api": {"base_url": url, "requests_per_second": 500, "timeout": "5s", **api},
        "credentials": dict(KEYS if keys is None else keys),
        "defaults": dict(defaults or {}),
        "registries": [{"name": r} if isinstance(r, str) else dict(r) for r in registries],
    }
    path = directory / "ncr-exporter.yml"
    path.write_text(json.dumps(content))  # JSON is YAML
    return path
