"""Work in steps, so that none holds the event loop for long: others have their turn in between."""

import asyncio
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

Result = TypeVar("Result")


def exhaust(work: Generator[None, None, Result]) -> Result:
    """Do all steps of some work at once and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result


async def run_cooperatively(work: Generator[None, None, Result]) -> Result:
    """Do work that pauses now and then, others having their turn meanwhile."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        await asyncio.sleep(0)


class BackgroundTask:
    """Does work in steps of its own accord, one in each turn of the event loop."""

    def __init__(self, work: Callable[[], Iterator[None]]) -> None:
        """`work` ends when nothing is left to do; after that it is begun anew at each `wake`."""
        self._work = work
        self._steps: Iterator[None] | None = None

    def wake(self) -> None:
        """See to it that the work is done soon."""
        if self._steps is None:
            self._steps = self._work()
            asyncio.get_running_loop().call_soon(self._step, self._steps)

    def _step(self, steps: Iterator[None]) -> None:
        try:
            next(steps)
        except StopIteration:
            self._steps = None
        else:
            asyncio.get_running_loop().call_soon(self._step, steps)
