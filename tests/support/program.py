"""The program as a user runs it: in a process of its own, stopped by its own process id."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.support.http_server import NOBODY
from tools.memory_groups import MemoryGroup
from tools.waiting import answers, wait_until

START_SECONDS = 15.0
ADDRESS = re.compile(r"address=(\S+:\d+)")


class Program:
    """`python -m ncr_exporter …`; a context manager that waits for `serving` and stops it."""

    def __init__(
        self,
        *argv: str,
        environ: Mapping[str, str] | None = None,
        start: tuple[str, str] = ("-m", "ncr_exporter"),
        within: MemoryGroup | None = None,
    ) -> None:
        self._argv = [*(within.entering if within else ()), sys.executable, *start, *argv]
        self._environ = {**os.environ, **(environ or {})}
        self.log: list[str] = []
        """The lines of stderr so far; all of them once it was stopped."""
        self._waited_for = 0
        """How many of them lie before the next that may be waited for."""
        self._has_ended = False
        self._logged = threading.Condition()
        self.url = ""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(  # noqa: S603 -- our own program with a test's words
            self._argv,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            match = ADDRESS.search(self.wait_for_line("msg=serving"))
            assert match, self.log
        except BaseException:
            self._end()  # else its reader would keep the tests from ever ending
            raise
        self.url = f"http://{match[1]}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    @property
    def address(self) -> str:
        """`host:port`, as Prometheus takes it."""
        return self.url.removeprefix("http://")

    def _lines(self) -> Iterator[str]:
        assert self.process.stderr is not None
        yield from self.process.stderr

    def _read(self) -> None:
        for line in self._lines():
            with self._logged:
                self.log.append(line.rstrip("\n"))
                self._logged.notify_all()
        with self._logged:
            self._has_ended = True
            self._logged.notify_all()

    def wait_for_line(self, part: str, within: float = START_SECONDS) -> str:
        """Return the next line of stderr that contains `part`."""
        with self._logged:
            self._logged.wait_for(lambda: self._has_ended or self._next(part), within)
            number = self._next(part)
            assert number, f"{'ended before' if self._has_ended else 'no'} {part!r}: {self.log}"
            self._waited_for = number
            return self.log[number - 1]

    def _next(self, part: str) -> int:
        """Return how many lines there are up to the next one with `part`; 0 where there is none."""
        lines = enumerate(self.log[self._waited_for :], self._waited_for + 1)
        return next((number for number, line in lines if part in line), 0)

    def get(self, path: str = "/metrics", **headers: str) -> httpx.Response:
        """GET a path of the running program."""
        return httpx.get(
            f"{self.url}{path}", headers=headers, timeout=10.0, trust_env=False, verify=NOBODY
        )

    def ready(self, within: float = START_SECONDS) -> None:
        """Wait until every image was polled."""
        wait_until(lambda: answers(f"{self.url}/-/ready"), within, seen=lambda: self.log)

    def scrape_until(self, part: str, within: float = START_SECONDS) -> str:
        """Scrape until the text contains `part`, and return it."""
        texts = [""]

        def scraped() -> str:
            texts.append(self.get().text)
            return texts[-1] if part in texts[-1] else ""

        return wait_until(scraped, within, seen=lambda: f"no {part!r} in:\n{texts[-1]}")

    def stop(
        self, number: signal.Signals = signal.SIGTERM, within: float = 15.0
    ) -> tuple[int, float]:
        """Send a signal; return the exit code and the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=within)
        seconds = time.monotonic() - started
        self._reader.join()
        return code, seconds


LISTEN = "--web.listen-address=127.0.0.1:0"


@contextmanager
def exporter(config: Path, *argv: str, **environ: str) -> Iterator[Program]:
    """Run `serve` with a configuration on a free port of 127.0.0.1."""
    with Program(f"--config.file={config}", LISTEN, *argv, environ=environ) as program:
        yield program


@contextmanager
def demo(*argv: str) -> Iterator[Program]:
    """Run `demo` on a free port of 127.0.0.1; it writes its configuration where `argv` says."""
    listen = "--web.listen-address=127.0.0.1:0"
    with Program("demo", listen, "--write-config=", *argv) as program:
        yield program


def run(
    *argv: str,
    environ: Mapping[str, str] | None = None,
    start: tuple[str, str] = ("-m", "ncr_exporter"),
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(  # noqa: S603 -- our own program with a test's words
        [sys.executable, *start, *argv],
        env={**os.environ, **(environ or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
