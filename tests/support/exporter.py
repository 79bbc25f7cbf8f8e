"""An exporter at work in this process, beside the simulated registry that it asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from ncr_exporter.app.serve import RunningExporter, ServeOptions
from ncr_exporter.httpd.address import Address
from ncr_exporter.simulator.registry import SimulatedRegistry
from tests.support.clock import eventually
from tests.support.expositions import samples_of
from tests.support.http_server import NOBODY

HERE = ServeOptions((Address("127.0.0.1", 0),))
APP = (("image", "app"), ("registry", "my-registry"))


class Running:
    """An exporter at work beside its simulated registry."""

    def __init__(self, registry: SimulatedRegistry, client: httpx.AsyncClient) -> None:
        self.registry = registry
        self.client = client

    async def text(self) -> str:
        return (await self.client.get("/metrics")).text

    async def value(self, name: str, **labels: str) -> float | None:
        wanted = (name, tuple(sorted(labels.items())) or APP)
        return samples_of(await self.text()).get(wanted)

    async def ready(self) -> None:
        async def is_ready() -> bool:
            return (await self.client.get("/-/ready")).status_code == 200

        await eventually(is_ready, within=5)


@asynccontextmanager
async def listening(
    registry: SimulatedRegistry, at_work: RunningExporter
) -> AsyncIterator[Running]:
    """Give an exporter, asked at the first of its addresses."""
    url = f"http://{at_work.addresses[0]}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=NOBODY) as client:
        yield Running(registry, client)
