"""`python -m tools.dashboards.pictures DIRECTORY`: draw the dashboards as they look with the demo.

A demo, a Prometheus that scrapes it and knows a week before it, and Grafana's own front-end
libraries in Chromium (`tools/grafana`); all on loopback, all ended at the end.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.dashboards.__main__ import DASHBOARDS, file_of
from tools.demo_history import History
from tools.get_prometheus import Tools, find_tools
from tools.processes import free_port, ready

ROOT = Path(__file__).resolve().parents[2]
DRAW = ROOT / "tools" / "grafana" / "draw.mjs"
CACHE = ROOT / ".cache" / "grafana"
JOB = "ncr"
CHOICES = {"ncr-image": ("var-registry=demo-registry", "var-image=api", "expand=1")}
"""What is chosen in a dashboard before it is drawn."""
_SCRAPED_FOR = 40.0
"""Seconds that the live part needs: a rate wants several scrapes."""


@contextmanager
def watched_demo(tools: Tools, work: Path) -> Iterator[str]:
    """Give the URL of a Prometheus that scrapes a demo and knows its past."""
    target, address = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        demo = (sys.executable, "-m", "ncr_exporter", "demo", f"--web.listen-address={target}")
        stack.enter_context(ready(*demo, at=f"http://{target}/-/ready", log=work / "demo.log"))
        history = History(time.time(), 7, JOB, target)
        (work / "history.om").write_text("".join(history.lines()))
        backfill = (tools.promtool, "tsdb", "create-blocks-from", "openmetrics")
        paths = (work / "history.om", work / "data")
        subprocess.run([*backfill, *paths], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 -- fixed words
        scrape = {"job_name": JOB, "static_configs": [{"targets": [target]}]}
        config = {"global": {"scrape_interval": "10s"}, "scrape_configs": [scrape]}
        (work / "prometheus.yml").write_text(json.dumps(config))
        words = (
            tools.prometheus,
            f"--config.file={work / 'prometheus.yml'}",
            f"--storage.tsdb.path={work / 'data'}",
            f"--web.listen-address={address}",
        )
        log = work / "prometheus.log"
        stack.enter_context(ready(*words, at=f"http://{address}/-/ready", log=log))
        time.sleep(_SCRAPED_FOR)
        yield f"http://{address}"


def draw(prometheus: str, directory: Path, options: Sequence[str]) -> int:
    """Draw every dashboard; return how many could not be drawn whole."""
    failed = 0
    for dashboard in DASHBOARDS:
        out = directory / f"dashboard-{dashboard.uid.removeprefix('ncr-')}.png"
        words = (*CHOICES.get(dashboard.uid, ()), *options)
        command: list[str | Path] = [
            "node",
            DRAW,
            CACHE,
            file_of(dashboard),
            prometheus,
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
    parser.add_argument("options", nargs="*", help="for draw.mjs, as from=now-1h or theme=dark")
    given = parser.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    tools = find_tools()
    if tools is None:
        sys.exit("needs Prometheus and promtool: make prometheus")
    with (
        tempfile.TemporaryDirectory() as work,
        watched_demo(tools, Path(work)) as prometheus,
    ):
        return min(1, draw(prometheus, given.directory, given.options))


if __name__ == "__main__":
    sys.exit(main())
