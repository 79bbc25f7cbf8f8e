#!/usr/bin/env python3
"""Put Debian's Prometheus and promtool into `.cache/prometheus/`, without installing them.

Where they are already there or on the PATH, nothing is done. Where they cannot be had,
one sentence says why, and only CI takes that for a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "prometheus"
NAMES = ("prometheus", "promtool")
TIME_LIMIT = 240.0
"""Seconds for everything together."""


@dataclass(frozen=True)
class Tools:
    """Where the two programs are."""

    prometheus: Path
    promtool: Path


class CannotGetError(Exception):
    """Why Prometheus cannot be had here, as the end of a sentence."""


def find_tools() -> Tools | None:
    """The programs that were fetched, else those on the PATH, else None."""
    for places in (str(CACHE), None):
        found = [shutil.which(name, path=places) for name in NAMES]
        if found[0] and found[1]:
            return Tools(prometheus=Path(found[0]), promtool=Path(found[1]))
    return None


def must_have_tools() -> bool:
    """Whether doing without Prometheus is a failure, as it is in CI."""
    return os.environ.get("CI", "").lower() == "true"


def main() -> int:
    """Get the programs and say in one line what came of it."""
    tools = find_tools()
    try:
        if tools is None:
            tools = fetch(Commands(deadline=time.monotonic() + TIME_LIMIT))
            say(f"Prometheus is ready: {tools.prometheus.parent}")
    except (CannotGetError, OSError) as error:
        say(f"Prometheus cannot be had here: {error}")
        return 1 if must_have_tools() else 0
    return 0


def fetch(commands: Commands) -> Tools:
    """Download the package, take the two programs out of it, and see that they run."""
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
    options = ("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=30")
    try:
        commands.run("apt-get", *options, "download", "prometheus", directory=directory)
    except CannotGetError:
        if os.geteuid() != 0:
            raise
        commands.run("apt-get", *options, "update", directory=directory)
        commands.run("apt-get", *options, "download", "prometheus", directory=directory)
    return next(directory.glob("prometheus_*.deb"))


@dataclass(frozen=True)
class Commands:
    """Runs programs, all of them within one deadline."""

    deadline: float

    def run(self, *command: str, directory: Path) -> None:
        """Run one; whatever goes wrong becomes a `CannotGetError`."""
        program = Path(command[0]).name
        try:
            subprocess.run(  # noqa: S603 - fixed words, no shell
                command,
                cwd=directory,
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=True,
                timeout=max(1.0, self.deadline - time.monotonic()),
            )
        except subprocess.TimeoutExpired as error:
            raise CannotGetError(f"{program}: not done in time.") from error
        except subprocess.CalledProcessError as error:
            said = error.stdout.strip().splitlines() or ["no reason given"]
            raise CannotGetError(f"{program} failed: {said[-1]}") from error


def say(sentence: str) -> None:
    """Tell the person who ran this."""
    print(sentence, flush=True)  # noqa: T201 - a command's answer


if __name__ == "__main__":
    sys.exit(main())
