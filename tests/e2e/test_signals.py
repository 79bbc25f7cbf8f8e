"""Signals from the first moment of the program to its last, as systemd and containers send them."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.program import run

SERVE = ("--web.listen-address=127.0.0.1:0",)
NOBODY = "http://127.0.0.1:1"
CONFIG = f"""
api: {{base_url: "{NOBODY}"}}
credentials: {{access_key: MADE-UP-ACCESS, secret_key: MADE-UP-SECRET}}
registries: [{{name: my-registry, images: [app]}}]
"""
IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")
PATIENCE = 30.0


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "ncr-exporter.yml"
    path.write_text(CONFIG)
    return f"--config.file={path}"


class Starting:
    """A program that tells each module that it imports, on stderr."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def read_until(self, part: str) -> None:
        """Read stderr up to the line that ends with `part`."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            if part in line:
                return
        raise AssertionError(f"no {part!r} in {self.said}")

    def is_importing(self) -> None:
        """Wait until the first imports, of a hundred, are done."""
        self.read_until(" argparse\n")
        assert not any(line.endswith(" asyncio") for line in self.lines), "that is no early moment"

    @property
    def said(self) -> list[str]:
        """What it wrote to stderr besides the names of modules."""
        return [line for line in self.lines if not line.startswith("import time:")]

    def end(self) -> int:
        """Read stderr to its end, and return the exit code."""
        assert self.process.stderr is not None
        self.lines += [line.rstrip() for line in self.process.stderr]
        return self.process.wait(PATIENCE)


@contextmanager
def starting(*argv: str, before: Sequence[str] = ()) -> Iterator[Starting]:
    """Start the program, by the words `before`, and kill it at the end of the block."""
    words = [*before, sys.executable, "-X", "importtime", "-m", "ncr_exporter", *argv]
    with subprocess.Popen(  # noqa: S603 -- our own program with a test's words
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            yield Starting(process)
        finally:
            watchdog.cancel()
            process.kill()


def test_a_hangup_during_the_start_reloads_once_it_serves(config: str) -> None:
    with starting(config, *SERVE) as program:
        program.is_importing()
        program.process.send_signal(signal.SIGHUP)
        program.read_until("msg=serving")
        program.read_until('msg="configuration reloaded"')
        program.process.send_signal(signal.SIGTERM)
        assert program.end() == 0


def test_hangups_from_the_first_moment_to_the_last_never_end_it(config: str) -> None:
    with starting(config, *SERVE) as program:
        program.is_importing()
        for _ in range(100):
            program.process.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        program.read_until("msg=serving")
        program.process.send_signal(signal.SIGTERM)
        for _ in range(100):
            program.process.send_signal(signal.SIGHUP)  # nothing once it has ended
            time.sleep(0.002)
        assert program.end() == 0


@pytest.mark.parametrize(
    ("argv", "number", "code"),
    [
        (("serve",), signal.SIGTERM, 0),
        (("serve",), signal.SIGINT, 0),
        (("demo",), signal.SIGTERM, 0),
        (("once",), signal.SIGTERM, 143),
        (("once",), signal.SIGINT, 130),
        (("once",), signal.SIGHUP, 129),
        (("check", "--online"), signal.SIGTERM, 143),
        (("check", "--online"), signal.SIGHUP, 129),
        (("check",), signal.SIGINT, 130),
        (("serve", "--config.check"), signal.SIGHUP, 129),
        (("health",), signal.SIGTERM, 143),
    ],
    ids=str,
)
def test_a_signal_during_the_start_ends_every_command_at_once_and_in_words(
    argv: tuple[str, ...], number: signal.Signals, code: int, config: str
) -> None:
    given = [] if argv[0] in {"demo", "health"} else [config]
    with starting(*argv, *given) as program:
        program.is_importing()
        program.process.send_signal(number)
        assert program.end() == code
        assert len(program.said) == 1
        assert program.said[0].startswith("ncr-exporter: ")


@pytest.mark.parametrize(
    ("argv", "code"),
    [(("--web.listen-address=127.0.0.1:0",), 0), (("once",), 143), (("check", "--online"), 143)],
    ids=str,
)
def test_the_first_process_of_a_container_is_stopped_during_its_start(
    argv: tuple[str, ...], code: int, config: str
) -> None:
    _needs(IN_A_NAMESPACE)
    with starting(*argv, config, before=IN_A_NAMESPACE) as program:
        program.is_importing()
        pid = program.process.pid
        (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        status = Path(f"/proc/{child}/status").read_text()
        assert "NSpid:\t" + child + "\t1\n" in status, "it is not PID 1, so nothing is tried here"
        os.kill(int(child), signal.SIGTERM)
        assert program.end() == code


def _needs(words: Sequence[str]) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"needs {words[0]}")
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:  # noqa: S603 -- a constant
        pytest.skip("needs leave to make namespaces")


def test_a_parent_that_blocks_signals_loses_none_and_the_program_is_stopped(config: str) -> None:
    numbers = {signal.SIGHUP, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)  # a child inherits it
    try:
        with starting(config, *SERVE) as program:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            program.process.send_signal(signal.SIGHUP)  # before the interpreter has begun
            program.read_until('msg="configuration reloaded"')
            program.process.send_signal(signal.SIGTERM)
            assert program.end() == 0
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_nohup_lets_a_command_run_to_its_end(config: str) -> None:
    with starting("once", config, before=["nohup"]) as program:
        program.is_importing()
        program.process.send_signal(signal.SIGHUP)
        assert program.end() == 1, "nobody answers at the API's address"
        assert "cannot connect" in program.said[-1]


ENDING_SLOWLY = """
import atexit, sys, time
from ncr_exporter.cli.main import run

@atexit.register
def linger():
    print("lingering", file=sys.stderr, flush=True)
    time.sleep(60)

run()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_very_end_changes_neither_exit_code_nor_log(
    number: signal.Signals, config: str
) -> None:
    words = [sys.executable, "-c", ENDING_SLOWLY, "check", config]
    with subprocess.Popen(  # noqa: S603 -- our own program with a test's words
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "lingering\n"
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""


def test_without_signals_all_of_this_is_not_noticed(config: str) -> None:
    done = run("check", config)
    assert (done.returncode, done.stderr) == (0, "")
