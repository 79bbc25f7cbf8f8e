"""Modules of these comparisons in processes of their own, which print the port they serve at."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tools.processes import running


@contextmanager
def beside(module: str, *words: str) -> Iterator[tuple[int, int]]:
    """Run a module of `bench` until the end of the block; give its process id and port."""
    command = (sys.executable, "-m", f"bench.{module}", *words)
    with running(*command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 -- for the type alone
        yield process.pid, int(process.stdout.readline())


def announce(port: int) -> None:
    """Print the port for the process that runs this one."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
