"""What is scraped in these comparisons: each in a process of its own, with the same series.

`python -m bench.servers NAME --series=N` serves and prints its port.
"""

import argparse
import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bench.beside import announce
from ncr_exporter.app.pipeline import Publisher
from ncr_exporter.config import parse
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.httpd.server import Server
from ncr_exporter.inventory import Platform, Tag
from ncr_exporter.metrics.exporter_metrics import ExporterMetrics
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import Shard, registry_list_targets
from ncr_exporter.web.routes import Routes

TAGS = 20
"""Of each image, all with series of their own."""
_SERIES_PER_IMAGE = 5 * TAGS + 22
_CONFIG = """
credentials: {access_key: made-up, secret_key: made-up}
defaults: {tag_series: all}
registries: [bench]
"""
_DAY_MS = 86_400_000


def listing(image: int, now_ms: int) -> tuple[Tag, ...]:
    """Return an image's tags."""
    return tuple(
        Tag(
            f"1.{image % 90}.{number}",
            f"sha256:{image * 1000 + number:064x}",
            50_000_000 + number,
            now_ms - number * _DAY_MS,
            (
                Platform(
                    f"sha256:{image * 1000 + number:064x}",
                    "linux",
                    "amd64",
                    "",
                    50_000_000 + number,
                    now_ms - number * _DAY_MS // 2,
                ),
            ),
        )
        for number in range(TAGS)
    )


class Inventory:
    """An exporter's state with about so many series."""

    def __init__(self, series: int) -> None:
        self.exposition = Exposition()
        self.own = ExporterMetrics(series=lambda: self.exposition.series)
        self.store = Store(Publisher(self.exposition, self.own, Shard()))
        (listed,) = registry_list_targets(parse(_CONFIG, "bench", {}))
        (registry,) = listed.named
        self.store.add_registry(registry)
        names = (f"team-{i % 97}/app-{i}" for i in range(series // _SERIES_PER_IMAGE))
        for target in registry.images(names):
            self.store.add(target)
        self.poll(time.time())

    def poll(self, now: float) -> None:
        """List every image at `now` (s): as if every tag were pulled and pushed anew since."""
        for number, state in enumerate(list(self.store.images.values())):
            tags = listing(number, int(now * 1000))
            self.store.commit(state.target, tags, at=now, duration=0.1)

    def scrape(self) -> None:
        """Make what a compressed and a plain scrape send."""
        snapshot, now = self.exposition.snapshot, time.time()
        exhaust(snapshot.gzip_part(now, openmetrics=False))
        self.text()

    def text(self) -> bytes:
        """Return the series as text."""
        return b"".join(self.exposition.snapshot.text(time.time(), openmetrics=False))

    def routes(self) -> Routes:
        """Return what serves them."""
        return Routes(
            exposition=self.exposition,
            exporter_metrics=self.own,
            store=self.store,
            ready=lambda: True,
            clock=SystemClock(),
        )


def rows(series: int) -> Iterator[tuple[str, list[str], float]]:
    """Yield name, labels and value of about so many series, as like ours as can be."""
    for image in range(series // (5 * TAGS)):
        for number in range(TAGS):
            labels = ["bench", f"team-{image % 97}/app-{image}", f"1.{image % 90}.{number}"]
            for family in range(5):
                yield f"ncr_tag_made_up_{family}", labels, 1.7e9 + number


def gauges(series: int) -> CollectorRegistry:
    """Return prometheus_client's Gauges."""
    registry, known = CollectorRegistry(), {}
    for name, labels, value in rows(series):
        if name not in known:
            known[name] = Gauge(name, "As of now.", ["registry", "image", "tag"], registry=registry)
        known[name].labels(*labels).set(value)
    return registry


class Families(Collector):
    """A collector of one's own, as prometheus_client's documentation has it."""

    def __init__(self, series: int) -> None:
        self._rows = list(rows(series))

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        known: dict[str, GaugeMetricFamily] = {}
        for name, labels, value in self._rows:
            if name not in known:
                known[name] = GaugeMetricFamily(
                    name, "As of now.", labels=["registry", "image", "tag"]
                )
            known[name].add_metric(labels, value)
        yield from known.values()


def collector(series: int) -> CollectorRegistry:
    """Return a registry with such a collector."""
    registry = CollectorRegistry()
    registry.register(Families(series))
    return registry


async def _serve_ours(series: int, *, constant: bool) -> None:
    inventory = Inventory(series)
    body = inventory.text()

    async def whole(_: Request) -> Response:
        return Response(200, {"content-type": "text/plain"}, (body,), len(body))

    async with Server(whole if constant else inventory.routes()) as server:
        announce(await server.listen("127.0.0.1", 0))
        await asyncio.Event().wait()


def _serve_client(registry: CollectorRegistry) -> None:
    server, _ = start_http_server(0, "127.0.0.1", registry)
    announce(int(server.server_address[1]))
    threading.Event().wait()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=["ours", "constant", "gauges", "collector", "text"])
    parser.add_argument("--series", type=int, required=True)
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    if given.name == "text":
        given.file.write_bytes(Inventory(given.series).text())
    elif given.name in {"ours", "constant"}:
        asyncio.run(_serve_ours(given.series, constant=given.name == "constant"))
    else:
        _serve_client({"gauges": gauges, "collector": collector}[given.name](given.series))


if __name__ == "__main__":
    main()
