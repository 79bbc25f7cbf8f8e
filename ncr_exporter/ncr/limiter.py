"""Limits of one account: order and rate of requests, requests in flight, and pauses after 429s."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ncr_exporter.ncr.errors import ThrottledError
from ncr_exporter.ncr.fair_queue import FairQueue, Priority
from ncr_exporter.runtime.clock import Clock, Timer
from ncr_exporter.texts import failures

_CATCH_UP = 0.1  # seconds: evens out a late timer without letting requests come in bursts
_SLOWEST = 1 / 64  # of the configured rate: others may use up the quota for good
_STEP = 1 / 32  # of the configured rate: what each success gives back after a 429
_FIRST_WAIT = 30.0  # seconds, after a 429 without Retry-After; doubled for each further one
_SILENT_AFTER = 3  # probes without a response
LONGEST_WAIT = 900.0
"""Seconds: the longest `Retry-After` that is honoured. A faulty one may be years."""


class RateLimiter:
    """Spaces requests evenly; halves the rate on a 429 and raises it again step by step.

    Rates are in requests per second; times are monotonic seconds.
    """

    def __init__(self, rate: float) -> None:
        self.configured = rate
        self.rate = rate
        self._next = float("-inf")

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may be sent; 0 or less means now."""
        return self._next - now

    def spend(self, now: float) -> None:
        """Record a request that is sent now."""
        self._next = max(self._next, now - _CATCH_UP) + 1 / self.rate

    def slow_down(self) -> None:
        """Halve the rate, down to 1/64 of the configured one."""
        self.rate = max(self.rate / 2, self.configured * _SLOWEST)

    def speed_up(self) -> None:
        """Raise the rate by 1/32 of the configured one, up to that one."""
        self.rate = min(self.rate + self.configured * _STEP, self.configured)


@dataclass
class CircuitBreaker:
    """Stops requests after a 429; when the wait is over, one probe decides whether it resets.

    Times are monotonic seconds.
    """

    _until: float | None = None
    """When the next request may be sent; None while the breaker is not tripped."""
    _probing: bool = False
    _streak: int = 0
    """429s since the last other response; those of requests in flight together count once."""
    _unanswered: int = 0
    """Probes without a response since the breaker was tripped last."""
    _tripped_since: float = 0.0
    _tripped_before: float = 0.0
    """Seconds that the breaker was tripped in all, without the current time."""

    def remaining(self, now: float) -> float:
        """Return the seconds until a request may be sent, a probe perhaps; 0 means now."""
        return 0.0 if self._until is None else max(0.0, self._until - now)

    @property
    def is_tripped(self) -> bool:
        """Whether all requests but a probe have to wait."""
        return self._until is not None

    @property
    def probing(self) -> bool:
        """Whether a probe is in flight."""
        return self._probing

    def trip(self, now: float, retry_after: float | None) -> None:
        """Stop requests after a 429.

        Args:
            now: monotonic seconds.
            retry_after: seconds to wait, 1 to 900; None if the response did not say.
        """
        if not self.is_tripped:
            self._tripped_since = now
        if not self.is_tripped or self.probing:  # once for all requests in flight
            self._streak += 1
        wait = _FIRST_WAIT * 2 ** min(self._streak - 1, 10) if retry_after is None else retry_after
        until = now + min(max(wait, 1.0), LONGEST_WAIT)
        self._until = until if self._until is None else max(self._until, until)
        self._probing, self._unanswered = False, 0

    def probe(self) -> None:
        """Record that a probe is sent."""
        self._probing = True

    def abandon_probe(self) -> None:
        """Record that the probe got no response, or was cancelled; the next request is a probe."""
        self._probing = False
        self._unanswered += 1

    @property
    def is_silent(self) -> bool:
        """Whether three probes in a row got no response, so that waiting is of no use."""
        return self._unanswered >= _SILENT_AFTER

    def reset(self, now: float) -> None:
        """Let all requests pass again, after a response that is not a 429."""
        if self._until is not None:
            self._tripped_before += now - self._tripped_since
        self._until, self._probing, self._streak, self._unanswered = None, False, 0, 0

    def tripped_seconds(self, now: float) -> float:
        """Return for how many seconds in all the breaker was tripped."""
        running = 0.0 if self._until is None else now - self._tripped_since
        return self._tripped_before + running


