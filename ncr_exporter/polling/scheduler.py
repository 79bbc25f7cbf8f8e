"""Runs jobs at their own moments. A job has one timer or one run, never both.

So runs of one job cannot overlap, a tick that passes during a run is skipped, and there is no loop
that an error could end.
"""

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import structlog

from ncr_exporter.runtime.clock import Clock, Timer

FAILED_AGAIN_AFTER = 1 / 5
"""Of its interval: when an image whose poll failed is asked again."""


def phase_of(*names: str) -> float:
    """Return the place within its interval of what has these names, from 0 up to 1.

    Derived from the names alone, so that polls spread evenly and each stays where it is, whatever
    comes and goes beside it; a NUL parts the names, which no name holds.
    """
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def next_poll(now: float, start: float, interval: float, phase: float, *, failed: bool) -> float:
    """Return when to poll next after a poll that ended at `now`; ticks missed are skipped.

    `start` is when the schedule began; ticks are at `start + (n + phase) * interval`.
    """
    if failed:
        return now + interval * FAILED_AGAIN_AFTER
    ticks = math.floor((now - start) / interval - phase) + 1
    tick = start + (ticks + phase) * interval
    return tick if tick > now else tick + interval  # rounding may put a tick at now itself


JobKey = tuple[str, ...]

_JUMP = 0.5
"""Seconds; the two clocks drift by less within an interval."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """Something done again and again."""

    key: JobKey
    """Tells it from others; its moment within the interval follows from it."""
    interval: Callable[[], float]
    """Seconds between two runs; may change from run to run."""
    run: Callable[[], Awaitable[bool]]
    """Does it once, and tells whether it succeeded."""


class _Wait(NamedTuple):
    due: float
    """By the wall clock when that was settled."""
    offset: float
    """What that clock was then before the monotonic one."""
    timer: Timer


class Scheduler:
    """Starts each job at once when added, then at its moment; must be made in an event loop.

    With `once` no job is run a second time.
    """

    def __init__(self, clock: Clock, *, once: bool = False) -> None:
        self.first_round_ended: Callable[[], object] | None = None
        """Called once, when every job known so far was run for the first time."""
        self._clock = clock
        self._once = once
        self._began = clock.monotonic()
        self._jobs: dict[JobKey, Job] = {}
        self._waits: dict[JobKey, _Wait] = {}
        self._tasks: dict[JobKey, asyncio.Task[None]] = {}
        self._untried: set[JobKey] = set()

    @property
    def all_tried(self) -> bool:
        """Whether every job was run at least once, or needed no first run."""
        return not self._untried

    @property
    def busy(self) -> bool:
        """Whether some job is running now."""
        return bool(self._tasks)

    async def idle(self) -> None:
        """Wait until no job runs."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    def due(self, key: JobKey) -> float | None:
        """Return when a job runs next, in seconds since the epoch; None where it runs now.

        What people are shown stands still, unless the wall clock jumped since that was settled.
        """
        wait = self._waits.get(key)
        if wait is None:
            return None
        jumped = self._clock.time() - self._clock.monotonic() - wait.offset
        return wait.due + jumped if abs(jumped) > _JUMP else wait.due

    def add(self, job: Job, *, tried: bool = False) -> None:
        """Begin with a job, now; `tried` where what it is to find is known from before."""
        self._jobs[job.key] = job
        if not tried:
            self._untried.add(job.key)
        self._begin(job.key)

    def hurry(self, key: JobKey) -> None:
        """Run a job now, unless it is running."""
        if wait := self._waits.get(key):
            wait.timer.cancel()
            self._begin(key)

    def change(self, key: JobKey, interval: Callable[[], float]) -> None:
        """Give a job another interval; one that waits is due at its moment within that."""
        self._jobs[key] = replace(self._jobs[key], interval=interval)
        if wait := self._waits.get(key):
            wait.timer.cancel()
            self._schedule(key, failed=False)

    def remove(self, key: JobKey) -> None:
        """End a job, in the middle of a run too."""
        self._jobs.pop(key, None)
        self._untried.discard(key)
        if wait := self._waits.pop(key, None):
            wait.timer.cancel()
        if task := self._tasks.pop(key, None):
            task.cancel()

    async def stop(self) -> None:
        """End every job, hung ones too."""
        running = list(self._tasks.values())
        for key in list(self._jobs):
            self.remove(key)
        if running:
            await asyncio.wait(running)

    def _begin(self, key: JobKey) -> None:
        self._waits.pop(key, None)
        self._tasks[key] = asyncio.create_task(self._run(self._jobs[key]))

    async def _run(self, job: Job) -> None:
        try:
            succeeded = await job.run()
        except Exception:
            log.exception("unexpected error", job=" ".join(job.key))
            succeeded = False
        if self._tasks.get(job.key) is not asyncio.current_task():
            return  # removed by its own run, or by what it set off
        del self._tasks[job.key]
        self._untried.discard(job.key)
        if not self._once:
            self._schedule(job.key, failed=not succeeded)
        if self.all_tried and (ended := self.first_round_ended):
            self.first_round_ended = None
            ended()

    def _schedule(self, key: JobKey, *, failed: bool) -> None:
        now, phase = self._clock.monotonic(), phase_of(*key)
        interval = self._jobs[key].interval()
        delay = next_poll(now, self._began, interval, phase, failed=failed) - now
        timer, wall = self._clock.call_later(delay, partial(self._begin, key)), self._clock.time()
        self._waits[key] = _Wait(wall + delay, wall - now, timer)
