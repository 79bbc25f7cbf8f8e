"""The exporter of a soak: a process of its own, looked at from outside while it runs."""

import asyncio
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.soak.resources import Sample
from tests.support.program import Program
from tools.processes import cpu_of, descriptors_of, resident_of, threads_of

_TELLS = 20.0  # seconds
_LONGEST = 600
"""Characters of a line of the log that are shown."""
_LEVEL = re.compile(r"level=(\w+) msg=")
_EXPECTED = "reload failed; the configuration in force stays"


class Exporter(Program):
    """`ncr-exporter serve` as users run it, except for what `watched` adds."""

    def __init__(self, config: Path, storage: Path) -> None:
        super().__init__(
            "serve",
            f"--config.file={config}",
            f"--storage.path={storage}",
            "--web.listen-address=127.0.0.1:0",
            "--web.enable-lifecycle",
            environ={"PYTHONWARNINGS": "default::ResourceWarning"},
            start=("-m", "tests.soak.watched"),
        )
        self.samples: list[Sample] = []
        """What it used whenever it was looked at."""

    async def look(self) -> None:
        """Note what it uses now.

        Raises:
            RuntimeError: It ended.
        """
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGUSR2)
        async with asyncio.timeout(_TELLS):
            line = await asyncio.to_thread(self.process.stdout.readline)
        if not line:
            raise RuntimeError("the exporter ended by itself")
        pid, (tasks, blocks) = self.process.pid, map(int, line.split())
        sample = Sample(
            at=asyncio.get_running_loop().time(),
            resident=resident_of(pid),
            descriptors=descriptors_of(pid),
            threads=threads_of(pid),
            tasks=tasks,
            blocks=blocks / 1000,
            cpu=cpu_of(pid),
        )
        self.samples.append(sample)

    async def end(self) -> list[str]:
        """Stop it, and return what is wrong with that and with its log."""
        try:
            code, _ = await asyncio.to_thread(self.stop)
        except subprocess.TimeoutExpired:
            return ["SIGTERM does not end it", *unhealthy(self.log)]
        return [f"it ended with the exit code {code}"] * bool(code) + [*unhealthy(self.log)]


def unhealthy(log: Iterable[str]) -> Iterator[str]:
    """Yield the lines that no program in good health writes, as problems."""
    for line in log:
        level = _LEVEL.search(line)
        if level is None or (level[1] == "error" and _EXPECTED not in line):
            yield f"the log says: {_shortened(line)}"


def _shortened(line: str) -> str:
    """Return a line without its middle: a traceback ends with what went wrong."""
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 3]} … {line[-_LONGEST // 3 :]}"
