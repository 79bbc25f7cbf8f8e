"""One account's limits: whose request goes next, rate, requests in flight, 429s."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ncr_exporter.ncr.errors import ThrottledError
from ncr_exporter.ncr.fair_queue import FairQueue, Priority
from ncr_exporter.runtime.clock import Clock, Timer

_CATCH_UP = 0.1  # seconds: evens out a late timer without letting requests come in bursts
_SLOWEST = 1 / 64  # of the configured rate: a quota shared with others must not stop us for good
_STEP = 1 / 32  # of the configured rate: what each success gives back after a 429
_FIRST_WAIT = 30.0  # seconds: for a 429 that does not say how long; doubled when it comes again
_SILENT_AFTER = 3  # probes without an answer
LONGEST_WAIT = 900.0
"""Seconds: a `Retry-After` of years must not end the exporter's work."""


class RateLimiter:
    """Spaces requests evenly; halves the rate on a 429 and gives it back step by step."""

    def __init__(self, rate: float) -> None:
        self.configured = rate
        self.rate = rate
        self._next = float("-inf")

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may go; 0 or less means now."""
        return self._next - now

    def spend(self, now: float) -> None:
        """Count a request that goes now."""
        self._next = max(self._next, now - _CATCH_UP) + 1 / self.rate

    def slow_down(self) -> None:
        """Halve the rate."""
        self.rate = max(self.rate / 2, self.configured * _SLOWEST)

    def speed_up(self) -> None:
        """Give a step of the rate back."""
        self.rate = min(self.rate + self.configured * _STEP, self.configured)


@dataclass
class CircuitBreaker:
    """Tripped by a 429 until a moment; then one probe decides. Times are monotonic seconds."""

    _until: float | None = None
    """When the next request may go; None where the breaker is not tripped."""
    _probing: bool = False
    _streak: int = 0
    _unanswered: int = 0
    _tripped_since: float = 0.0
    _tripped_before: float = 0.0

    def remaining(self, now: float) -> float:
        """Return the seconds until a request may go; 0 where it may go now, perhaps as a probe."""
        return 0.0 if self._until is None else max(0.0, self._until - now)

    @property
    def is_tripped(self) -> bool:
        """Whether no request passes but a probe."""
        return self._until is not None

    @property
    def probing(self) -> bool:
        """Whether the one request that decides is under way."""
        return self._probing

    def trip(self, now: float, retry_after: float | None) -> None:
        """Trip after a 429; `retry_after` is in seconds, None where the gateway did not say."""
        if not self.is_tripped:
            self._tripped_since = now
        if not self.is_tripped or self.probing:  # once for all requests in flight
            self._streak += 1
        wait = _FIRST_WAIT * 2 ** min(self._streak - 1, 10) if retry_after is None else retry_after
        until = now + min(max(wait, 1.0), LONGEST_WAIT)
        self._until = until if self._until is None else max(self._until, until)
        self._probing, self._unanswered = False, 0

    def probe(self) -> None:
        """Let one request pass once the time is up."""
        self._probing = True

    def abandon_probe(self) -> None:
        """Let another request be the probe: this one was cancelled, or got no answer."""
        self._probing = False
        self._unanswered += 1

    @property
    def is_silent(self) -> bool:
        """Whether several probes in a row got no answer, so that waiting for one is of no use."""
        return self._unanswered >= _SILENT_AFTER

    def reset(self, now: float) -> None:
        """Let all requests pass, after any answer that is not a 429."""
        if self._until is not None:
            self._tripped_before += now - self._tripped_since
        self._until, self._probing, self._streak, self._unanswered = None, False, 0, 0

    def tripped_seconds(self, now: float) -> float:
        """Return for how long the breaker has been tripped in all."""
        running = 0.0 if self._until is None else now - self._tripped_since
        return self._tripped_before + running


class Limiter:
    """Lets the requests of an account and zone pass at a rate, within a number of slots.

    A request that waits holds no slot. While the breaker is tripped nobody waits: all fail at once
    as throttled, so that no poll hangs for the minutes a gateway may ask for. The exception is
    `patience`: the seconds, over all times that the breaker is tripped, that requests may wait.
    """

    def __init__(
        self,
        rate: float,
        slots: int,
        clock: Clock,
        *,
        breaker: CircuitBreaker | None = None,
        patience: float = 0.0,
    ) -> None:
        """`breaker` is that of a limiter before this one: a tripped breaker must stay tripped."""
        self.rate = RateLimiter(rate)
        self.breaker = breaker or CircuitBreaker()
        self._free = slots
        self._patience = patience
        self._clock = clock
        self._waiting: FairQueue[asyncio.Future[bool]] = FairQueue()
        self._timer: Timer | None = None

    @asynccontextmanager
    async def slot(self, registry: str, priority: Priority) -> AsyncIterator[None]:
        """Wait for a slot, in the order of the fair queue, and hold it.

        Raises:
            ThrottledError: the breaker is tripped, or tripped while this waited.
        """
        self._refuse_while_tripped()
        future = asyncio.get_running_loop().create_future()
        self._waiting.put(future, registry, priority)
        self._let_through()
        try:
            is_probe = await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._release(is_probe=future.result())
            raise
        try:
            yield
        finally:
            self._release(is_probe=is_probe)

    @property
    def is_patient(self) -> bool:
        """Whether a request that was throttled is to wait and try again."""
        now = self._clock.monotonic()
        return self.breaker.tripped_seconds(now) + self.breaker.remaining(now) <= self._patience

    def answered(self) -> None:
        """Record an answer that was not a 429."""
        if not self.breaker.is_tripped:
            self.rate.speed_up()
        elif self.breaker.probing:
            self.breaker.reset(self._clock.monotonic())

    def throttled(self, retry_after: float | None) -> None:
        """Record a 429: trip the breaker, halve the rate; fail all who wait if patience ends."""
        if (
            not self.breaker.is_tripped or self.breaker.probing
        ):  # once for all requests that were in flight
            self.rate.slow_down()
        self.breaker.trip(self._clock.monotonic(), retry_after)
        if not self.is_patient:
            self._refuse_all()

    def _refuse_all(self) -> None:
        while self._waiting:
            future = self._waiting.pop()
            if not future.done():
                future.set_exception(self._throttled_error())

    def _release(self, *, is_probe: bool) -> None:
        """Give the slot back; after a probe without an answer the next request is the probe.

        After a few of those nobody waits: each would wait for all before it to time out.
        """
        self._free += 1
        if is_probe and self.breaker.probing:
            self.breaker.abandon_probe()
            if self.breaker.is_silent:
                self._refuse_all()
        self._let_through()

    def _let_through(self) -> None:
        """Let as many pass as slots, rate and breaker allow now; come back when the rate does."""
        now = self._clock.monotonic()
        while self._waiting and self._free and not self.breaker.probing:
            if (wait := max(self.rate.wait(now), self.breaker.remaining(now))) > 0:
                self._come_back(wait)
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

    def _come_back(self, delay: float) -> None:
        if self._timer is None:
            self._timer = self._clock.call_later(delay, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._let_through()

    def _refuse_while_tripped(self) -> None:
        if self.breaker.remaining(self._clock.monotonic()) > 0 and not self.is_patient:
            raise self._throttled_error()

    def _throttled_error(self) -> ThrottledError:
        remaining = self.breaker.remaining(self._clock.monotonic())
        if remaining <= 0:
            return ThrottledError("the API asked to wait and has not answered since")
        return ThrottledError(f"the API asked to wait; asking again in {remaining:.0f} s")
