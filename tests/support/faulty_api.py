"""One signed request to a simulated registry that misbehaves, over a socket."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from ncr_exporter.ncr.signing import signed_headers
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.simulator.api_records import JsonRecord
from ncr_exporter.simulator.data import FixedSource, tags
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY, DEMO_SECRET_KEY, SimulatedRegistry
from tests.support.http_server import served

NOW = 1_767_236_400.0
PREFIX = "/ncr/api/v2/repositories"
TAGS = f"{PREFIX}/demo-registry/app/tags?page=1&pagesize=100"
LISTED = tags("demo-registry", "web/frontend", NOW * 1000)
TLS = ssl.create_default_context()  # made once: it takes longer than a request

Get = Callable[..., Awaitable[httpx.Response]]


class StoppedClock(SystemClock):
    """Always says the same time."""

    def time(self) -> float:
        return NOW


def simulated() -> SimulatedRegistry:
    return SimulatedRegistry(
        FixedSource("demo-registry", {"app": LISTED}),
        keys={DEMO_ACCESS_KEY: DEMO_SECRET_KEY},
        clock=StoppedClock(),
    )


def signed(target: str) -> dict[str, str]:
    return signed_headers(
        "GET",
        target,
        timestamp_ms=int(NOW * 1000),
        access_key=DEMO_ACCESS_KEY,
        secret_key=DEMO_SECRET_KEY,
    )


@asynccontextmanager
async def asking(registry: SimulatedRegistry, places: int = 8) -> AsyncIterator[Get]:
    """Give a function that sends a signed GET to a registry, over a socket."""
    async with (
        served(registry.handle, requests=places) as url,
        httpx.AsyncClient(base_url=url, verify=TLS, trust_env=False) as client,
    ):

        async def get(target: str = TAGS, seconds: float = 5.0) -> httpx.Response:
            return await client.get(target, headers=signed(target), timeout=seconds)

        yield get


async def answer_to(name: str, target: str = TAGS) -> httpx.Response:
    """Return what a client gets from a registry with this fault."""
    registry = simulated()
    registry.fault = fault_named(name)
    async with asking(registry) as get:
        return await get(target)


async def spoiled(name: str) -> list[JsonRecord]:
    """Return the records of a page with this fault; names and order are right."""
    answer = await answer_to(name)
    assert answer.status_code == 200
    results: list[JsonRecord] = json.loads(answer.content)["results"]
    assert [record["name"] for record in results] == [record["name"] for record in LISTED]
    return results
