"""`ncr-exporter serve` in a process of its own: started, looked at from outside, stopped."""

import asyncio
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.soak.resources import Sample
from tests.soak.watched import PIPE
from tools.processes import cpu_of, resident_of

_ROOT = Path(__file__).parents[2]
_START = 30.0  # seconds
_STOP = 10.0
_TELLS = 20.0
_LONGEST = 600
"""Characters of a line of the log that are shown."""
_ADDRESS = re.compile(r"msg=serving .*address=(\S+:\d+)")
_MESSAGE = re.compile(r'level=(\w+) msg=("[^"]*"|\S+)')
_EXPECTED = '"reload failed; the configuration in force stays"'
RELOADED = ('"configuration reloaded"', _EXPECTED)
"""What is logged at the end of each reload."""


class Program:
    """A running exporter."""

    def __init__(
        self, process: asyncio.subprocess.Process, told: asyncio.StreamReader, log: Path
    ) -> None:
        self.url = ""
        self.samples: list[Sample] = []
        """What it used whenever it was looked at."""
        self.said: Counter[str] = Counter()
        """Messages of the log, and how often each came."""
        self.problems: list[str] = []
        """Lines that no program in good health writes."""
        self._process = process
        self._told = told
        self._log = log
        self._serving = asyncio.Event()

    async def follow_log(self) -> None:
        """Read what it logs to its end, and keep it."""
        assert self._process.stderr is not None
        with self._log.open("wb") as log:
            async for raw in self._process.stderr:
                log.write(raw)
                self._take(raw.decode(errors="replace").rstrip("\n"))
        self._serving.set()

    def _take(self, line: str) -> None:
        if match := _ADDRESS.search(line):
            self.url = f"http://{match[1]}"
            self._serving.set()
        found = _MESSAGE.search(line)
        if found is None or (found[1] == "error" and found[2] != _EXPECTED):
            self.problems.append(f"the log says: {_shortened(line)}")
        self.said[found[2] if found else "no log line"] += 1

    async def serving(self) -> None:
        """Wait until it listens.

        Raises:
            RuntimeError: it ended before.
        """
        async with asyncio.timeout(_START):
            await self._serving.wait()
        if not self.url:
            raise RuntimeError(f"the exporter did not start: {self.problems}")

    async def look(self) -> None:
        """Note what it uses now.

        Raises:
            RuntimeError: it ended.
        """
        if self._process.returncode is not None:
            raise RuntimeError("the exporter ended by itself")
        self._process.send_signal(signal.SIGUSR2)
        async with asyncio.timeout(_TELLS):
            tasks, blocks = map(int, (await self._told.readline()).split())
        place = Path(f"/proc/{self._process.pid}")
        sample = Sample(
            at=asyncio.get_running_loop().time(),
            resident=resident_of(self._process.pid),
            descriptors=len(list((place / "fd").iterdir())),
            threads=len(list((place / "task").iterdir())),
            tasks=tasks,
            blocks=blocks / 1000,
            cpu=cpu_of(self._process.pid),
        )
        self.samples.append(sample)

    def hang_up(self) -> None:
        """Send SIGHUP."""
        self._process.send_signal(signal.SIGHUP)

    @property
    def reloads(self) -> int:
        """How many reloads have ended."""
        return sum(self.said[message] for message in RELOADED)

    async def stop(self) -> None:
        """Send SIGTERM; that it does not end soon, and well, is a problem."""
        if self._process.returncode is not None:
            self.problems.append(f"the exporter ended by itself: {self._process.returncode}")
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(_STOP):
                code = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            code = await self._process.wait()
        if code:
            self.problems.append(f"SIGTERM ended it with the exit code {code}")


@asynccontextmanager
async def running(config: Path, storage: Path, log: Path) -> AsyncIterator[Program]:
    """Run the exporter as users do, but for what `watched` adds; it is stopped at the end.

    `log` is where its log goes.
    """
    reading, writing = os.pipe()
    words = [
        *("-m", "tests.soak.watched", "serve"),
        f"--config.file={config}",
        f"--storage.path={storage}",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-lifecycle",
    ]
    environ = {**os.environ, PIPE: str(writing), "PYTHONWARNINGS": "default::ResourceWarning"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        cwd=_ROOT,
        env=environ,
        pass_fds=(writing,),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=2**20,  # bytes: the longest line
    )
    os.close(writing)
    told = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(told), os.fdopen(reading, "rb")
    )
    program = Program(process, told, log)
    following = asyncio.create_task(program.follow_log())
    try:
        await program.serving()
        yield program
    finally:
        await program.stop()
        await following
        transport.close()


def _shortened(line: str) -> str:
    """Return a line without its middle: a traceback ends with what went wrong."""
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 3]} … {line[-_LONGEST // 3 :]}"
