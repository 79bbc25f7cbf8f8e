"""How long the event loop is held, in CPU time of its thread: other processes do not add to it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass
class Turns:
    """The iterations of the event loop so far."""

    longest: float = 0.0
    """CPU seconds of the longest one."""


@asynccontextmanager
async def turns() -> AsyncIterator[Turns]:
    """Measure each iteration of the event loop in the block."""
    measured = Turns()

    async def measure() -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            measured.longest = max(measured.longest, now - before)
            before = now

    task = asyncio.create_task(measure())
    try:
        await asyncio.sleep(0)
        yield measured
    finally:
        task.cancel()