class Limiter:
    """Limits the requests of one account in one zone: a rate, and slots for those in flight.

    A request that waits holds no slot. While the breaker is tripped, requests fail at once as
    throttled: a gateway may ask for minutes, and no poll should hang that long. Commands that run
    once have nothing else to do; for them `max_throttled_wait` lets requests wait instead.
    """

    def __init__(
        self,
        rate: float,
        slots: int,
        clock: Clock,
        *,
        breaker: CircuitBreaker | None = None,
        max_throttled_wait: float = 0.0,
    ) -> None:
        """Start with all slots free.

        Args:
            rate: requests per second.
            slots: requests in flight at a time.
            clock: the clock to wait by.
            breaker: the breaker of the limiter that this one replaces; None for a new one.
            max_throttled_wait: seconds that requests wait rather than fail while the breaker is
                tripped, summed over all times that it trips.
        """
        self.rate = RateLimiter(rate)
        self.breaker = breaker or CircuitBreaker()
        self._free = slots
        self._max_throttled_wait = max_throttled_wait
        self._clock = clock
        self._waiting: FairQueue[asyncio.Future[bool]] = FairQueue()
        """The result of a future is whether its request is a probe."""
        self._timer: Timer | None = None

    @asynccontextmanager
    async def slot(self, registry: str, priority: Priority) -> AsyncIterator[None]:
        """Wait for a slot in the order of the fair queue, and hold it during the block.

        Raises:
            ThrottledError: the breaker is tripped, or was tripped while this request waited.
        """
        self._refuse_while_tripped()
        future = asyncio.get_running_loop().create_future()
        self._waiting.put(future, registry, priority)
        self._grant_slots()
        try:
            is_probe = await future
        except asyncio.CancelledError:
            # The slot may have been granted in the same iteration of the event loop as the task
            # was cancelled. Nobody else knows of it then, so it is released here.
            if future.done() and not future.cancelled() and future.exception() is None:
                self._release(is_probe=future.result())
            raise
        try:
            yield
        finally:
            self._release(is_probe=is_probe)

    @property
    def waits_when_throttled(self) -> bool:
        """Whether requests wait rather than fail while the breaker is tripped."""
        now = self._clock.monotonic()
        wait = self.breaker.tripped_seconds(now) + self.breaker.remaining(now)
        return wait <= self._max_throttled_wait

    def record_response(self) -> None:
        """Record a response that is not a 429: speed up, or reset the breaker after a probe."""
        if not self.breaker.is_tripped:
            self.rate.speed_up()
        elif self.breaker.probing:
            self.breaker.reset(self._clock.monotonic())

    def record_throttling(self, retry_after: float | None) -> None:
        """Record a 429: trip the breaker, halve the rate, and fail requests that may not wait.

        Args:
            retry_after: seconds from the response's `Retry-After`, or None.
        """
        if not self.breaker.is_tripped or self.breaker.probing:  # once for all requests in flight
            self.rate.slow_down()
        self.breaker.trip(self._clock.monotonic(), retry_after)
        if not self.waits_when_throttled:
            self._refuse_all()

    def _refuse_all(self) -> None:
        while self._waiting:
            future = self._waiting.pop()
            if not future.done():
                future.set_exception(self._throttled_error())

    def _release(self, *, is_probe: bool) -> None:
        """Release a slot; if it was that of a probe without a response, the next request probes.

        After a few such probes all waiting requests fail. Each would be the next probe, and wait
        until all probes before it have timed out.
        """
        self._free += 1
        if is_probe and self.breaker.probing:
            self.breaker.abandon_probe()
            if self.breaker.is_silent:
                self._refuse_all()
        self._grant_slots()

    def _grant_slots(self) -> None:
        """Grant slots to waiting requests as far as slots, rate and breaker allow now.

        If only time is missing, a timer calls this again.
        """
        now = self._clock.monotonic()
        while self._waiting and self._free and not self.breaker.probing:
            if (wait := max(self.rate.wait(now), self.breaker.remaining(now))) > 0:
                self._call_later(wait)
                return
            future = self._waiting.pop()
            if future.done():
                continue
            is_probe = self.breaker.is_tripped
            if is_probe:
                self.breaker.probe()
            self._free -= 1
            self.rate.spend(now)
            future.set_result(is_probe)

    def _call_later(self, delay: float) -> None:
        if self._timer is None:
            self._timer = self._clock.call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._grant_slots()

    def _refuse_while_tripped(self) -> None:
        if self.breaker.remaining(self._clock.monotonic()) > 0 and not self.waits_when_throttled:
            raise self._throttled_error()

    def _throttled_error(self) -> ThrottledError:
        remaining = self.breaker.remaining(self._clock.monotonic())
        if remaining <= 0:
            return ThrottledError(failures.STILL_WAITING())
        return ThrottledError(failures.ASKING_AGAIN(seconds=remaining))
