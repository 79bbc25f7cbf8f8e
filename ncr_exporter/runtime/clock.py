"""The clock that code which waits or reads the time is given, so that tests can move it."""

import asyncio
import contextvars
import time
from collections.abc import Callable
from typing import Protocol, TypeVarTuple

Arguments = TypeVarTuple("Arguments")

_CONTEXT = contextvars.Context()
"""One for all timers. By default each gets a copy of its own, for the garbage collector to visit:
a large account has two timers for each of a hundred thousand images."""


class Timer(Protocol):
    """What `Clock.call_later` returns."""

    def cancel(self) -> None:
        """Prevent the call, if it has not happened yet."""
        ...


class Clock(Protocol):
    """Wall time for dates that people read; monotonic time for durations and waits."""

    def time(self) -> float:
        """Return the wall time in seconds since the epoch; it may jump either way."""
        ...

    def monotonic(self) -> float:
        """Return seconds since a fixed moment; setting the wall clock does not change them."""
        ...

    def call_later(
        self, delay: float, callback: Callable[[*Arguments], object], *arguments: *Arguments
    ) -> Timer:
        """Call `callback` with `arguments` after `delay` seconds, on the running event loop."""
        ...

    async def sleep(self, delay: float) -> None:
        """Wait `delay` seconds."""
        ...


class SystemClock:
    """The clock of the operating system and of the running event loop."""

    def time(self) -> float:
        """Return the wall time in seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since a fixed moment."""
        return time.monotonic()

    def call_later(
        self, delay: float, callback: Callable[[*Arguments], object], *arguments: *Arguments
    ) -> Timer:
        """Call `callback` with `arguments` after `delay` seconds, on the running event loop."""
        loop = asyncio.get_running_loop()
        return loop.call_later(delay, callback, *arguments, context=_CONTEXT)

    async def sleep(self, delay: float) -> None:
        """Wait `delay` seconds."""
        await asyncio.sleep(delay)
