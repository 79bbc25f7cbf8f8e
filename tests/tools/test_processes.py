"""Processes that tests, tools and comparisons run: awaited, looked at, and ended."""

import itertools
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ncr_exporter.httpd.messages import Request, Response, text_response
from tests.support.api_thread import serving
from tools.processes import (
    cpu_of,
    descriptors_of,
    free_port,
    peak_of,
    ready,
    resident_of,
    running,
    threads_of,
)
from tools.waiting import answers, wait_until

DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)"
"""A program that SIGTERM does not end."""
USING = """
import os, threading, time
files = [open(os.devnull) for _ in range(20)]
memory = b"x" * 50 * 2**20
for _ in range(2):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("there")
time.sleep(60)
"""
"""A program with 20 files, two threads more than one, and 50 MiB."""


async def only_ready(request: Request) -> Response:
    return text_response(200 if request.path == "/ready" else 503, "")


def test_the_first_true_answer_is_returned() -> None:
    numbers = itertools.count()
    assert wait_until(lambda: next(numbers), every=0) == 1


def test_what_does_not_come_is_an_error_that_says_what_was_seen_instead() -> None:
    with pytest.raises(TimeoutError, match=r"after 0\.01 s: a log"):
        wait_until(lambda: None, 0.01, every=0, seen=lambda: "a log")


def test_only_200_is_an_answer() -> None:
    with serving(only_ready) as url:
        assert answers(f"{url}/ready")
        assert not answers(f"{url}/other")
    assert not answers(f"{url}/ready")


def test_a_server_that_ends_at_once_is_an_error_with_its_log(tmp_path: Path) -> None:
    words = (sys.executable, "-c", "raise SystemExit('no such flag')")
    url = f"http://127.0.0.1:{free_port()}/"
    with (
        pytest.raises(RuntimeError, match="ended: no such flag"),
        ready(*words, at=url, log=tmp_path / "log"),
    ):
        pytest.fail("it is not ready")


def test_a_program_that_does_not_heed_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.processes._PATIENCE", 0.1)
    with running(sys.executable, "-uc", DEAF, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "deaf\n"
    assert process.returncode == -signal.SIGKILL


def test_what_the_system_says_of_a_process() -> None:
    with running(sys.executable, "-uc", USING, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        assert 20 + 3 <= descriptors_of(process.pid) < 30
        assert threads_of(process.pid) == 3
        assert 50 < resident_of(process.pid) <= peak_of(process.pid) < 100
        assert 0 <= cpu_of(process.pid) < 10
