"""The whole program beside a registry that goes wrong and is mended, on a clock that is moved."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import trustme

from ncr_exporter.app.serve import exporter
from ncr_exporter.config import Config, load
from ncr_exporter.httpd.access import Tls
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.faults.environment import access_policy, ca_bundle
from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY, DEMO_SECRET_KEY, SimulatedRegistry
from tests.support.api_client import DEMO_KEYS, source_of, tag
from tests.support.api_thread import write_config
from tests.support.certificates import server_tls
from tests.support.clock import ManualClock, passing
from tests.support.exporter import APP, HERE, Running, listening
from tests.support.expositions import Key, samples_of
from tests.support.http_server import served

INTERVAL = 10.0
PAGE_SIZE = 2
OF_THE_POLL = (
    "ncr_image_up",
    "ncr_image_last_success_timestamp_seconds",
    "ncr_image_last_pulled_age_seconds",
    "ncr_image_poll",
)
"""Families that tell of polls, not of what is in the registry."""

Samples = Mapping[Key, float]


class Trial:
    """An exporter that polls the image `app` of so many tags, two to a page."""

    def __init__(self, at: Running, clock: ManualClock, secret: Path) -> None:
        self.registry = at.registry
        self.clock = clock
        self._at = at
        self._secret = secret

    async def samples(self) -> Samples:
        """Scrape."""
        return samples_of(await self._at.text())

    async def until(self, fact: Callable[[Samples], object]) -> Samples:
        """Let sockets work and the clock creep until a fact comes true; return that scrape."""

        async def wanted() -> Samples | None:
            samples = await self.samples()
            return samples if fact(samples) else None

        found: Samples = await passing(self.clock, wanted, step=0.05)
        return found

    async def polled_again(self) -> None:
        """Let due polls begin."""
        await self.clock.advance(INTERVAL)

    def mend(self) -> None:
        """End the fault, and hand out the secret key that is right now."""
        self.registry.fault = None
        self._secret.write_text(self.registry.keys[DEMO_ACCESS_KEY])


@asynccontextmanager
async def trial(
    directory: Path,
    *,
    tags: int,
    deadline: str = "20s",
    encrypted: bool = False,
    version: str = "v2",
) -> AsyncIterator[Trial]:
    """Give an exporter at work that has polled everything once."""
    clock, secret = ManualClock(), directory / "secret"
    secret.write_text(DEMO_SECRET_KEY)
    source = source_of(app=[tag(f"v{n}", size=1000 + n) for n in range(tags)], web=[tag("v1")])
    registry = SimulatedRegistry(source, keys=DEMO_KEYS, clock=clock)
    async with _served(registry, directory, encrypted=encrypted) as url:
        config = _config(url, directory, timeout=deadline, version=version)
        async with (
            exporter(config, HERE, clock=clock) as at_work,
            listening(registry, at_work) as at,
        ):
            its = Trial(at, clock, secret)
            await its.until(lambda now: now.get(("ncr_image_up", APP)) == 1)
            yield its


def inventory(samples: Samples) -> dict[Key, float]:
    """Return what a scrape says of the image itself."""
    return {
        (name, labels): value
        for (name, labels), value in samples.items()
        if name.startswith(("ncr_image_", "ncr_tag_"))
        and not name.startswith(OF_THE_POLL)
        and ("image", "app") in labels
    }


class _FaultyAccess:
    """Shows the certificate of the registry's fault, else a good one."""

    headers: Mapping[str, str] = {}

    def __init__(self, registry: SimulatedRegistry, authority: trustme.CA) -> None:
        self._registry = registry
        self._good = Tls(server_tls(authority))

    @property
    def tls(self) -> Tls | None:
        fault = self._registry.fault
        return access_policy(fault.certificate).tls if fault else self._good

    async def refresh(self) -> None:
        """The fault decides, whenever it is asked."""

    async def refusal(self, _: Request) -> Response | None:
        return None


def _served(
    registry: SimulatedRegistry, directory: Path, *, encrypted: bool
) -> AbstractAsyncContextManager[str]:
    authority = trustme.CA()
    _write_bundle(directory / "ca.pem", authority)

    async def parting(request: Request) -> Response:
        """Answer and close, so that each request meets the certificate of its moment."""
        answer = await registry.handle(request)
        return Response(
            answer.status, {**answer.headers, "connection": "close"}, answer.body, answer.length
        )

    access = _FaultyAccess(registry, authority) if encrypted else None
    handler = parting if encrypted else registry.handle
    return served(handler, access)


def _write_bundle(path: Path, authority: trustme.CA) -> None:
    expired = Path(ca_bundle("expired") or "").read_bytes()
    path.write_bytes(authority.cert_pem.bytes() + expired)


def _config(url: str, directory: Path, **api: Any) -> Config:
    keys = {"access_key": DEMO_ACCESS_KEY, "secret_key_file": "secret"}
    entry = {"name": "my-registry", "images": ["app", "web"], "interval": f"{INTERVAL:.0f}s"}
    api |= {"page_size": PAGE_SIZE, "ca_file": "ca.pem"}
    path = write_config(directory, url, entry, keys=keys, **api)
    return load(str(path), {})
