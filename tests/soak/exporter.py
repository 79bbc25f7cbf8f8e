"""The exporter of a soak: a process of its own, looked at from outside while it runs."""

import asyncio
import fcntl
import re
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx

from tests.soak.resources import Sample
from tests.support.passwords import RIGHT, hash_of, users_section
from tests.support.program import START_SECONDS, Program
from tools.processes import cpu_of, descriptors_of, resident_of, threads_of
from tools.waiting import wait_until

USER = "soak"
AUTH = (USER, RIGHT)
"""What the exporter asks everybody for."""

_TELLS = 20.0  # seconds
_SMALL_PIPE = 4096
"""Bytes of its log that nobody has read, after which a program that waits for its reader stalls."""
_LONGEST = 600
"""Characters of a line of the log that are shown."""
_LEVEL = re.compile(r"level=(\w+) msg=")
_EXPECTED = "reload failed; the configuration in force stays"


class Exporter(Program):
    """`ncr-exporter serve` as users run it, except for what `watched` adds."""

    def __init__(self, config: Path, storage: Path) -> None:
        web = config.with_name("web.yml")
        web.write_text(users_section({USER: hash_of(RIGHT, 6)}))
        super().__init__(
            "serve",
            f"--config.file={config}",
            f"--web.config.file={web}",
            f"--storage.path={storage}",
            "--web.listen-address=127.0.0.1:0",
            "--web.enable-lifecycle",
            environ={"PYTHONWARNINGS": "default::ResourceWarning"},
            start=("-m", "tests.soak.watched"),
        )
        self.samples: list[Sample] = []
        """What it used whenever it was looked at."""
        self._is_read = threading.Event()
        self._is_read.set()

    def ready(self, within: float = START_SECONDS) -> None:
        """Wait until every image was polled."""

        def is_ready() -> bool:
            answer = httpx.get(f"{self.url}/-/ready", auth=AUTH, timeout=10.0, trust_env=False)
            return answer.is_success

        wait_until(is_ready, within, seen=lambda: self.log)

    def stop_reading(self) -> None:
        """Leave the log unread; some lines fill the pipe."""
        self._is_read.clear()

    def go_on_reading(self) -> None:
        """Read the log again."""
        self._is_read.set()

    def _lines(self) -> Iterator[str]:
        assert self.process.stderr is not None
        fcntl.fcntl(self.process.stderr, fcntl.F_SETPIPE_SZ, _SMALL_PIPE)
        for line in super()._lines():
            yield line
            self._is_read.wait()

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
