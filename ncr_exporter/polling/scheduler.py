"""Runs jobs at their own moments. A job has one timer or one run, never both.

So runs of one job cannot overlap, a tick that passes during a run is skipped, and there is no loop
that an error could end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from ncr_exporter.clock import Clock, Timer
from ncr_exporter.polling.schedule import next_poll, phase_of

JobKey = tuple[str, ...]

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


class Scheduler:
    """Starts each job at once when added, then at its moment; must be made in an event loop.

    With `once` no job is run a second time.
    """

    def __init__(self, clock: Clock, *, once: bool = False) -> None:
        self._clock = clock
        self._once = once
        self._began = clock.monotonic()
        self._timers: dict[JobKey, Timer] = {}
        self._tasks: dict[JobKey, asyncio.Task[None]] = {}
        self._untried: set[JobKey] = set()

    @property
    def all_tried(self) -> bool:
        """Whether every job was run at least once."""
        return not self._untried

    @property
    def busy(self) -> bool:
        """Whether some job is running now."""
        return bool(self._tasks)

    async def idle(self) -> None:
        """Wait until no job runs."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    def add(self, job: Job) -> None:
        """Begin with a job, now."""
        self._untried.add(job.key)
        self._begin(job)

    def remove(self, key: JobKey) -> None:
        """End a job, in the middle of a run too."""
        self._untried.discard(key)
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if task := self._tasks.pop(key, None):
            task.cancel()

    async def stop(self) -> None:
        """End every job, hung ones too."""
        running = list(self._tasks.values())
        for key in (*self._timers, *self._tasks):
            self.remove(key)
        if running:
            await asyncio.wait(running)

    def _begin(self, job: Job) -> None:
        self._timers.pop(job.key, None)
        self._tasks[job.key] = asyncio.create_task(self._run(job))

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
            self._schedule(job, failed=not succeeded)

    def _schedule(self, job: Job, *, failed: bool) -> None:
        now, phase = self._clock.monotonic(), phase_of(*job.key)
        due = next_poll(now, self._began, job.interval(), phase, failed=failed)
        self._timers[job.key] = self._clock.call_later(due - now, partial(self._begin, job))
