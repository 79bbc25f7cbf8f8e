"""Programs that run for a while: started and ended by the one who needs them, and what they use."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.waiting import answers, wait_until

_PATIENCE = 10.0
"""Seconds that a program has to end after SIGTERM; then it is killed."""
_START = 20.0
"""Seconds that a server has until it answers."""
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
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def ready(
    *words: str | Path,
    at: str,
    log: Path,
    **options: Any,  # noqa: ANN401 -- those of Popen
) -> Iterator[subprocess.Popen[str]]:
    """Run a server until the end of the block, which begins once the server answers 200.

    Args:
        words: The command.
        at: The URL (http) that is asked.
        log: The file that gets what it writes.
        options: Popen's.

    Raises:
        RuntimeError: It ended before it answered; the message has its log.
        TimeoutError: It did not answer within 20 s; the message has its log.
    """
    with (
        log.open("w") as output,
        running(*words, stdout=output, stderr=subprocess.STDOUT, **options) as process,
    ):

        def is_ready() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"{words[0]} ended: {log.read_text()}")
            return answers(at)

        wait_until(is_ready, _START, seen=log.read_text)
        yield process


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
