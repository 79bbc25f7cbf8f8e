#!/usr/bin/env python3
"""Put Debian's node_exporter into `.cache/node-exporter/`, as `get_prometheus` does Prometheus."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from tools.get_prometheus import TIME_LIMIT
from tools.getting import Commands, get

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "node-exporter"
NAME = "prometheus-node-exporter"


def find_node_exporter() -> Path | None:
    """The program that was fetched, else the one on the PATH, else None."""
    found = shutil.which(NAME, path=str(CACHE)) or shutil.which(NAME)
    return Path(found) if found else None


def textfile_collector(address: str, directory: Path) -> list[str]:
    """Return the command that publishes the `*.prom` of a directory at an address, nothing else."""
    return [
        str(find_node_exporter()),
        f"--web.listen-address={address}",
        "--web.disable-exporter-metrics",
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={directory}",
    ]


def main() -> int:
    """Get it where it is missing."""
    return get("node_exporter", lambda: None if find_node_exporter() else fetch())


def fetch() -> Path:
    """Download the package, whose lists `get_prometheus` refreshed, and see that it runs."""
    commands = Commands(deadline=time.monotonic() + TIME_LIMIT)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as name:
        work = Path(name)
        commands.run("apt-get", "download", NAME, directory=work)
        commands.run("dpkg", "-x", str(next(work.glob("*.deb"))), "unpacked", directory=work)
        program = work / "unpacked" / "usr" / "bin" / NAME
        commands.run(str(program), "--version", directory=work)
        return program.replace(CACHE / NAME)


if __name__ == "__main__":
    sys.exit(main())
