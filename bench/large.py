"""A large account: what one exporter takes that asks only for what changed.

`python -m bench.large` polls 100,000 images of 20 tags in 50 registries, behind 50 ms of latency.
Of each round it prints the requests, the CPU time, and how long a probe and a scrape wait.
"""

import argparse
import asyncio
import gzip
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.beside import announce, beside
from bench.registry import Connection, digest_of, page_of, tag_records
from tools.processes import cpu_of, free_port, resident_of, running
from tools.waiting import wait_until

_LONG = 3600.0


@dataclass
class Account:
    """The answers of an account; `active` of its images are pulled once in each `every` seconds."""

    images: int
    registries: int
    tags: int
    active: int
    every: float
    _began: float = field(default_factory=time.time)
    _lists: dict[tuple[bytes, int], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare the tag list that all images have."""
        self._now_ms = round(self._began * 1000)
        page = page_of(tag_records(self.tags, self._now_ms, 1), 1, 1000)
        self._tags = page.split(b"@")

    @property
    def generation(self) -> int:
        """How often the active images have been pulled."""
        return int((time.time() - self._began) / self.every) if self.active else 0

    def to(self, target: bytes) -> bytes:
        """Return the whole answer to a request line's target."""
        key = (target, self.generation)
        if b"/tags?" in target:
            body = self._tags_of(target)
        elif (known := self._lists.get(key)) is not None:
            body = known
        else:
            body = self._lists[key] = self._list(target.decode(), self.generation)
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    def _tags_of(self, target: bytes) -> bytes:
        image = target.partition(b"?")[0].decode()
        parts = enumerate(self._tags)
        return b"".join(digest_of(image, part) if n % 2 else part for n, part in parts)

    def _list(self, target: str, generation: int) -> bytes:
        path, _, query = target.partition("?")
        values = dict(pair.split("=") for pair in query.split("&"))
        number, size = int(values["page"]), int(values["pagesize"])
        names = path.partition("/repositories")[2].split("/")[1:]
        if not names:
            listed: list[dict[str, Any]] = [{"name": f"r{i}"} for i in range(self.registries)]
            return page_of(listed, number, size)
        each, registry = self.images // self.registries, int(names[0].removeprefix("r"))
        first = registry * each
        records = [
            {
                "name": f"app-{image}",
                "pull_count": 7
                + (generation if image * self.active % self.images < self.active else 0),
                "last_updated": self._now_ms,
            }
            for image in range(first, first + each)
        ]
        return page_of(records, number, size)


async def _serve(account: Account, latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(account, latency), "127.0.0.1", 0
    )
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class Probe(threading.Thread):
    """Asks a path again and again, and notes how long each answer took."""

    def __init__(self, url: str, every: float, headers: dict[str, str] | None = None) -> None:
        super().__init__(daemon=True)
        self._request = urllib.request.Request(url, headers=headers or {})  # noqa: S310 -- loopback
        self._every = every
        self._ended = threading.Event()
        self.seconds: list[float] = []
        self.bytes = 0

    def run(self) -> None:
        """Ask until `end`."""
        while not self._ended.wait(self._every):
            began = time.perf_counter()
            with urllib.request.urlopen(self._request, timeout=120) as response:  # noqa: S310 -- loopback
                self.bytes = len(response.read())
            self.seconds.append(time.perf_counter() - began)

    def end(self) -> str:
        """Stop, and return how long answers took."""
        self._ended.set()
        self.join()
        found = sorted(self.seconds) or [0.0]
        p99 = found[int(len(found) * 0.99)]
        median, most = statistics.median(found), found[-1]
        return f"{median * 1e3:.1f} ms (median), {p99 * 1e3:.0f} (99 %), {most * 1e3:.0f} (most)"


@dataclass
class Exporter:
    """The program, as a process."""

    pid: int
    url: str

    def requests(self) -> int:
        """Return how many requests it has sent to the API."""
        text = self.metrics()
        found = re.findall(r"^ncr_api_requests_total\{[^}]*\} (\S+)$", text, re.MULTILINE)
        return round(sum(map(float, found)))

    def metrics(self) -> str:
        """Return one scrape."""
        headers = {"Accept-Encoding": "gzip"}
        request = urllib.request.Request(f"{self.url}/metrics", headers=headers)  # noqa: S310 -- loopback
        with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310 -- loopback
            return gzip.decompress(response.read()).decode()

    def is_ready(self) -> bool:
        """Return whether everything was polled once."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=60):  # noqa: S310 -- loopback
                return True
        except OSError:
            return False

    def spent(self) -> tuple[int, float]:
        """Return the requests sent, and seconds of CPU used, so far."""
        return self.requests(), cpu_of(self.pid)

    def quiet_round(self, seconds: float) -> None:
        """Print what one round takes while nobody asks for anything."""
        requests, cpu = self.spent()
        time.sleep(seconds)
        after, spent = cpu_of(self.pid), self.requests()
        say(f"a round, not scraped: {spent - requests:,} requests, {after - cpu:.1f} s of CPU")

    def round(self, name: str, seconds: float) -> None:
        """Print what one round takes, while it is probed and scraped."""
        requests, cpu = self.spent()
        healthy = Probe(f"{self.url}/-/healthy", 0.05)
        scrape = Probe(f"{self.url}/metrics", min(60.0, seconds / 4), {"Accept-Encoding": "gzip"})
        for probe in (healthy, scrape):
            probe.start()
        time.sleep(seconds)
        waits = f"/-/healthy {healthy.end()}", f"/metrics {scrape.end()}, {scrape.bytes:,} bytes"
        # One scrape for these figures is in it.
        after, spent = cpu_of(self.pid), self.requests()
        say(f"{name}: {spent - requests:,} requests, {after - cpu:.1f} s of CPU, {self.resident}")
        for wait in waits:
            say(f"    {wait}")

    @property
    def resident(self) -> str:
        """The memory in use."""
        return f"{resident_of(self.pid):.0f} MiB resident"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def serving(config: Path, storage: Path) -> Iterator[Exporter]:
    """Run the program."""
    port = free_port()
    words = [
        *(sys.executable, "-m", "ncr_exporter", "serve", f"--config.file={config}"),
        *(f"--web.listen-address=127.0.0.1:{port}", f"--storage.path={storage}"),
        "--log.level=error",
    ]
    with running(*words, stdout=subprocess.DEVNULL) as process:
        yield Exporter(process.pid, f"http://127.0.0.1:{port}")
        os.kill(process.pid, signal.SIGTERM)
        process.wait(120)


def is_answering(exporter: Exporter) -> bool:
    """Return whether values of images are published."""
    try:
        return "\nncr_image_tags{" in exporter.metrics()
    except OSError:
        return False


def measure(config: Path, storage: Path, interval: float, *, saves: bool) -> None:
    """Print what a first round, quiet rounds, a restart and a reload take."""
    with serving(config, storage) as exporter:
        began = time.perf_counter()
        wait_until(exporter.is_ready, _LONG, every=0.2)
        requests, cpu = exporter.spent()
        seconds = time.perf_counter() - began
        spent = f"{requests:,} requests, {cpu:.1f} s of CPU, {exporter.resident}"
        say(f"first round: {seconds:.0f} s, {spent}")
        time.sleep(2 * interval if saves else 0)
        exporter.quiet_round(interval)
        exporter.round("a round", interval)
        stop = time.perf_counter()
    say(f"stop: {time.perf_counter() - stop:.1f} s")
    with serving(config, storage) as exporter:
        began = time.perf_counter()
        wait_until(lambda: is_answering(exporter), _LONG, every=0.2)
        say(f"restart: published after {time.perf_counter() - began:.1f} s, {exporter.resident}")
        exporter.round("the round after it", interval)
        healthy = Probe(f"{exporter.url}/-/healthy", 0.01)
        healthy.start()
        config.write_text(config.read_text().replace('"90d"', '"91d"'))
        os.kill(exporter.pid, signal.SIGHUP)
        time.sleep(min(30.0, interval))
        say(f"reload of every image: /-/healthy {healthy.end()}")


def main() -> None:
    """Measure, or serve the account."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--registries", type=int, default=50)
    parser.add_argument("--tags", type=int, default=20)
    parser.add_argument("--active", type=float, default=0.0, help="share pulled in each interval")
    parser.add_argument("--interval", type=float, default=60.0)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--relist-after", default="1d")
    parser.add_argument("--every-poll", action="store_true", help="without relist_after")
    parser.add_argument("--tag-series", type=int, default=0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    active = round(given.images * given.active)
    if given.serve:
        account = Account(given.images, given.registries, given.tags, active, given.interval)
        asyncio.run(_serve(account, given.latency))
        return
    say(f"{given.images:,} images of {given.tags} tags in {given.registries} registries")
    with (
        beside("large", "--serve", *sys.argv[1:]) as (_, port),
        tempfile.TemporaryDirectory() as at,
    ):
        defaults = {"interval": f"{given.interval:.0f}s", "tag_series": given.tag_series}
        if not given.every_poll:
            defaults["relist_after"] = given.relist_after
        content = {
            "api": {
                "base_url": f"http://127.0.0.1:{port}",
                "requests_per_second": 10_000,
                "max_concurrency": 64,
            },
            "credentials": {"access_key": "made-up", "secret_key": "made-up"},
            "defaults": {**defaults, "stale_after": "90d"},
            "registries": [{"name": f"r{i}"} for i in range(given.registries)],
        }
        config = Path(at) / "config.yml"
        config.write_text(json.dumps(content), encoding="utf-8")
        config.chmod(0o600)
        measure(config, Path(at), given.interval, saves=not given.every_poll)


if __name__ == "__main__":
    main()
