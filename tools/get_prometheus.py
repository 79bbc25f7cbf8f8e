#!/usr/bin/env python3
"""Put Debian's Prometheus and promtool into `.cache/prometheus/`, without installing them.

Where they are already there or on the PATH, nothing is done.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tools.getting import APT_OPTIONS, CannotGetError, Commands, get

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "prometheus"
NAMES = ("prometheus", "promtool")
TIME_LIMIT = 240.0
"""Seconds for everything together."""


@dataclass(frozen=True)
class Tools:
    """Where the two programs are."""

    prometheus: Path
    promtool: Path


def find_tools() -> Tools | None:
    """The programs that were fetched, else those on the PATH, else None."""
    for places in (str(CACHE), None):
        found = [shutil.which(name, path=places) for name in NAMES]
        if found[0] and found[1]:
            return Tools(prometheus=Path(found[0]), promtool=Path(found[1]))
    return None


def main() -> int:
    """Get the programs where they are missing."""
    return get("Prometheus", lambda: None if find_tools() else fetch().prometheus.parent)


def fetch() -> Tools:
    """Download the package, take the two programs out of it, and see that they run."""
    commands = Commands(deadline=time.monotonic() + TIME_LIMIT)
    for name in ("apt-get", "dpkg"):
        if shutil.which(name) is None:
            raise CannotGetError(f"{name} is missing, and only Debian's packages are known here.")
    CACHE.parent.mkdir(exist_ok=True)
    # Beside its final place, so that the last step is a rename and nothing half-made is ever found.
    with tempfile.TemporaryDirectory(prefix="prometheus-", dir=CACHE.parent) as name:
        work = Path(name)
        package = download(commands, work)
        commands.run("dpkg", "-x", str(package), "unpacked", directory=work)
        ready = work / "ready"
        ready.mkdir()
        for program in NAMES:
            (work / "unpacked" / "usr" / "bin" / program).replace(ready / program)
            commands.run(str(ready / program), "--version", directory=work)
        shutil.rmtree(CACHE, ignore_errors=True)
        ready.replace(CACHE)
    return Tools(prometheus=CACHE / "prometheus", promtool=CACHE / "promtool")


def download(commands: Commands, directory: Path) -> Path:
    """Have apt download and verify the package, with fresh lists only if need be."""
    try:
        commands.run("apt-get", *APT_OPTIONS, "download", "prometheus", directory=directory)
    except CannotGetError:
        if os.geteuid() != 0:
            raise
        commands.run("apt-get", *APT_OPTIONS, "update", directory=directory)
        commands.run("apt-get", *APT_OPTIONS, "download", "prometheus", directory=directory)
    return next(directory.glob("prometheus_*.deb"))


if __name__ == "__main__":
    sys.exit(main())
