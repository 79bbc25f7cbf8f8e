"""How long the event loop keeps others waiting: while it polls, is scraped, and is reloaded.

`python -m bench.stalls` polls 1,000 images of 100 tags (about 120,000 series) again and again.
`--images=10 --tags=10000 --all` is the same work in few large images. `--storage` stores the state
every two seconds, and starts once more with it.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench import registry
from ncr_exporter.app.serve import ServeOptions, exporter
from ncr_exporter.config import load
from ncr_exporter.httpd.address import Address
from ncr_exporter.runtime.logs import configure_logs
from ncr_exporter.runtime.memory import freeze_imported_objects, give_back_large_blocks
from ncr_exporter.state import persistence

_TICK = 0.001


class Watchdog:
    """Wants its turn each millisecond and notes by how much it comes late."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self._due = 0.0
        self._next()

    def _next(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + _TICK
        self._timer = loop.call_at(self._due, self._turn)

    def _turn(self) -> None:
        self._late.append(asyncio.get_running_loop().time() - self._due)
        self._next()

    def stop(self) -> None:
        """Stop."""
        self._timer.cancel()

    def report(self, name: str) -> None:
        """Print what was noted since the last report."""
        late, self._late = sorted(self._late) or [0.0], []
        over = sum(each > 0.02 for each in late)  # noqa: PLR2004 -- the target
        sys.stdout.write(
            f"  {name:24} {len(late):6} turns; late by {late[len(late) // 2] * 1e3:6.1f} ms "
            f"(median), {late[int(len(late) * 0.999)] * 1e3:6.1f} (99.9 %), "
            f"{late[-1] * 1e3:6.1f} (most); {over} over 20 ms\n"
        )
        sys.stdout.flush()


@asynccontextmanager
async def scraping(port: int) -> AsyncIterator[None]:
    """Scrape again and again, plain and compressed, from another process."""
    words = ["-m", "bench.stalls", f"--scrape={port}"]
    process = await asyncio.create_subprocess_exec(sys.executable, *words)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def scrape(port: int) -> None:
    """Scrape until ended."""
    from bench.scrape import scraped  # noqa: PLC0415 -- it imports what it compares with

    while True:
        for gzip in (True, False):
            scraped(port, gzip=gzip)
            time.sleep(0.1)


def slow_down(path: Path) -> None:
    """Change the interval, which concerns every image."""
    path.write_text(path.read_text(encoding="utf-8").replace("10s", "11s"), encoding="utf-8")


async def measure(path: Path, seconds: float, storage: Path | None) -> None:
    """Print how late others came in each phase; `path` is that of the configuration."""
    watchdog = Watchdog()
    await asyncio.sleep(0.2 * seconds)
    watchdog.report("nothing to do")
    options = ServeOptions(
        (Address("127.0.0.1", 0),), config_file=path, enable_lifecycle=True, storage=storage
    )
    async with exporter(load(str(path), {}), options, environ={}) as running:
        freeze_imported_objects()
        await asyncio.sleep(0.9 * seconds)
        watchdog.report("first round")
        await asyncio.sleep(seconds)
        watchdog.report("polling")
        async with scraping(running.addresses[0].port):
            await asyncio.sleep(seconds)
            watchdog.report("polling and scraped")
        slow_down(path)
        await running.reload()
        watchdog.report("reload")
        await asyncio.sleep(seconds)
        watchdog.report("polling after it")
    watchdog.report("stop")
    if storage:
        async with exporter(load(str(path), {}), options, environ={}):
            watchdog.report("state read")
            await asyncio.sleep(seconds)
            watchdog.report("polling after a restart")
    watchdog.stop()


def main() -> None:
    """Measure, or scrape what is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--tags", type=int, default=100)
    parser.add_argument("--all", action="store_true", help="series for every tag")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="of a phase; polls are 10 s apart"
    )
    parser.add_argument("--storage", action="store_true", help="store the state")
    parser.add_argument("--scrape", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.scrape:
        scrape(given.scrape)
    configure_logs("error", "logfmt")
    give_back_large_blocks()
    sys.stdout.write(f"{given.images} images of {given.tags} tags\n")
    with (
        registry.running(given.images, given.tags, 0.05) as url,
        tempfile.TemporaryDirectory() as directory,
    ):
        path = Path(directory) / "config.yml"
        tag_series = "all" if given.all else 10
        text = registry.config_for(url, given.images, interval="10s", tag_series=tag_series)
        path.write_text(text, encoding="utf-8")
        if given.storage:
            persistence._SHORTEST_PAUSE, persistence._CPU_SHARE = 2.0, 1.0  # noqa: SLF001 -- a minute is long
        storage = Path(directory) / "state" if given.storage else None
        asyncio.run(measure(path, given.seconds, storage))


if __name__ == "__main__":
    main()
