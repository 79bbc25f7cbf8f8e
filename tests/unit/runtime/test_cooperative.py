"""Work in the background: one step in each iteration of the event loop, and no end by an error."""

from collections.abc import Iterator

from structlog.typing import EventDict

from ncr_exporter.runtime.cooperative import BackgroundTask
from tests.support.clock import eventually


async def test_work_that_fails_is_logged_and_begins_again_when_it_is_woken(
    logs: list[EventDict],
) -> None:
    done: list[str] = []

    def work() -> Iterator[None]:
        done.append("first step")
        yield
        if len(done) == 1:
            raise ZeroDivisionError
        done.append("last step")

    task = BackgroundTask(work)
    task.wake()
    await eventually(lambda: logs)
    assert [(entry["log_level"], entry["event"]) for entry in logs] == [
        ("error", "unexpected error")
    ]
    task.wake()
    await eventually(lambda: done == ["first step", "first step", "last step"])
