#!/usr/bin/env python3
"""Put Debian's Prometheus and Alertmanager into `.cache/`, without installing them.

Where they are already there or on the PATH, nothing is done.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools.getting import APT_OPTIONS, CannotGetError, Commands, get

CACHE = Path(__file__).resolve().parent.parent / ".cache"
TIME_LIMIT = 240.0
"""Seconds for everything together."""


@dataclass(frozen=True)
class Package:
    """A package of Debian's, and what is wanted of it."""

    name: str
    programs: tuple[str, str]
    data: Path | None = None
    """A directory that the first program reads, below the root."""

    @property
    def directory(self) -> Path:
        """Where its programs are once they were fetched."""
        return CACHE / self.name


PROMETHEUS = Package("prometheus", ("prometheus", "promtool"))
ALERTMANAGER = Package(
    "prometheus-alertmanager",
    ("prometheus-alertmanager", "amtool"),
    data=Path("/usr/share/prometheus/alertmanager"),
)


@dataclass(frozen=True)
class Tools:
    """Where Prometheus and promtool are."""

    prometheus: Path
    promtool: Path


@dataclass(frozen=True)
class AlertTools:
    """Where Alertmanager and amtool are. Alertmanager must be run in its own directory."""

    alertmanager: Path
    amtool: Path


def find_tools() -> Tools | None:
    """Prometheus and promtool, or None where they are not to be had."""
    found = find(PROMETHEUS)
    return Tools(*found) if found else None


def find_alert_tools() -> AlertTools | None:
    """Alertmanager and amtool, or None where they are not to be had."""
    found = find(ALERTMANAGER)
    return AlertTools(*found) if found else None


def find(package: Package) -> tuple[Path, Path] | None:
    """The two programs that were fetched, else those on the PATH, else None."""
    for places in (str(package.directory), None):
        first, second = (shutil.which(name, path=places) for name in package.programs)
        if first and second:
            return Path(first), Path(second)
    return None


def main() -> int:
    """Get what is missing, and say in one line for each package what came of it."""
    commands = Commands(deadline=time.monotonic() + TIME_LIMIT)
    missing = [package for package in (PROMETHEUS, ALERTMANAGER) if not find(package)]
    return max((get(each.name, partial(fetch, each, commands)) for each in missing), default=0)


def fetch(package: Package, commands: Commands) -> Path:
    """Download a package, take what is wanted out of it, and see that it runs."""
    for name in ("apt-get", "dpkg"):
        if shutil.which(name) is None:
            raise CannotGetError(f"{name} is missing, and only Debian's packages are known here.")
    CACHE.mkdir(exist_ok=True)
    # Beside its final place, so that the last step is a rename and nothing half-made is ever found.
    with tempfile.TemporaryDirectory(prefix=f"{package.name}-", dir=CACHE) as name:
        work = Path(name)
        ready = work / "ready"
        ready.mkdir()
        unpack(package.name, commands, work)
        for program in package.programs:
            place = work / "unpacked" / "usr" / "bin" / program
            if not place.exists():  # Debian 13 has promtool in a package of its own.
                unpack(program, commands, work)
            place.replace(ready / program)
        if package.data is not None:
            relocate(package.data, work / "unpacked", ready, package.programs[0])
        for program in package.programs:
            commands.run(str(ready / program), "--version", directory=work)
        shutil.rmtree(package.directory, ignore_errors=True)
        return ready.replace(package.directory)


def unpack(package: str, commands: Commands, work: Path) -> None:
    """Download a package, and add what is in it to `unpacked`."""
    archive = download(package, commands, work)
    commands.run("dpkg", "-x", str(archive), "unpacked", directory=work)


def relocate(data: Path, unpacked: Path, ready: Path, program: str) -> None:
    """Let a program look for its data where it is run, in place of below the root.

    Debian compiles the place of Alertmanager's templates in, and no flag changes it. To mount them
    there takes rights that a container rarely has; a name of the same length in the program does
    not: `usr/share//x` is `/usr/share/x` as seen from the directory it is run in.
    """
    inside = data.relative_to("/")
    shutil.copytree(unpacked / inside, ready / inside)
    compiled_in = str(data).encode()
    relative = compiled_in.removeprefix(b"/").replace(b"share/", b"share//", 1)
    path = ready / program
    content = path.read_bytes()
    if compiled_in not in content or len(relative) != len(compiled_in):
        raise CannotGetError(f"{program} does not look for its data in {data}.")
    path.write_bytes(content.replace(compiled_in, relative))


def download(package: str, commands: Commands, directory: Path) -> Path:
    """Have apt download and verify a package, with fresh lists only if need be."""
    try:
        commands.run("apt-get", *APT_OPTIONS, "download", package, directory=directory)
    except CannotGetError:
        if os.geteuid() != 0:
            raise
        commands.run("apt-get", *APT_OPTIONS, "update", directory=directory)
        commands.run("apt-get", *APT_OPTIONS, "download", package, directory=directory)
    return next(directory.glob(f"{package}_*.deb"))


if __name__ == "__main__":
    sys.exit(main())
