"""Peaks: the most memory that the whole program takes, in each thing that it does now and then.

`python -m bench.peaks` runs `serve` with 5,000 images of 100 tags and `--storage.path` in a group
with a limit of memory, as systemd and Kubernetes do; without cgroups there is no limit.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from signal import SIGHUP
from typing import Self

import httpx

from bench import registry
from tools.memory_groups import MemoryGroup, NoMemoryGroupError, memory_group
from tools.processes import forget_peak, free_port, peak_of, resident_of
from tools.waiting import answers, wait_until

_FIRST_ROUND = 300.0
"""Seconds that polling everything may take."""
_WRITE = 400.0
"""Seconds until the state is written: a minute, or a hundred times what writing takes."""
_RELOADED = "ncr_exporter_config_last_reload_success_timestamp_seconds "


class Exporter:
    """The program, serving."""

    def __init__(self, config: Path, storage: Path, group: MemoryGroup | None) -> None:
        self._group = group
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.words = [
            *(group.entering if group else ()),
            *(sys.executable, "-m", "ncr_exporter", "--log.level=warn"),
            *(f"--config.file={config}", f"--storage.path={storage}"),
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self.process = subprocess.Popen(self.words)  # noqa: S603 -- words of our own
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def answers(self, path: str) -> bool:
        """Return whether a path is answered by 200."""
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended with {self.process.returncode}")
        return answers(self.url + path)

    def wait_for(self, path: str) -> None:
        """Wait until a path is answered by 200, and print how long that took from the start."""
        wait_until(lambda: self.answers(path), _FIRST_ROUND)
        say(f"{path} answers", f"after {time.monotonic() - self._started:.1f} s")

    @contextlib.contextmanager
    def peak(self, name: str) -> Iterator[None]:
        """Print the most memory that the process had in the block."""
        pid, started = self.process.pid, time.monotonic()
        with contextlib.suppress(FileNotFoundError):
            forget_peak(pid)
        yield
        took = f"{time.monotonic() - started:6.1f} s"
        with contextlib.suppress(FileNotFoundError):
            say(name, f"{peak_of(pid):6.0f} MiB, then {resident_of(pid):6.0f} MiB  {took}")

    def get(self, path: str, *, gzip: bool = False) -> int:
        """Ask as a scraper does; return the bytes of the answer as sent."""
        headers = {"accept-encoding": "gzip" if gzip else "identity"}
        with httpx.stream("GET", self.url + path, headers=headers, timeout=60) as answer:
            answer.raise_for_status()
            return sum(map(len, answer.iter_raw()))

    def reload(self) -> None:
        """Send SIGHUP, and wait until the configuration is in force."""

        def reloaded_at() -> str:
            text = httpx.get(self.url + "/metrics", timeout=60).text
            return next(line for line in text.splitlines() if line.startswith(_RELOADED))

        before = reloaded_at()
        self.process.send_signal(SIGHUP)
        wait_until(lambda: reloaded_at() != before, 60, every=0.5)

    def stop(self) -> None:
        """Send SIGTERM and print how the program ended."""
        with self.peak("stop"):
            self.process.terminate()
            code = self.process.wait(120)
        say("exit code", str(code))


def say(name: str, figures: str) -> None:
    """Print one line."""
    sys.stdout.write(f"  {name:24} {figures}\n")
    sys.stdout.flush()


def first_run(exporter: Exporter, state: Path, config: Path, *, write: bool) -> None:
    """Do once what an exporter does in its life."""
    with exporter.peak("first round"):
        exporter.wait_for("/-/healthy")
        exporter.wait_for("/-/ready")
    for name, path, gzip in (
        ("first gzip scrape", "/metrics", True),
        ("first plain scrape", "/metrics", False),
        ("second gzip scrape", "/metrics", True),
        ("report", "/report.csv", False),
        ("page", "/", False),
    ):
        with exporter.peak(name):
            sent = exporter.get(path, gzip=gzip)
        say("", f"{sent / 1e6:.1f} MB")
    with exporter.peak("reload"):
        config.write_text(config.read_text().replace('"1h"', '"2h"'), encoding="utf-8")
        exporter.reload()
    with exporter.peak("gzip scrape after it"):
        exporter.get("/metrics", gzip=True)
    if write:
        with exporter.peak("state write"):
            began = time.time()
            wait_until(lambda: state.exists() and state.stat().st_mtime > began, _WRITE)
            say("state file", f"{state.stat().st_size / 1e6:.1f} MB")
    exporter.stop()


def second_run(exporter: Exporter, seconds: float) -> None:
    """Start with the state of the first run, and wait `seconds` for polls."""
    with exporter.peak("restart"):
        exporter.wait_for("/-/healthy")
        exporter.wait_for("/-/ready")
    with exporter.peak("gzip scrape"):
        exporter.get("/metrics", gzip=True)
    with exporter.peak("polled again"):
        time.sleep(seconds)
    exporter.stop()


def command(name: str, words: Sequence[str], group: MemoryGroup | None) -> None:
    """Run a command that ends by itself."""
    prefix = group.entering if group else ()
    measured = (  # `__main__` ends by `sys.exit`, whose code stays
        "import resource, runpy, sys\n"
        "try:\n    runpy.run_module('ncr_exporter', run_name='__main__', alter_sys=True)\n"
        "finally:\n    sys.stderr.write(f'{resource.getrusage(0).ru_maxrss // 1024}')\n"
    )
    started = time.monotonic()
    done = subprocess.run(  # noqa: S603 -- words of our own
        [*prefix, sys.executable, "-c", measured, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    peak = done.stderr.splitlines()[-1] if done.stderr else "?"
    say(name, f"{peak:>6} MiB, exit code {done.returncode}  {time.monotonic() - started:6.1f} s")


@contextlib.contextmanager
def limited(limit: float) -> Iterator[MemoryGroup | None]:
    """Give a group with a limit (MiB), or None where none can be made or `limit` is 0."""
    with contextlib.ExitStack() as stack:
        try:
            yield stack.enter_context(memory_group(limit)) if limit else None
        except NoMemoryGroupError as error:
            sys.stdout.write(f"no limit: {error}\n")
            yield None


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--tags", type=int, default=100)
    parser.add_argument("--platforms", type=int, default=1)
    parser.add_argument("--tag-series", default=10)
    parser.add_argument("--limit", type=float, default=512, help="MiB; 0: none")
    parser.add_argument("--briefly", action="store_true", help="do not wait for a periodic write")
    given = parser.parse_args()
    sys.stdout.write(f"{given.images} images of {given.tags} tags, limit {given.limit:g} MiB\n")
    with (
        registry.running(given.images, given.tags, 0.0, given.platforms) as url,
        tempfile.TemporaryDirectory() as name,
    ):
        config, storage = Path(name, "config.yml"), Path(name, "state")
        series = int(given.tag_series) if str(given.tag_series).isdigit() else given.tag_series
        text = registry.config_for(url, given.images, 8, interval="1h", tag_series=series)
        config.touch(mode=0o600)  # it holds a key: else the program warns
        config.write_text(text, encoding="utf-8")
        state = storage / "ncr-exporter.state"
        for run in (1, 2):
            with limited(given.limit) as group, Exporter(config, storage, group) as exporter:
                try:
                    if run == 1:
                        first_run(exporter, state, config, write=not given.briefly)
                    else:
                        second_run(exporter, 1 if given.briefly else 30)
                except (RuntimeError, httpx.HTTPError, TimeoutError) as error:
                    say("failed", f"{error!r}; exit {exporter.process.poll()}")
                exporter.process.kill()
                exporter.process.wait()
                if group:
                    say("group", f"{group.peak:6.0f} MiB with the cache, {group.kills} kills")
        record = f"--record={Path(name, 'recording')}"
        file = f"--config.file={config}"
        with limited(given.limit) as group:
            command("check --online --record", ["check", "--online", record, file], group)
            command("once", ["once", file], group)
            command("once --tags", ["once", "--tags", "--format=json", file], group)


if __name__ == "__main__":
    main()
