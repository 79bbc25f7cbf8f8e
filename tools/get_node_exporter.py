#!/usr/bin/env python3
"""Put Debian's node_exporter into `.cache/node-exporter/`, as `get_prometheus` does Prometheus."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from tools.get_prometheus import TIME_LIMIT, CannotGetError, Commands, must_have_tools, say

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "node-exporter"
NAME = "prometheus-node-exporter"


def find_node_exporter() -> Path | None:
    """The program that was fetched, else the one on the PATH, else None."""
    found = shutil.which(NAME, path=str(CACHE)) or shutil.which(NAME)
    return Path(found) if found else None


def main() -> int:
    """Get it and say in one line what came of it."""
    if find_node_exporter():
        return 0
    try:
        fetch(Commands(deadline=time.monotonic() + TIME_LIMIT))
    except (CannotGetError, OSError) as error:
        say(f"node_exporter cannot be had here: {error}")
        return 1 if must_have_tools() else 0
    say(f"node_exporter is ready: {CACHE}")
    return 0


def fetch(commands: Commands) -> None:
    """Download the package, whose lists `get_prometheus` refreshed, and see that it runs."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as name:
        work = Path(name)
        commands.run("apt-get", "download", NAME, directory=work)
        commands.run("dpkg", "-x", str(next(work.glob("*.deb"))), "unpacked", directory=work)
        program = work / "unpacked" / "usr" / "bin" / NAME
        commands.run(str(program), "--version", directory=work)
        program.replace(CACHE / NAME)


if __name__ == "__main__":
    sys.exit(main())
