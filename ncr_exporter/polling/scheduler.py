"""Runs each job once per interval, at a fixed phase.

A job has either an alarm or a run, never both. So runs of one job cannot overlap, a tick during a
run is skipped, and there is no scheduling loop that an error could end.
"""

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable, Hashable
from enum import Enum, auto
from typing import Any

import msgspec
import structlog

from ncr_exporter.polling.admission import Admission
from ncr_exporter.runtime.alarms import Alarms
from ncr_exporter.runtime.clock import Clock

RETRY_FRACTIONS = (1 / 5, 2 / 5)
"""Shares of its interval after which a job runs again that failed once, and twice in a row."""


_ROUNDING = 1e-7
"""Share of an interval by which an alarm may come before its tick."""


def phase_of(*names: str) -> float:
    """Return the phase of a job with these names within its interval, from 0 up to 1.

    It depends on the names alone. So jobs spread evenly, and stay where they are when others come
    and go.
    """
    # Names hold no NUL, so ("ab", "c") and ("a", "bc") differ.
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def next_run(now: float, start: float, interval: float, phase: float, *, failures: int) -> float:
    """Return when a job runs next after a run that ended at `now`. All times are in seconds.

    Ticks are at `start + (n + phase) * interval`; missed ones are skipped. After one failure, and
    after two in a row (`failures`), a job runs again sooner. After more it waits for its tick: an
    outage is then met with the usual load.
    """
    if 0 < failures <= len(RETRY_FRACTIONS):
        return now + interval * RETRY_FRACTIONS[failures - 1]
    ticks = math.floor((now - start) / interval - phase) + 1
    tick = start + (ticks + phase) * interval
    # Rounding puts a tick at now itself, or a hair later: the run for it has just ended.
    return tick if tick - now > interval * _ROUNDING else tick + interval


JobKey = tuple[str, ...]

_CLOCK_JUMP = 0.5
"""Seconds by which the wall clock must have been set to be noticed: drift is smaller."""

log = structlog.get_logger()


class AtOnce(Enum):
    """What a job could do when its time came, without waiting for anything."""

    SUCCEEDED = auto()
    """All there was to do."""
    POSTPONED = auto()
    """Nothing yet, and what it needs will come: it runs with `run_now`, or at its next tick."""
    IMPOSSIBLE = auto()
    """Nothing: it has to run."""


def impossible(_: object) -> AtOnce:
    """Do nothing: a job always has to run."""
    return AtOnce.IMPOSSIBLE


class Job(msgspec.Struct, frozen=True, gc=False):
    """Something that runs periodically."""

    key: JobKey
    """Identifies the job and gives its phase within the interval."""
    account: Hashable
    """What stretches its interval, for all of one account by the same factor."""
    interval: float
    """Seconds between two runs, unless they are stretched."""
    phase: float
    """Where in its interval it runs, from 0 up to 1."""
    run: Callable[[Any, float], Awaitable[bool]]
    """Runs the job of this key once and returns whether it succeeded. The second argument is when
    its time came (monotonic seconds)."""
    at_once: Callable[[Any], AtOnce] = impossible
    """Does what can be done without waiting for anything: `run` is needed where that was not all.
    It saves a task for each of the many polls that an image list answers."""
    registry: str | None = None
    """The registry in whose turn it starts where many jobs of the account wait; None: at once."""


class _Wait(msgspec.Struct, frozen=True, gc=False):
    due: float
    """When the alarm comes by the wall clock, as that was when the alarm was set."""
    offset: float
    """The wall clock minus the monotonic clock at that moment."""


