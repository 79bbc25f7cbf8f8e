"""`python -m tools.dashboards.pictures DIRECTORY`: draw the dashboards as they look with a world.

A Prometheus that a generated world is written into, and Grafana's own front-end libraries in
Chromium (`tools/grafana`); all on loopback, all ended at the end.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.dashboards.__main__ import DASHBOARDS, file_of
from tools.dashboards.world.__main__ import SIZES
from tools.dashboards.world.series import OUTAGES, World
from tools.dashboards.world.writing import WorldWriter, write
from tools.get_prometheus import find_tools
from tools.processes import free_port, ready

ROOT = Path(__file__).resolve().parents[2]
DRAW = ROOT / "tools" / "grafana" / "draw.mjs"
CACHE = ROOT / ".cache" / "grafana"
PRICE = "var-cost=28"
"""What is typed as the price per GB and month, in won."""


@dataclass(frozen=True)
class Written:
    """A world in a Prometheus."""

    url: str
    end: int
    """Seconds since the epoch: the time that the dashboards are looked at."""


@contextmanager
def written_world(size: str, outage: str, hours: int, work: Path) -> Iterator[Written]:
    """Give a Prometheus that knows a world's last week."""
    tools = find_tools()
    if tools is None:
        sys.exit("needs Prometheus: make prometheus")
    address = f"127.0.0.1:{free_port()}"
    (work / "prometheus.yml").write_text("{}")
    flags = (
        f"--config.file={work / 'prometheus.yml'}",
        f"--storage.tsdb.path={work / 'data'}",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
    )
    words = (str(tools.prometheus), *flags)
    with ready(*words, at=f"http://{address}/-/ready", log=work / "prometheus.log"):
        end = int(time.time()) // 60 * 60
        write(f"http://{address}", hours, WorldWriter(World(SIZES[size](), end, outage=outage)))
        yield Written(f"http://{address}", end)


def draw(written: Written, directory: Path, size: str, options: Sequence[str]) -> int:
    """Draw every dashboard; return how many could not be drawn whole."""
    failed = 0
    image = max(SIZES[size]().images, key=lambda one: (one.pulls_per_day > 0, one.tags))
    chosen = (f"var-registry={image.registry.name}", f"var-image={image.name}")
    choices = {
        "ncr-overview": (PRICE,),
        "ncr-image": (PRICE, *chosen, "expand=1"),
        "ncr-exporter": (),
    }
    for dashboard in DASHBOARDS:
        out = directory / f"dashboard-{dashboard.uid.removeprefix('ncr-')}.png"
        words = (f"now={written.end * 1000}", *choices[dashboard.uid], *options)
        command: list[str | Path] = [
            "node",
            DRAW,
            CACHE,
            file_of(dashboard),
            written.url,
            out,
            *words,
        ]
        failed += subprocess.run(command, check=False).returncode != 0  # noqa: S603 -- fixed words
        if shutil.which("pngquant"):
            shrink: list[str | Path] = ["pngquant", "--force", "--ext=.png", "--strip", "128", out]
            subprocess.run(shrink, check=True)  # noqa: S603 -- fixed words
        sys.stdout.write(f"{out}: {out.stat().st_size // 1000} kB\n")
    return failed


def main() -> int:
    """Draw the dashboards; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--outage", choices=OUTAGES, default="none")
    parser.add_argument("--hours", type=int, default=7 * 24, help="of history")
    parser.add_argument(
        "--written", help="URL and end of a world that is written already, as URL,END"
    )
    parser.add_argument("options", nargs="*", help="for draw.mjs, as from=now-1h or theme=dark")
    given = parser.parse_intermixed_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    if given.written:
        url, end = given.written.split(",")
        return min(1, draw(Written(url, int(end)), given.directory, given.size, given.options))
    with (
        tempfile.TemporaryDirectory() as work,
        written_world(given.size, given.outage, given.hours, Path(work)) as written,
    ):
        return min(1, draw(written, given.directory, given.size, given.options))


if __name__ == "__main__":
    sys.exit(main())
