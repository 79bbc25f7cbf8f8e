"""What tests of several modules share: a clock that is moved by hand, and waiting for a fact."""

import asyncio
import heapq
import inspect
import itertools
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ncr_exporter.httpd.access import AllowAll, Tls
from ncr_exporter.runtime.clock import Arguments, Clock

EPOCH = 1_760_000_000.0
"""Where moved clocks start: 2025-10-09 08:53:20 UTC."""
ROUNDS = 50
"""Of the event loop: the longest chain of tasks that wake each other is shorter."""


@dataclass(order=True)
class ManualTimer:
    """A callback that waits for the clock to be moved."""

    due: float
    order: int
    callback: Callable[[], object] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Do not call."""
        self.cancelled = True


class ManualClock(Clock):
    """Wall and monotonic time that stand still until `advance`."""

    def __init__(self, now: float = EPOCH, *, rounds: int = ROUNDS) -> None:
        """`rounds` of the event loop go by with each timer; fewer will do where it does no I/O."""
        self._rounds = rounds
        self._wall = now
        self._monotonic = 1000.0
        self._timers: list[ManualTimer] = []
        self._order = itertools.count()

    def time(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    def set_wall(self, now: float) -> None:
        """Set the wall clock as an administrator does; monotonic time does not move."""
        self._wall = now

    def call_later(
        self, delay: float, callback: Callable[[*Arguments], object], *arguments: *Arguments
    ) -> ManualTimer:
        call = partial(callback, *arguments)
        timer = ManualTimer(self._monotonic + delay, next(self._order), call)
        heapq.heappush(self._timers, timer)
        return timer

    async def sleep(self, delay: float) -> None:
        if delay <= 0:
            return await asyncio.sleep(0)
        woken = asyncio.get_running_loop().create_future()
        timer = self.call_later(delay, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()
        return None

    async def oversleep(self, seconds: float) -> None:
        """Move both clocks while nothing runs, as of a frozen process; then call what fell due."""
        self._move(self._monotonic + seconds)
        await self.advance(0)

    @property
    def pending(self) -> list[float]:
        """Seconds until each timer that waits, soonest first."""
        return sorted(t.due - self._monotonic for t in self._timers if not t.cancelled)

    async def advance(self, seconds: float) -> None:
        """Move both clocks, calling what falls due in order and letting it run in between."""
        await settle(self._rounds)
        end = self._monotonic + seconds
        while self._timers and self._timers[0].due <= end:
            timer = heapq.heappop(self._timers)
            if timer.cancelled:
                continue
            self._move(timer.due)
            timer.callback()
            await settle(self._rounds)
        self._move(end)
        await settle(self._rounds)

    def _move(self, to: float) -> None:
        """Move both clocks on; a timer that is late is called, and moves nothing back."""
        to = max(to, self._monotonic)
        self._wall += to - self._monotonic
        self._monotonic = to


def tls_access(context: ssl.SSLContext | None) -> AllowAll:
    """Return a policy that allows every request, over TLS if there is a context."""
    return AllowAll(None if context is None else Tls(context))


async def settle(rounds: int = ROUNDS) -> None:
    """Let every callback and task that can run without I/O run."""
    for _ in range(rounds):
        await asyncio.sleep(0)


async def eventually(
    fact: Callable[[], object], *, within: float = 30.0, every: float = 0.005
) -> Any:
    """Wait for a fact that depends on real sockets, and return it; fail when it stays false.

    `fact` may be a coroutine function: one that asks a server.
    """
    async with asyncio.timeout(within):
        while not (found := await _known(fact())):
            await asyncio.sleep(every)
    return found


async def passing(
    clock: ManualClock, fact: Callable[[], object], *, within: float = 30.0, step: float = 0.001
) -> Any:
    """Let sockets work and the clock move by `step` seconds a look until a fact comes true."""

    async def looked() -> object:
        if found := await _known(fact()):
            return found
        await clock.advance(step)
        return None

    return await eventually(looked, within=within, every=0.001)


async def _known(fact: object) -> object:
    return await fact if inspect.isawaitable(fact) else fact
