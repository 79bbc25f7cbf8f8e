"""Calls that may hang: given up after a while, with few threads left behind, and healed."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncr_exporter.runtime import timely
from ncr_exporter.runtime.timely import read_timely
from tests.support.clock import eventually

SENTENCE = "nothing came within 0.1 s; is it a pipe, or its file server down?"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timely, "FILE_DEADLINE", 0.1)


class DeadDisk:
    """A file on a server that is down: whoever reads it hangs until it is up again."""

    def __init__(self) -> None:
        self.up = threading.Event()
        self.hung = 0

    def read(self) -> bytes:
        self.hung += 1
        self.up.wait(30)
        self.hung -= 1
        return b"content"


@pytest.fixture
def disk() -> Iterator[DeadDisk]:
    it = DeadDisk()
    yield it
    it.up.set()


def test_a_file_is_read_and_what_is_wrong_with_it_is_raised(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)
    assert read_timely(path) == b"x" * 1_000_000
    with pytest.raises(FileNotFoundError):
        read_timely(tmp_path / "gone")
    with pytest.raises(IsADirectoryError):
        read_timely(tmp_path)
    with pytest.raises(ValueError, match="null byte"):
        read_timely(Path("a\0b"))


def test_a_pipe_that_somebody_writes_to_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"hello",))
    writer.start()
    assert read_timely(path) == b"hello"
    writer.join()


@pytest.mark.parametrize("opened", [False, True], ids=["nobody opens it", "nobody writes"])
def test_a_pipe_that_nobody_writes_to_is_given_up_and_holds_no_thread(
    tmp_path: Path,
    opened: bool,  # noqa: FBT001 -- a parametrised case
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR) if opened else None
    before = set(threading.enumerate())
    for _ in range(2):
        with pytest.raises(TimeoutError) as caught:
            read_timely(path)
        assert caught.value.strerror == SENTENCE
    assert set(threading.enumerate()) <= before
    if descriptor is not None:
        os.close(descriptor)


async def test_of_calls_that_hang_few_threads_are_left_behind(disk: DeadDisk) -> None:
    path = Path("/dead/file")
    started = time.monotonic()
    for _ in range(40):
        with pytest.raises(TimeoutError, match="nothing came"):
            await timely.timely_async(path, disk.read)
        with pytest.raises(TimeoutError, match="nothing came"):
            await asyncio.to_thread(timely.timely, path, disk.read)
        await asyncio.sleep(0.01)
    assert 1 <= disk.hung <= 5, "pauses between tries double"
    assert time.monotonic() - started < 5.0
    assert await timely.timely_async(Path("/alive/file"), lambda: 1) == 1
    disk.up.set()
    await eventually(lambda: disk.hung == 0)
    assert await timely.timely_async(path, disk.read) == b"content"
