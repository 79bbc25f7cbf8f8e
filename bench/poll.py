"""Polling: wall time against the bound of latency, CPU per tag against plain httpx.

`python -m bench.poll` polls 1,000 images of 100 tags at 50 ms latency and 32 in flight.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from os import getpid

import httpx

from bench import registry
from ncr_exporter.app.pipeline import Pipeline
from ncr_exporter.config import Config, parse
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.runtime.logs import configure_logs
from ncr_exporter.runtime.memory import give_back_large_blocks
from tools.processes import resident_of


@dataclass(frozen=True)
class Cost:
    """What polling so many tags took."""

    wall: float
    cpu: float
    tags: int
    series: int = 0
    resident: float = 0.0
    """MiB, of the whole process, at the end."""

    @property
    def per_tag(self) -> float:
        """Microseconds of CPU."""
        return self.cpu / self.tags * 1e6


class Exporter:
    """An exporter in this process, without its server."""

    def __init__(self, config: Config, tags: int) -> None:
        self._config, self._tags = config, tags

    async def polled_twice(self) -> tuple[Cost, Cost]:
        """Poll everything, and once more though nothing changed: from socket to published."""
        async with Pipeline(self._config, environ={}) as pipeline:
            pipeline.exposition.on_change = lambda: (
                None
            )  # rendered at the end, within what is timed
            first = await self._round(pipeline, lambda: self._use(pipeline))
            again = await self._round(pipeline, lambda: self._hurry(pipeline))
        return first, again

    async def _use(self, pipeline: Pipeline) -> None:
        await pipeline.use(self._config)

    async def _hurry(self, pipeline: Pipeline) -> None:
        for key in list(pipeline.store.images):
            pipeline.poller._jobs.scheduler.run_now(key)  # noqa: SLF001 -- users wait for the interval

    async def _round(self, pipeline: Pipeline, begin: Callable[[], Awaitable[None]]) -> Cost:
        wall, cpu = time.perf_counter(), time.process_time()
        await begin()
        await pipeline.poller.first_round()
        exhaust(pipeline.exposition.render_changes())
        series = pipeline.exposition.series
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        # What is compressed takes room as well.
        exhaust(pipeline.exposition.snapshot.gzip_part(time.time(), openmetrics=False))
        images = pipeline.store.images.values()
        found = sum(state.image.tags for state in images if state.image)
        if found != self._tags:
            raise RuntimeError(f"{found} tags instead of {self._tags}")
        return Cost(wall, cpu, self._tags, series, resident_of(getpid()))


def sequential(url: str, images: int) -> Cost:
    """List the same with httpx and json alone, one request after another; nothing is made of it."""
    wall, cpu, found = time.perf_counter(), time.process_time(), 0
    with httpx.Client(base_url=url, trust_env=False) as http:
        for number in range(images):
            path = f"/ncr/api/v2/repositories/bench/app-{number}/tags?page=1&pagesize=100"
            found += len(json.loads(http.get(path).content)["results"])
    return Cost(time.perf_counter() - wall, time.process_time() - cpu, found)


def _number_or_all(text: str) -> int | str:
    return text if text == "all" else int(text)


def main() -> None:
    """Compare, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--tags", type=int, default=100)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--tag-series", type=_number_or_all, default=10, help="or all")
    given = parser.parse_args()
    configure_logs("error", "logfmt")
    give_back_large_blocks()  # as `serve` does
    tags = given.images * given.tags
    with registry.running(given.images, given.tags, given.latency) as url:
        text = registry.config_for(url, given.images, given.in_flight, tag_series=given.tag_series)
        ours, again = asyncio.run(Exporter(parse(text, "bench", {}), tags).polled_twice())
        plain = sequential(url, max(1, given.images // 10))
    requests = given.images * -(-given.tags // 100)
    at_a_time = min(given.in_flight, given.images)  # the pages of one image follow each other
    bound = requests * given.latency / at_a_time
    times = ours.wall / bound if bound else inf
    scene = f"{given.images} images of {given.tags} tags, {given.latency * 1000:g} ms"
    lines = (
        f"{scene}, {given.in_flight} in flight",
        f"exporter:       {ours.wall:.2f} s wall, {ours.per_tag:.1f} us CPU per tag",
        f"                {ours.series:,} series, {ours.resident:.0f} MiB resident",
        f"once more:      {again.wall:.2f} s wall, {again.per_tag:.1f} us CPU per tag",
        f"latency bound:  {bound:.2f} s; wall is {times:.2f} x the bound",
        f"httpx and json: {plain.per_tag:.1f} us CPU per tag, sequential, nothing made of it",
        f"CPU of the exporter is {ours.per_tag / plain.per_tag:.2f} x that",
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
