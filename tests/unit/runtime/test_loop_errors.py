"""What asyncio reports of itself: lines of our log, each kind once a minute."""

import asyncio
import errno
from collections.abc import Iterator

import pytest
from structlog.typing import EventDict

from ncr_exporter.runtime.loop_errors import LoopErrors
from tests.support.clock import settle


@pytest.fixture
async def errors() -> Iterator[LoopErrors]:  # type: ignore[misc] # anyio makes it async
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    it = LoopErrors()
    it.install()
    yield it
    loop.set_exception_handler(before)


async def test_a_callback_that_fails_is_one_line_with_its_traceback(
    errors: LoopErrors, logs: list[EventDict]
) -> None:
    assert errors is not None
    for _ in range(100):
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
    await settle()
    (line,) = logs
    assert line["log_level"] == "error"
    assert line["what"].startswith("Exception in callback")
    assert isinstance(line["exc_info"], ZeroDivisionError)


async def test_out_of_descriptors_is_one_line_with_a_remedy_and_makes_room_each_time(
    errors: LoopErrors, logs: list[EventDict]
) -> None:
    made = []
    errors.make_room = lambda: made.append(1)
    failure = {
        "message": "socket.accept() out of system resource",
        "exception": OSError(errno.EMFILE, "Too many open files"),
    }
    for _ in range(500):
        asyncio.get_running_loop().call_exception_handler(failure)
    (line,) = logs
    assert line["error"] == "[Errno 24] Too many open files"
    assert "LimitNOFILE" in line["remedy"]
    assert "exc_info" not in line
    assert len(made) == 500
