"""Groups of processes with a limit of memory (cgroups, version 1 or 2), as containers have one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_MIB = 2**20
_ENTER = 'echo $$ > "$0" && exec "$@"'
"""A shell that joins the group whose list of processes is `$0`, and becomes the command."""


class NoMemoryGroupError(Exception):
    """No group can be made here; `str()` says why."""


@dataclass(frozen=True)
class MemoryGroup:
    """A group: more memory than its limit, and the kernel kills a process of it."""

    directory: Path
    peak_file: str

    @property
    def entering(self) -> tuple[str, ...]:
        """The words to put before a command so that its process joins the group first."""
        return ("/bin/sh", "-c", _ENTER, str(self.directory / "cgroup.procs"))

    @property
    def peak(self) -> float:
        """The most memory (MiB) that the group had: of processes, and of files in the cache."""
        return int((self.directory / self.peak_file).read_text(encoding="ascii")) / _MIB

    @property
    def kills(self) -> int:
        """How many of its processes the kernel has killed for want of memory."""
        for name in ("memory.events", "memory.oom_control"):
            with suppress(FileNotFoundError):
                lines = (self.directory / name).read_text(encoding="ascii").splitlines()
                return int(dict(line.split() for line in lines)["oom_kill"])
        raise NoMemoryGroupError(f"{self.directory} does not count kills")


@contextmanager
def memory_group(limit: float) -> Iterator[MemoryGroup]:
    """Give a group with a limit (MiB) and no swap until the end of the block.

    Raises:
        NoMemoryGroupError: No group can be made here.
    """
    group = _made(f"ncr-exporter-{os.getpid()}", round(limit * _MIB))
    try:
        yield group
    finally:
        group.directory.rmdir()


def _made(name: str, limit: int) -> MemoryGroup:
    """Make a group at the topmost place where this user may."""
    refusals = []
    for place in _places():
        directory = place / name
        try:
            directory.mkdir()
        except OSError as error:
            refusals.append(f"{place}: {error.strerror}")
            continue
        try:
            return _limited(directory, limit)
        except OSError as error:  # a group of version 2 without the controller has no such file
            refusals.append(f"{directory / error.filename}: {error.strerror}")
            directory.rmdir()
    raise NoMemoryGroupError("; ".join(refusals) or "no cgroup of memory is mounted")


def _places() -> Iterator[Path]:
    """Yield the groups below which one may be made, from the root down to this process's own."""
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, own = line.split(":", 2)
        if controllers not in {"", "memory"}:
            continue
        place = Path("/sys/fs/cgroup", controllers)
        yield place
        for name in Path(own.lstrip("/")).parts:
            place /= name
            yield place


def _limited(directory: Path, limit: int) -> MemoryGroup:
    if (directory / "memory.limit_in_bytes").exists():
        settings = {"memory.limit_in_bytes": limit, "memory.swappiness": 0}
        peak = "memory.max_usage_in_bytes"
    else:
        settings, peak = {"memory.max": limit, "memory.swap.max": 0}, "memory.peak"
    for name, value in settings.items():
        (directory / name).write_text(str(value), encoding="ascii")
    return MemoryGroup(directory, peak)