class Scheduler:
    """Runs each job when it is added, and then once per interval.

    It must be created in a running event loop.
    """

    def __init__(
        self, clock: Clock, stretch: Callable[[Hashable], float], *, once: bool = False
    ) -> None:
        """With `once` no job runs a second time.

        `stretch` returns the factor by which the intervals of an account are longer now.
        """
        self._stretch = stretch
        self._on_all_tried: Callable[[], object] | None = None
        self._on_first_round: Callable[[], object] | None = None
        self._clock = clock
        self._once = once
        self._began = clock.monotonic()
        self._alarms: Alarms[JobKey] = Alarms(clock, self._start)
        self._jobs: dict[JobKey, Job] = {}
        self._waits: dict[JobKey, _Wait] = {}
        self._tasks: dict[JobKey, asyncio.Task[None]] = {}
        self._admission: Admission[JobKey] = Admission(self._start_after_waiting)
        self._untried: set[JobKey] = set()
        self._not_run: set[JobKey] = set()
        self._failures: dict[JobKey, int] = {}
        """Runs in a row that failed, of jobs whose last run failed."""

    @property
    def busy(self) -> bool:
        """Whether some job is running now, or waits for its turn."""
        return bool(self._tasks or self._admission)

    def watch_first_round(
        self, *, all_tried: Callable[[], object], ended: Callable[[], object]
    ) -> None:
        """Watch the first round of the jobs known so far.

        `all_tried` is called once, when each has run, or needed no first run; `ended` once, when
        each has run. Either is called now if that is so already.
        """
        self._on_all_tried, self._on_first_round = all_tried, ended
        self.check_first_round()

    def check_first_round(self) -> None:
        """Call what `watch_first_round` was given, if its time has come: jobs were removed."""
        if not self._untried and (tried := self._on_all_tried):
            self._on_all_tried = None
            tried()
        if not self._not_run and (ended := self._on_first_round):
            self._on_first_round = None
            ended()

    async def idle(self) -> None:
        """Wait until no job runs."""
        while self.busy:
            if self._tasks:
                await asyncio.wait(self._tasks.values())
            else:  # the next one starts in the next turn of the event loop
                await asyncio.sleep(0)

    def due(self, key: JobKey) -> float | None:
        """Return when a job runs next, in seconds since the epoch; None if it runs now."""
        wait = self._waits.get(key)
        if wait is None:
            return None
        # Timers follow the monotonic clock. If the wall clock was set since, the moment moves with
        # it; smaller differences are ignored, so that people see a steady time.
        jumped = self._clock.time() - self._clock.monotonic() - wait.offset
        return wait.due + jumped if abs(jumped) > _CLOCK_JUMP else wait.due

    def add(self, job: Job, *, tried: bool = False) -> None:
        """Add a job and run it now; with `tried` it needs no first run to count as tried."""
        self._jobs[job.key] = job
        self._not_run.add(job.key)
        if not tried:
            self._untried.add(job.key)
        self._start(job.key)

    def run_now(self, key: JobKey) -> None:
        """Run a job now, unless it is running."""
        if key in self._waits:
            self._alarms.cancel(key)
            self._start(key)

    def run_within(self, key: JobKey, seconds: float) -> None:
        """Run a job that waits within `seconds`: many come evenly, each where its phase is."""
        if self._once:
            self.run_now(key)
        elif key in self._waits:
            self._wait(key, self._jobs[key].phase * seconds)

    def change(self, key: JobKey, account: Hashable, interval: float) -> None:
        """Give a job another account and interval (s); it then runs at its next tick in that."""
        job = self._jobs[key]
        self._jobs[key] = msgspec.structs.replace(job, account=account, interval=interval)
        if key in self._waits:
            self._schedule(key, failures=0)

    def remove(self, key: JobKey) -> None:
        """End a job, even during a run; an unknown key is ignored."""
        self._jobs.pop(key, None)
        self._record_run(key)
        self._failures.pop(key, None)
        if self._waits.pop(key, None):
            self._alarms.cancel(key)
        if task := self._tasks.pop(key, None):
            task.cancel()
        self._admission.drop(key)

    async def stop(self) -> None:
        """End all jobs, even those that hang."""
        running = list(self._tasks.values())
        self._admission.clear()
        for key in list(self._jobs):
            self.remove(key)
        if running:
            await asyncio.wait(running)

    def _start(self, key: JobKey) -> None:
        """Start a job whose time has come, or let it wait for its turn."""
        self._waits.pop(key, None)
        job, now = self._jobs[key], self._clock.monotonic()
        if not self._needs_run(job):
            return
        if job.registry is None or self._admission.admits(key, job.account, job.registry, now):
            self._tasks[key] = asyncio.create_task(self._run(job, now))

    def _start_after_waiting(self, key: JobKey, since: float) -> bool:
        """Start a job whose time came at `since` (monotonic seconds); return whether it runs."""
        job = self._jobs[key]
        if not self._needs_run(job):
            return False
        self._tasks[key] = asyncio.create_task(self._run(job, since))
        return True

    def _needs_run(self, job: Job) -> bool:
        """Do what a job can do at once; return whether it has to run nevertheless."""
        match self._at_once(job):
            case AtOnce.SUCCEEDED:
                self._end_run(job, succeeded=True)
            case AtOnce.POSTPONED:
                self._schedule(job.key, failures=0)
            case AtOnce.IMPOSSIBLE:
                return True
        return False

    def _at_once(self, job: Job) -> AtOnce:
        try:
            return job.at_once(job.key)
        except Exception:
            log.exception("unexpected error", job=" ".join(job.key))
            return AtOnce.IMPOSSIBLE

    async def _run(self, job: Job, since: float) -> None:
        try:
            succeeded = await job.run(job.key, since)
        except Exception:
            if job.key not in self._failures:  # else it fills the log with one traceback a run
                log.exception("unexpected error", job=" ".join(job.key))
            succeeded = False
        if self._tasks.get(job.key) is not asyncio.current_task():
            return  # removed during its run, perhaps by the run itself
        del self._tasks[job.key]
        self._admission.drop(job.key)
        self._end_run(job, succeeded=succeeded)

    def _end_run(self, job: Job, *, succeeded: bool) -> None:
        """Record the end of a run, and schedule the next one."""
        self._record_run(job.key)
        if not self._once:
            self._schedule(job.key, failures=self._count_failure(job.key, succeeded=succeeded))
        self.check_first_round()

    def _record_run(self, key: JobKey) -> None:
        """Record that no first run of a job is awaited any more."""
        self._untried.discard(key)
        self._not_run.discard(key)

    def _count_failure(self, key: JobKey, *, succeeded: bool) -> int:
        """Count a run of a job; return how many of its runs have failed in a row."""
        before = self._failures.pop(key, 0)
        if succeeded:
            return 0
        self._failures[key] = before + 1
        return before + 1

    def _schedule(self, key: JobKey, *, failures: int) -> None:
        now, job = self._clock.monotonic(), self._jobs[key]
        interval = job.interval * self._stretch(job.account)
        self._wait(key, next_run(now, self._began, interval, job.phase, failures=failures) - now)

    def _wait(self, key: JobKey, delay: float) -> None:
        """Run a job after `delay` seconds."""
        now, wall = self._clock.monotonic(), self._clock.time()
        self._alarms.set(key, now + delay)
        self._waits[key] = _Wait(wall + delay, wall - now)
