"""Log lines through a queue: in order, never waited for, and what was lost is counted and said."""

import fcntl
import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ncr_exporter.runtime.log_queue import LogQueue, logs_in_background
from ncr_exporter.runtime.logs import configure_logs
from tests.support.in_process import logs_kept
from tools.waiting import wait_until

LINE = b"x" * 999 + b"\n"


class Pipe:
    """A small pipe, read when a test wants to."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, 4096)

    def close(self) -> None:
        for end in {self.reader, self.writer}:
            os.close(end)

    def lines(self, last: bytes) -> list[bytes]:
        """Read until a line that ends so."""
        said = b""
        while not said.endswith(last + b"\n"):
            said += os.read(self.reader, 1 << 16)
        return said.splitlines()

    def what_is_there(self) -> bytes:
        """Read without waiting."""
        os.set_blocking(self.reader, False)
        try:
            return os.read(self.reader, 1 << 16)
        except BlockingIOError:
            return b""


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    it = Pipe()
    yield it
    it.close()


def queue_to(pipe: Pipe) -> LogQueue:
    return LogQueue(pipe.writer, lambda count: b"%d dropped\n" % count)


def test_lines_come_in_order_whoever_reads_slowly(pipe: Pipe) -> None:
    queue = queue_to(pipe)
    for number in range(500):
        queue.put(b"%d\n" % number)
    time.sleep(0.1)
    queue.put(b"end\n")
    assert pipe.lines(b"end") == [*(b"%d" % number for number in range(500)), b"end"]
    assert queue.flush()
    assert queue.dropped == 0


def test_a_stalled_reader_delays_nobody_and_learns_how_many_lines_it_missed(pipe: Pipe) -> None:
    queue = queue_to(pipe)
    started = time.monotonic()
    for _ in range(3000):
        queue.put(LINE)
    assert time.monotonic() - started < 2.0
    assert not queue.flush(0.1)
    dropped = queue.dropped
    assert 1900 < dropped < 2000, "a mebibyte waits"
    told = b"%d dropped" % dropped
    lines = pipe.lines(told)
    assert len(lines) == 3000 - dropped + 1
    queue.put(b"after\n")
    assert pipe.lines(b"after") == [b"after"]


def test_what_was_dropped_is_told_of_before_the_lines_that_follow(pipe: Pipe) -> None:
    queue = queue_to(pipe)
    for _ in range(1100):
        queue.put(LINE)
    dropped = queue.dropped
    while queue._bytes > 600_000:
        os.read(pipe.reader, 4096)
    queue.put(b"still too early\n")
    assert queue.dropped == dropped + 1
    while queue._bytes > 400_000:
        os.read(pipe.reader, 4096)
    queue.put(b"later\n")
    assert pipe.lines(b"later")[-2:] == [b"%d dropped" % (dropped + 1), b"later"]


def test_a_pipe_that_somebody_made_non_blocking_loses_nothing(pipe: Pipe) -> None:
    os.set_blocking(pipe.writer, False)
    queue = queue_to(pipe)
    for _ in range(100):
        queue.put(LINE)
    queue.put(b"end\n")
    time.sleep(0.1)
    assert len(pipe.lines(b"end")) == 101


def test_where_nobody_can_read_lines_are_counted_and_nothing_is_tried_for_ever() -> None:
    pipe = Pipe()
    os.close(pipe.reader)
    queue = queue_to(pipe)
    for number in range(3):
        queue.put(b"lost\n")
        assert queue.flush()
        assert queue.dropped >= number + 1
    cpu = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - cpu < 0.1
    os.close(pipe.writer)


@contextmanager
def stderr_to(pipe: Pipe) -> Iterator[None]:
    """Log to a pipe until the end of the block."""
    with logs_kept(), os.fdopen(os.dup(pipe.writer), "w") as stream:
        configure_logs("info", "logfmt")
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.getLogger().handlers[0].formatter)
        logging.getLogger().handlers = [handler]
        yield


def fails() -> None:
    raise ValueError("why")


def test_a_traceback_is_one_line_and_what_waits_is_written_at_the_end(pipe: Pipe) -> None:
    log = logging.getLogger("test")
    with stderr_to(pipe), logs_in_background() as dropped:
        log.info("first")
        try:
            fails()
        except ValueError:
            log.exception("second")
        assert dropped() == 0
    text = os.read(pipe.reader, 1 << 16).decode()
    first, second = text.splitlines()
    assert "msg=first" in first
    assert "in fails" in second
    assert "ValueError: why" in second


def test_the_end_waits_a_second_for_who_reads_and_no_longer(pipe: Pipe) -> None:
    log = logging.getLogger("test")
    before, started = set(threading.enumerate()), time.monotonic()
    with stderr_to(pipe), logs_in_background() as dropped:
        (writer,) = set(threading.enumerate()) - before
        for _ in range(100):
            log.info("x" * 200)
    assert 0.9 < time.monotonic() - started < 3.0
    taken = pipe.what_is_there()
    writer.join(10)  # it was in the midst of a line
    assert not writer.is_alive()
    taken += pipe.what_is_there()
    assert taken.count(b"\n") > 5
    lost = 100 - taken.count(b"\n")
    assert lost == dropped(), "what came later could go to another file with that number"


def test_what_was_dropped_is_said_in_the_form_of_the_log(pipe: Pipe) -> None:
    log = logging.getLogger("test")
    with stderr_to(pipe), logs_in_background() as dropped:
        for _ in range(20):
            log.info("x" * 100_000)
        count = dropped()
        assert count > 5
        text, told = b"", 0
        while told < count:  # at once, or as room comes free
            text += os.read(pipe.reader, 1 << 16)
            told = sum(map(int, re.findall(rb'msg="(\d+) log lines were dropped: whatever', text)))
        assert told == count == dropped()
        line = next(line for line in text.splitlines() if b" log lines were dropped" in line)
    assert line.startswith(b"ts=")
    assert b" level=warn " in line


def test_where_stderr_is_no_descriptor_logs_are_written_as_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    threads = set(threading.enumerate())
    with logs_kept():
        configure_logs("info", "logfmt")
        with logs_in_background() as dropped:
            logging.getLogger("test").info("as before")
            assert set(threading.enumerate()) <= threads
            assert dropped() == 0
    wait_until(lambda: "as before" in capsys.readouterr().err)
