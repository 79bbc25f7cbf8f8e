"""The simulated registry on a real socket, and a client of the API that talks to it."""

import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ncr_exporter.config import Api, Secret
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.credentials import FixedCredentials
from ncr_exporter.ncr.http import client_pool
from ncr_exporter.ncr.keys import Credentials, KeyPair
from ncr_exporter.ncr.limiter import Limiter
from ncr_exporter.ncr.paths import RegistryPath
from ncr_exporter.ncr.proxies import proxy_of
from ncr_exporter.ncr.transport import Transport
from ncr_exporter.ncr.versions import V2, gateway_of
from ncr_exporter.runtime.clock import Clock, SystemClock
from ncr_exporter.simulator.api_records import JsonRecord, registry_record
from ncr_exporter.simulator.data import FixedSource, Source
from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY, DEMO_SECRET_KEY, SimulatedRegistry
from tests.support.http_server import served
from tests.support.versions import spoken

KR = "kr"
REGISTRY = RegistryPath("my-registry", "my-registry", KR)
DEMO_KEYS = {DEMO_ACCESS_KEY: DEMO_SECRET_KEY}


def tag(name: str, **fields: Any) -> JsonRecord:
    """Return a tag in NCR's shape, of one platform, pulled and updated in 2025."""
    size = fields.pop("size", 1000)
    pulled = fields.pop("pulled", 1_759_000_000_000)
    return {
        "name": name,
        "digest": f"sha256:{name}",
        "full_size": size,
        "last_updated": 1_758_000_000_000,
        "images": [platform(f"sha256:{name}", size=size, latest_pulled=pulled)],
        **fields,
    }


def platform(digest: str, **fields: Any) -> JsonRecord:
    """Return a platform of a tag in NCR's shape: linux/amd64, updated in 2025."""
    return {
        "architecture": "amd64",
        "digest": digest,
        "os": "linux",
        "updated": 1_758_000_000_000,
        "variant": None,
        **fields,
    }


def source_of(**images: Iterable[dict[str, Any]]) -> FixedSource:
    """Return a source with the registry `my-registry` and these images."""
    return FixedSource("my-registry", {name: list(tags) for name, tags in images.items()})


class Fleet:
    """Registries whose images may be changed at any moment: registry → image → its tags.

    Attributes:
        unlisted: images that a list leaves out though their tags are there.
        public: registries from which anyone may pull.
        counted: pull counts other than those that follow from the tags.
    """

    def __init__(self, **registries: dict[str, list[dict[str, Any]]]) -> None:
        self.content = registries
        self.unlisted: set[tuple[str, str]] = set()
        self.public: set[str] = set()
        self.counted: dict[tuple[str, str], int] = {}

    def registries(self, _now_ms: float, /) -> list[JsonRecord]:
        return [registry_record(name, public=name in self.public) for name in self.content]

    def images(self, registry: str, now_ms: float, /) -> list[JsonRecord]:
        listed = FixedSource(registry, self.content[registry]).images(registry, now_ms)
        for image in listed:
            image["pull_count"] = self.counted.get((registry, image["name"]), image["pull_count"])
        return [image for image in listed if (registry, image["name"]) not in self.unlisted]

    def tags(self, registry: str, image: str, _now_ms: float, /) -> list[JsonRecord]:
        return self.content[registry][image]


@asynccontextmanager
async def simulated(
    source: Source,
    *,
    clock: Clock | None = None,
    keys: Mapping[str, str] = DEMO_KEYS,
    **options: Any,
) -> AsyncIterator[tuple[SimulatedRegistry, str]]:
    """Give a simulated registry and its base URL."""
    registry = SimulatedRegistry(source, keys=keys, clock=clock or SystemClock(), **options)
    async with served(registry.handle) as url:
        yield registry, url


@dataclass
class Heard:
    """What was heard of the client's work."""

    attempts: list[str] = field(default_factory=list)
    """`ok`, or the reason of each attempt that was sent."""
    unsent: list[str] = field(default_factory=list)
    retries: int = 0
    malformed_records: int = 0
    mismatches: int = 0
    skews: list[float] = field(default_factory=list)

    def record_attempt(self, _: str, __: str, seconds: float | None, reason: str | None) -> None:
        (self.unsent if seconds is None else self.attempts).append(reason or "ok")

    def record_retry(self, _: str, __: str) -> None:
        self.retries += 1

    def record_malformed(self, _: str, __: str, records: int) -> None:
        self.malformed_records += records

    def record_count_mismatch(self, _: str, __: str) -> None:
        self.mismatches += 1

    def record_clock_skew(self, _: str, seconds: float) -> None:
        self.skews.append(seconds)


def keys(pairs: Mapping[str, str] = DEMO_KEYS) -> Credentials:
    """Return credentials of the first pair."""
    access, secret = next(iter(pairs.items()))
    return FixedCredentials(KeyPair(Secret(access), Secret(secret)), "test")


class HurriedClock(SystemClock):
    """Real time, but for the pauses before retries, which are noted and not waited for."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def sleep(self, delay: float) -> None:
        self.pauses.append(delay)


@asynccontextmanager
async def client_of(
    url: str,
    *,
    api: Api | None = None,
    clock: Clock | None = None,
    credentials: Credentials | None = None,
    language: str = "",
) -> AsyncIterator[tuple[Client, Heard]]:
    """Give a client of the API at `url`, and what it tells its observer.

    It speaks the version of the fixture `version`, unless `api` has another than the default.
    """
    api = api or Api(requests_per_second=10_000, timeout=2.0)
    if api.version == V2.name:
        api = replace(api, version=spoken().name)
    clock, heard = clock or HurriedClock(), Heard()
    proxies = {url: proxy_of(api, url, os.environ)}
    async with aclosing(client_pool(api, Path(), proxies=proxies)) as clients:
        transport = Transport(
            client_pool=clients,
            credentials=credentials or keys(),
            limiter=Limiter(api.requests_per_second, api.max_concurrency, clock),
            timeout=api.timeout,
            clock=clock,
            metrics=heard,
        )
        gateway = gateway_of(replace(api, base_url=url), api.zone, language=language)
        yield Client(transport, gateway=gateway, page_size=api.page_size, metrics=heard), heard
