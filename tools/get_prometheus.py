#!/usr/bin/env python3
"""Put Debian's Prometheus and Alertmanager into `.cache/`, without installing them.

Where they are already there or on the PATH, nothing is done. Beside them come a Prometheus of the
next major version and VictoriaMetrics, out of Debian's unstable suite: rules must hold there too.
"""

from __future__ import annotations

import os
import re
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


SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = "http://deb.debian.org/debian"


@dataclass(frozen=True)
class Package:
    """A package of Debian's, and what is wanted of it."""

    name: str
    programs: tuple[str, ...]
    data: Path | None = None
    """A directory that the first program reads, below the root."""
    suite: str | None = None
    """The suite it comes from, if not the machine's own."""

    @property
    def title(self) -> str:
        """What it is called where somebody reads of it."""
        return f"{self.name} ({self.suite})" if self.suite else self.name

    @property
    def directory(self) -> Path:
        """Where its programs are once they were fetched."""
        return CACHE / (f"{self.name}-{self.suite}" if self.suite else self.name)


PROMETHEUS = Package("prometheus", ("prometheus", "promtool"))
ALERTMANAGER = Package(
    "prometheus-alertmanager",
    ("prometheus-alertmanager", "amtool"),
    data=Path("/usr/share/prometheus/alertmanager"),
)

NEWER_PROMETHEUS = Package("prometheus", ("prometheus", "promtool"), suite="sid")
VICTORIA_METRICS = Package(
    "victoria-metrics", ("victoria-metrics", "vmalert", "vmalert-tool"), suite="sid"
)


@dataclass(frozen=True)
class Tools:
    """Where Prometheus and promtool are."""

    prometheus: Path
    promtool: Path


@dataclass(frozen=True)
class VictoriaTools:
    """Where VictoriaMetrics, vmalert and its tool for rule tests are."""

    victoria_metrics: Path
    vmalert: Path
    vmalert_tool: Path


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


def find_newer_tools() -> Tools | None:
    """Prometheus and promtool of the next major version, or None where they are not to be had."""
    found = find(NEWER_PROMETHEUS)
    return Tools(*found) if found else None


def find_victoria_tools() -> VictoriaTools | None:
    """VictoriaMetrics and vmalert, or None where they are not to be had."""
    found = find(VICTORIA_METRICS)
    return VictoriaTools(*found) if found else None


def find(package: Package) -> tuple[Path, ...] | None:
    """Return the programs that were fetched, else those on the PATH, else None.

    What the PATH has is of the machine's own suite: no package of another one is looked for there.
    """
    for place in (str(package.directory), *([] if package.suite else [None])):
        found = [shutil.which(name, path=place) for name in package.programs]
        if all(found):
            return tuple(Path(program) for program in found if program)
    return None


def main() -> int:
    """Get what is missing, and say in one line for each package what came of it."""
    commands = Commands(deadline=time.monotonic() + TIME_LIMIT)
    wanted = (PROMETHEUS, ALERTMANAGER, NEWER_PROMETHEUS, VICTORIA_METRICS)
    missing = [package for package in wanted if not find(package)]
    return max((get(each.title, partial(fetch, each, commands)) for each in missing), default=0)


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
        apt = Apt(commands, work, package.suite)
        apt.unpack(package.name)
        for program in package.programs:
            place = work / "unpacked" / "usr" / "bin" / program
            if not place.exists():  # Debian 13 has promtool in a package of its own.
                apt.unpack(program)
            place.replace(ready / program)
        if package.data is not None:
            relocate(package.data, work / "unpacked", ready, package.programs[0])
        for program in package.programs:
            commands.run(str(ready / program), "--help", directory=work)
        shutil.rmtree(package.directory, ignore_errors=True)
        return ready.replace(package.directory)


class Apt:
    """Downloads packages: of the machine's own suite, or of another with lists of its own.

    Lists of another suite are kept apart, so that the machine goes on as if there were none.
    """

    def __init__(self, commands: Commands, work: Path, suite: str | None) -> None:
        self._commands = commands
        self._work = work
        self._options: tuple[str, ...] = APT_OPTIONS
        if suite is not None:
            self._options += lists_apart(work, suite)
            self._run("update")

    def unpack(self, package: str) -> None:
        """Download a package, and add what is in it to `unpacked`."""
        archive = self._download(package)
        self._commands.run("dpkg", "-x", str(archive), "unpacked", directory=self._work)

    def _download(self, package: str) -> Path:
        """Have apt download and verify a package, with fresh lists only if need be."""
        try:
            self._run("download", package)
        except CannotGetError:
            if os.geteuid() != 0:
                raise
            self._run("update")
            self._run("download", package)
        return next(self._work.glob(f"{package}_*.deb"))

    def _run(self, *words: str) -> None:
        self._commands.run("apt-get", *self._options, *words, directory=self._work)


def lists_apart(work: Path, suite: str) -> tuple[str, ...]:
    """Return the options with which apt knows one suite alone, and keeps its lists below `work`."""
    if not KEYRING.exists():
        raise CannotGetError(f"{KEYRING} is missing: nothing of {suite} could be verified.")
    sources = work / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
    for folder in ("lists", "cache"):
        (work / folder / "partial").mkdir(parents=True)
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": work / "none",
        "Dir::State::lists": work / "lists",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    return tuple(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))


def mirror() -> str:
    """Return the mirror of Debian that the machine uses already, else Debian's own."""
    text = "\n".join(path.read_text() for path in SOURCES if path.exists())
    found = re.search(r"^(?:URIs:|deb(?: \[.*?\])?) *(https?://\S+)", text, re.MULTILINE)
    return found[1] if found else MIRROR


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


if __name__ == "__main__":
    sys.exit(main())
