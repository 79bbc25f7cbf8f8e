"""Long work in steps, between which the event loop runs other tasks: generators that yield."""

import asyncio
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import structlog

Result = TypeVar("Result")

log = structlog.get_logger()


def exhaust(work: Generator[None, None, Result]) -> Result:
    """Run all steps of `work` without a pause and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result


async def run_cooperatively(work: Generator[None, None, Result]) -> Result:
    """Run `work` and return its result; between two steps the event loop runs other tasks."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        await asyncio.sleep(0)


class Steps:
    """Lets other tasks run after each `size` units of the work of one coroutine."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._done = 0

    async def done(self, amount: int = 1) -> None:
        """Record that `amount` units of work are done; other tasks run now if it was enough."""
        self._done += amount
        if self._done >= self._size:
            self._done = 0
            await asyncio.sleep(0)


class BackgroundTask:
    """Runs work in the background, one step in each iteration of the event loop."""

    def __init__(self, work: Callable[[], Iterator[None]]) -> None:
        """Set the work to run.

        Args:
            work: returns the steps; it is called for each run that `wake` starts. The steps end
                when nothing is left to do.
        """
        self._work = work
        self._steps: Iterator[None] | None = None

    def wake(self) -> None:
        """Start a run soon, unless one is under way."""
        if self._steps is None:
            self._steps = self._work()
            asyncio.get_running_loop().call_soon(self._step, self._steps)

    def _step(self, steps: Iterator[None]) -> None:
        try:
            next(steps)
        except StopIteration:
            self._steps = None
        except Exception:
            self._steps = None  # else no later call of `wake` would start a run
            log.exception("unexpected error", task="background work")
        else:
            asyncio.get_running_loop().call_soon(self._step, steps)
