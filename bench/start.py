"""Start: seconds and CPU until an exporter answers, and what it is resident in then.

`python -m bench.start` starts ours with one image until /-/ready says that it was polled, a minimal
exporter on prometheus_client and node_exporter until /metrics answers; the median of ten starts.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import registry
from tools.get_node_exporter import find_node_exporter, textfile_collector
from tools.processes import cpu_of, free_port, resident_of, running
from tools.waiting import answers, wait_until

_MINIMAL = """
import sys, threading, prometheus_client
prometheus_client.Gauge("made_up", "As of now.").set(1)
prometheus_client.start_http_server(int(sys.argv[1]), "127.0.0.1")
threading.Event().wait()
"""


@dataclass(frozen=True)
class Start:
    """How one start went."""

    wall: float
    cpu: float
    """Milliseconds, as the wall."""
    resident: float
    """MiB."""


@contextlib.contextmanager
def configured() -> Iterator[Path]:
    """Give a configuration with one image, in a registry that answers at once."""
    with (
        registry.running(images=1, tags=100, latency=0) as url,
        tempfile.TemporaryDirectory() as directory,
    ):
        path = Path(directory) / "config.yml"
        path.write_text(registry.config_for(url, images=1), encoding="utf-8")
        yield path


def started(words: Callable[[int], list[str]], path: str) -> Start:
    """Start a server and end it once it answers at `path`."""
    port, silent = free_port(), subprocess.DEVNULL
    began = time.perf_counter()
    with running(*words(port), stdout=silent, stderr=silent) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}{path}"), every=0.005)
        wall = time.perf_counter() - began
        return Start(wall * 1000, cpu_of(process.pid) * 1000, resident_of(process.pid))


def report(name: str, words: Callable[[int], list[str]], path: str, times: int) -> None:
    """Print the median of several starts."""
    starts = [started(words, path) for _ in range(times)]
    walls = sorted(start.wall for start in starts)
    sys.stdout.write(
        f"{name:20} {statistics.median(walls):6.0f} ms ({walls[0]:.0f} to {walls[-1]:.0f}), "
        f"{statistics.median(start.cpu for start in starts):5.0f} ms of CPU, "
        f"{statistics.median(start.resident for start in starts):5.1f} MiB resident\n"
    )
    sys.stdout.flush()


def node_exporter(port: int) -> list[str]:
    """Return the command of a node_exporter that has nothing to publish."""
    return textfile_collector(f"127.0.0.1:{port}", Path("/nonexistent"))


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    given = parser.parse_args()
    with configured() as config:
        ours = [sys.executable, "-m", "ncr_exporter", "serve", f"--config.file={config}"]
        address = "--web.listen-address=127.0.0.1:{}"
        report("ncr-exporter", lambda port: [*ours, address.format(port)], "/-/ready", given.times)
        imports = [sys.executable, "-c", "import ncr_exporter.cli.serve"]
        began = time.perf_counter()
        subprocess.run(imports, check=True)  # noqa: S603 -- our own words
        took = (time.perf_counter() - began) * 1000
        sys.stdout.write(f"  of which imports   {took:6.0f} ms, Python itself included\n")
    minimal = [sys.executable, "-c", _MINIMAL]
    report("prometheus_client", lambda port: [*minimal, str(port)], "/metrics", given.times)
    if find_node_exporter():
        report("node_exporter", node_exporter, "/metrics", given.times)


if __name__ == "__main__":
    main()
