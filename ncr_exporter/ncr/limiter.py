"""One account's limits: turns, rate, requests in flight, and the gate of a 429."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ncr_exporter.ncr.errors import ThrottledError
from ncr_exporter.ncr.fair_queue import TurnQueue, Urgency
from ncr_exporter.runtime.clock import Clock, Timer

_CATCH_UP = 0.1  # seconds: evens out a late timer without letting requests come in bursts
_SLOWEST = 1 / 64  # of the configured rate: a quota shared with others must not stop us for good
_STEP = 1 / 32  # of the configured rate: what each success gives back after a 429
_FIRST_WAIT = 30.0  # seconds: for a 429 that does not say how long; doubled when it comes again
_SILENT_AFTER = 3  # probes without an answer
LONGEST_WAIT = 900.0
"""Seconds: a `Retry-After` of years must not end the exporter's work."""


class Pace:
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
class Gate:
    """Closed by a 429 until a moment; then one probe decides. Times are monotonic seconds."""

    _opens: float | None = None
    _probing: bool = False
    _streak: int = 0
    _unanswered: int = 0
    _closed_since: float = 0.0
    _closed_before: float = 0.0

    def remaining(self, now: float) -> float:
        """Return the seconds that the gate stays closed; 0 where it is open or may be probed."""
        return 0.0 if self._opens is None else max(0.0, self._opens - now)

    @property
    def is_open(self) -> bool:
        """Whether requests pass freely."""
        return self._opens is None

    @property
    def probing(self) -> bool:
        """Whether the one request that decides is under way."""
        return self._probing

    def close(self, now: float, retry_after: float | None) -> None:
        """Close after a 429; `retry_after` is in seconds, None where the gateway did not say."""
        if self.is_open:
            self._closed_since = now
        if self.is_open or self.probing:  # once for all requests in flight
            self._streak += 1
        wait = _FIRST_WAIT * 2 ** min(self._streak - 1, 10) if retry_after is None else retry_after
        opens = now + min(max(wait, 1.0), LONGEST_WAIT)
        self._opens = opens if self._opens is None else max(self._opens, opens)
        self._probing, self._unanswered = False, 0

    def probe(self) -> None:
        """Let one request through a gate whose time is up."""
        self._probing = True

    def abandon_probe(self) -> None:
        """Let another request be the probe: this one was cancelled, or got no answer."""
        self._probing = False
        self._unanswered += 1

    @property
    def is_silent(self) -> bool:
        """Whether so many probes in a row got no answer that waiting for one is of no use."""
        return self._unanswered >= _SILENT_AFTER

    def open(self, now: float) -> None:
        """Open after any answer that is not a 429."""
        if self._opens is not None:
            self._closed_before += now - self._closed_since
        self._opens, self._probing, self._streak, self._unanswered = None, False, 0, 0

    def closed_seconds(self, now: float) -> float:
        """Return how long the gate has been closed in all."""
        running = 0.0 if self._opens is None else now - self._closed_since
        return self._closed_before + running


class Limiter:
    """Lets requests of an account and zone through, one at a time and never too many.

    A request that waits for its turn holds no slot. While the gate is closed nobody waits: all
    fail at once as throttled, so that no poll hangs for the minutes a gateway may ask for; unless
    `patience` (seconds, for all times that the gate is closed together) covers what it asks for.
    """

    def __init__(
        self,
        rate: float,
        slots: int,
        clock: Clock,
        *,
        gate: Gate | None = None,
        patience: float = 0.0,
    ) -> None:
        """`gate` is that of a limiter before this one: a closed gate must stay closed."""
        self.pace = Pace(rate)
        self.gate = gate or Gate()
        self._free = slots
        self._patience = patience
        self._clock = clock
        self._waiting: TurnQueue[asyncio.Future[bool]] = TurnQueue()
        self._timer: Timer | None = None

    @asynccontextmanager
    async def turn(self, registry: str, urgency: Urgency) -> AsyncIterator[None]:
        """Wait for the turn of one request and hold its slot.

        Raises:
            ThrottledError: the gate is closed, or closed while this waited.
        """
        self._refuse_while_closed()
        future = asyncio.get_running_loop().create_future()
        self._waiting.put(future, registry, urgency)
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
        return self.gate.closed_seconds(now) + self.gate.remaining(now) <= self._patience

    def answered(self) -> None:
        """Note an answer that was not a 429."""
        if self.gate.is_open:
            self.pace.speed_up()
        elif self.gate.probing:
            self.gate.open(self._clock.monotonic())

    def throttled(self, retry_after: float | None) -> None:
        """Note a 429: close the gate, halve the rate, and fail all who wait, if patience ends."""
        if self.gate.is_open or self.gate.probing:  # once for all requests that were in flight
            self.pace.slow_down()
        self.gate.close(self._clock.monotonic(), retry_after)
        if not self.is_patient:
            self._refuse_all()

    def _refuse_all(self) -> None:
        while self._waiting:
            future = self._waiting.pop()
            if not future.done():
                future.set_exception(self._closed())

    def _release(self, *, is_probe: bool) -> None:
        """Give the slot back; a probe that ended without an answer leaves the gate to the next.

        After a few of those nobody waits: each would wait for all before it to time out.
        """
        self._free += 1
        if is_probe and self.gate.probing:
            self.gate.abandon_probe()
            if self.gate.is_silent:
                self._refuse_all()
        self._let_through()

    def _let_through(self) -> None:
        """Let as many through as slots, rate and gate allow now; come back when the rate does."""
        now = self._clock.monotonic()
        while self._waiting and self._free and not self.gate.probing:
            if (wait := max(self.pace.wait(now), self.gate.remaining(now))) > 0:
                self._come_back(wait)
                return
            future = self._waiting.pop()
            if future.done():
                continue
            is_probe = not self.gate.is_open
            if is_probe:
                self.gate.probe()
            self._free -= 1
            self.pace.spend(now)
            future.set_result(is_probe)

    def _come_back(self, delay: float) -> None:
        if self._timer is None:
            self._timer = self._clock.call_later(delay, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._let_through()

    def _refuse_while_closed(self) -> None:
        if self.gate.remaining(self._clock.monotonic()) > 0 and not self.is_patient:
            raise self._closed()

    def _closed(self) -> ThrottledError:
        remaining = self.gate.remaining(self._clock.monotonic())
        if remaining <= 0:
            return ThrottledError("the API asked to wait and has not answered since")
        return ThrottledError(f"the API asked to wait; asking again in {remaining:.0f} s")
