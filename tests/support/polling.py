"""Polling at work: a simulated registry on real sockets, and a clock that is moved by hand."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from structlog.typing import EventDict

from ncr_exporter.config import Api
from ncr_exporter.ncr.corrected_clock import CorrectedClock
from ncr_exporter.polling.poller import Poller
from ncr_exporter.simulator.data import Source
from ncr_exporter.simulator.registry import AnsweredRequest, SimulatedRegistry
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Account, ImageRule, RegistryListTarget, Shard
from tests.support.api_client import DEMO_KEYS, Fleet, Heard, client_of, keys, simulated, tag
from tests.support.clock import ManualClock, passing
from tests.support.expositions import samples_of
from tests.support.states import (
    ACCOUNT,
    TIMING,
    Recorder,
    list_target_of,
    new_publisher,
    registry_target,
    rule,
)

INTERVAL = TIMING.interval


def naming(*images: str) -> RegistryListTarget:
    """Return a list target of `my-registry`, which names these images."""
    return list_target_of(registry_target(rules=tuple(map(rule, images))))


def choosing(*rules: ImageRule, exclude: tuple[str, ...] = ()) -> RegistryListTarget:
    """Return a list target of `my-registry` with these rules."""
    return list_target_of(registry_target(rules=rules, exclude=exclude))


class Polling:
    """A poller at work; `images` may be changed to have images born, changed and deleted."""

    def __init__(
        self, images: dict[str, list[dict[str, Any]]], clock: ManualClock, shard: Shard
    ) -> None:
        self.images = images
        self.clock = clock
        self.told = Recorder(publisher=new_publisher(shard))
        self.exposition = self.told.publisher.exposition
        self.fleet = Fleet(**{"my-registry": images})
        self.store = Store(self.told)
        self.began = clock.monotonic()
        self.registry: SimulatedRegistry
        self.poller: Poller
        self.budget: Budget
        self.corrected: CorrectedClock
        """The clock that ages go by; `clock` is the host's."""
        self.heard: Heard
        """What the client of the last account tells its observer."""

    def state(self, image: str = "app", registry: str = "my-registry") -> ImageState:
        return self.store.images[registry, image]

    def listed(self, registry: str = "my-registry") -> RegistryState:
        return self.store.registries[registry]

    async def first_round(self, *targets: RegistryListTarget) -> None:
        await self.poller.apply(targets or (naming("app", "web"),))
        await passing(self.clock, lambda: self.poller.ready)

    async def polled(self, times: int, image: str = "app") -> None:
        """Let sockets work until an image was polled `times` times."""
        await passing(self.clock, lambda: self.state(image).polls >= times)

    async def intervals(self, count: int) -> None:
        """Let `count` intervals pass, with everything due in them done."""
        for _ in range(count):
            for _ in range(10):
                await self.clock.advance(INTERVAL / 10)
                await self.settled()

    async def settled(self) -> None:
        """Let sockets work until nothing is under way."""
        await passing(self.clock, lambda: not self.poller.busy)

    @property
    def tag_requests(self) -> list[AnsweredRequest]:
        return [seen for seen in self.registry.requests if "/tags?" in seen.target]

    @property
    def asked(self) -> list[str]:
        """The images whose tags were asked for, in order."""
        return [seen.target.split("/")[-2] for seen in self.tag_requests]

    @property
    def published(self) -> list[str]:
        return sorted(image for _, image in self.store.images)


@asynccontextmanager
async def polling_of(  # noqa: PLR0913 -- what a test may vary, each by name
    *,
    images: Mapping[str, list[dict[str, Any]]] | None = None,
    source: Source | None = None,
    api: Api | None = None,
    shard: Shard | None = None,
    limit: float | None = None,
    accounts: Mapping[Account, Mapping[str, str]] | None = None,
    clock: ManualClock | None = None,
    saved: SavedState | None = None,
) -> AsyncIterator[Polling]:
    """Give a poller of the images `app` and `web`, or others, that waits for its first targets.

    `accounts` are further ones, each with its key pair.
    """
    given = images if images is not None else {"app": [tag("v1"), tag("v2")], "web": [tag("v1")]}
    now, owned = clock or ManualClock(), shard or Shard()
    polling = Polling(dict(given), now, owned)
    used = api or Api(requests_per_second=10_000, timeout=5.0)
    pairs = {ACCOUNT: DEMO_KEYS, **(accounts or {})}
    known = {access: secret for pair in pairs.values() for access, secret in pair.items()}
    async with AsyncExitStack() as stack:
        peer = simulated(source or polling.fleet, clock=now, keys=known, largest_page=1000)
        polling.registry, url = await stack.enter_async_context(peer)
        clients = {}
        for account, pair in pairs.items():
            connected = client_of(url, api=used, clock=now, credentials=keys(pair))
            clients[account], polling.heard = await stack.enter_async_context(connected)
        polling.budget = Budget(limit or used.requests_per_second)
        gateways = [client.transport.gateway_clock for client in clients.values()]
        earlier = saved or SavedState()
        polling.corrected = CorrectedClock(now, lambda: gateways, lambda: earlier.correction)
        polling.poller = Poller(
            clients, polling.store, polling.budget, polling.corrected, owned, saved=saved
        )
        stack.push_async_callback(polling.poller.stop)
        yield polling


def events(logs: list[EventDict]) -> list[tuple[str, str]]:
    """Return level and event of what was logged above debug."""
    return [(entry["log_level"], entry["event"]) for entry in logs if entry["log_level"] != "debug"]


def published_of(polling: Polling, image: str) -> dict[str, float]:
    """Return name → value of all that is published of an image."""
    pieces = polling.exposition.snapshot.text(polling.corrected.time(), openmetrics=False)
    samples = samples_of(b"".join(pieces).decode())
    return {name: value for (name, labels), value in samples.items() if ("image", image) in labels}
