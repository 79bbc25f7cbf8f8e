"""Programs that run for a while: started and ended by the one who needs them, and what they use."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")


@contextmanager
def running(
    *words: str | Path,
    **options: Any,  # noqa: ANN401 -- those of Popen
) -> Iterator[subprocess.Popen[str]]:
    """Run a program until the end of the block; `options` are Popen's."""
    with subprocess.Popen(  # noqa: S603 -- words of our own, no shell
        words, stdin=subprocess.DEVNULL, text=True, **options
    ) as process:
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[str], within: float = 10.0) -> None:
    """Send SIGTERM to a process, and SIGKILL if it has not ended `within` seconds later."""
    process.terminate()
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def resident_of(pid: int) -> float:
    """Return the memory (MiB) in which a process is resident."""
    return _memory_of(pid, "VmRSS")


def peak_of(pid: int) -> float:
    """Return the most memory (MiB) in which a process was resident since `forget_peak`."""
    return _memory_of(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Let a process's peak of memory begin at what it is resident in now; see proc(5)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def descriptors_of(pid: int) -> int:
    """Return how many files and sockets a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads_of(pid: int) -> int:
    """Return how many threads a process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def _memory_of(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024
