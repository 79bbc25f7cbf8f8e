"""How fast one account asks: its rate, and the gate that a 429 closes. Time is passed in."""

from dataclasses import dataclass

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
