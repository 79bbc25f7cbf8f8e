"""A large account: what one exporter takes that asks only for what changed.

`python -m bench.large` polls 100,000 images of 20 tags in 50 registries, behind 50 ms of latency.
Of each round it prints the requests, the CPU time, and how long a probe and a scrape wait. Then it
starts again, reloads, and has the image lists read at 5 requests a second.
"""

import argparse
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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import large_account
from bench.beside import beside
from bench.large_account import BEGIN
from tools.processes import cpu_of, free_port, resident_of, running
from tools.waiting import wait_until

_PAGE_SIZES = {"v2": 100, "v3": 1000}
"""Version → records asked for per page: 1,000 is the most that version 3 documents."""
_LONG = 3600.0


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

    def requests(self) -> dict[str, int]:
        """Return how many requests it has sent to the API, by operation."""
        found = self.values(r"ncr_api_requests_total\{[^}]*operation=\"(\w+)\"[^}]*\}")
        return {name: round(value) for name, value in sorted(found.items())}

    def values(self, pattern: str) -> dict[str, float]:
        """Return the sums of the samples whose series match, by the pattern's group."""
        sums: dict[str, float] = {}
        for name, value in re.findall(rf"^{pattern} (\S+)$", self.metrics(), re.MULTILINE):
            sums[name] = sums.get(name, 0.0) + float(value)
        return sums

    def metrics(self) -> str:
        """Return one scrape."""
        headers = {"Accept-Encoding": "gzip"}
        request = urllib.request.Request(f"{self.url}/metrics", headers=headers)  # noqa: S310 -- loopback
        with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310 -- loopback
            return gzip.decompress(response.read()).decode()

    def is_ready(self) -> bool:
        """Return whether everything was polled once, or restored."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=60):  # noqa: S310 -- loopback
                return True
        except OSError:
            return False

    def wait_until_ready(self) -> str:
        """Return in words what it took until it was ready, and then to be scraped."""
        began = time.perf_counter()
        wait_until(self.is_ready, _LONG, every=0.1)
        ready, cpu = time.perf_counter() - began, cpu_of(self.pid)
        self.metrics()
        scraped = time.perf_counter() - began - ready
        spent = f"{cpu:.1f} s of CPU, {self.resident}"
        return f"ready after {ready:.1f} s, {spent}; scraped in {scraped:.1f} s"

    def round(self, name: str, seconds: float, *, scraped: bool = True) -> None:
        """Print what one round takes, probed, and scraped as well."""
        before, cpu = self.requests(), cpu_of(self.pid)
        healthy = Probe(f"{self.url}/-/healthy", 0.05)
        scrape = Probe(f"{self.url}/metrics", min(60.0, seconds / 4), {"Accept-Encoding": "gzip"})
        probes = [healthy, scrape] if scraped else [healthy]
        for probe in probes:
            probe.start()
        time.sleep(seconds)
        spent, waits = cpu_of(self.pid) - cpu, [probe.end() for probe in probes]
        say(f"{name}: {_more(self.requests(), before)}, {spent:.1f} s of CPU, {self.resident}")
        for path, wait in zip(("/-/healthy", "/metrics"), waits, strict=False):
            say(f"    {path} {wait}")
        if scraped:
            say(f"    a scrape has {scrape.bytes:,} bytes")

    def lists(self) -> int:
        """Return of how many registries the image list was read."""
        return len(self.values(r"ncr_registry_up\{registry=\"(\w+)\"\}"))

    @property
    def resident(self) -> str:
        """The memory in use."""
        return f"{resident_of(self.pid):.0f} MiB resident"


def _more(after: Mapping[str, int], before: Mapping[str, int]) -> str:
    """Return in words how many requests were sent between two moments."""
    sent = {name: after[name] - before.get(name, 0) for name in after}
    return f"{sum(sent.values()):,} requests ({', '.join(f'{n:,} {k}' for k, n in sent.items())})"


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


def measure(config: Path, storage: Path, given: argparse.Namespace, account: str) -> None:
    """Print what a first round, later ones, a restart and a reload take."""
    interval = given.interval
    with serving(config, storage) as exporter:
        say(f"first round: {exporter.wait_until_ready()}")
        say(f"    {_more(exporter.requests(), {})}")
        time.sleep(interval)
        exporter.round("a quiet round, not scraped", interval, scraped=False)
        exporter.round("a quiet round", interval)
        with urllib.request.urlopen(f"{account}{BEGIN}", timeout=60):  # noqa: S310 -- loopback
            time.sleep(1.2 * interval)
        exporter.round(f"a round with {given.active:.0%} of the images pulled", interval)
        stop = time.perf_counter()
    say(f"stop: {time.perf_counter() - stop:.1f} s")
    with serving(config, storage) as exporter:
        say(f"restart: {exporter.wait_until_ready()}")
        exporter.round("the round after it", interval)
        healthy = Probe(f"{exporter.url}/-/healthy", 0.01)
        healthy.start()
        config.write_text(config.read_text().replace('"90d"', '"91d"'))
        os.kill(exporter.pid, signal.SIGHUP)
        time.sleep(min(60.0, interval))
        say(f"reload of every image: /-/healthy {healthy.end()}")
    content = json.loads(config.read_text())
    content["api"]["requests_per_second"] = 5
    config.write_text(json.dumps(content))
    with serving(config, storage) as exporter:
        say(f"restart at 5 requests a second: {exporter.wait_until_ready()}")
        began = time.perf_counter()
        wait_until(lambda: exporter.lists() == given.registries, _LONG, every=2.0)
        seconds, sent = time.perf_counter() - began, _more(exporter.requests(), {})
        say(f"a round of lists at 5 requests a second: {seconds:.0f} s, {sent}")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    large_account.add_arguments(parser)
    parser.add_argument("--api-version", choices=("v2", "v3"), default="v2")
    parser.add_argument("--relist-after", default="1d")
    parser.add_argument("--every-poll", action="store_true", help="without relist_after")
    parser.add_argument("--tag-series", type=int, default=0)
    given = parser.parse_args()
    say(
        f"{given.images:,} images of {given.tags} tags in {given.registries} registries, "
        f"every {given.interval:.0f} s, {given.api_version}"
    )
    words = [
        f"--{name}={getattr(given, name)}"
        for name in ("images", "registries", "tags", "active", "interval", "latency")
    ]
    with beside("large_account", *words) as (_, port), tempfile.TemporaryDirectory() as at:
        account = f"http://127.0.0.1:{port}"
        defaults = {"interval": f"{given.interval:.0f}s", "tag_series": given.tag_series}
        if not given.every_poll:
            defaults["relist_after"] = given.relist_after
        content = {
            "api": {
                "version": given.api_version,
                "base_url": account,
                "requests_per_second": 10_000,
                "max_concurrency": 64,
                "page_size": _PAGE_SIZES[given.api_version],
            },
            "credentials": {"access_key": "made-up", "secret_key": "made-up"},
            "defaults": {**defaults, "stale_after": "90d"},
            "registries": [{"name": f"r{i}"} for i in range(given.registries)],
        }
        config = Path(at) / "config.yml"
        config.write_text(json.dumps(content), encoding="utf-8")
        config.chmod(0o600)
        measure(config, Path(at), given, account)


if __name__ == "__main__":
    main()
