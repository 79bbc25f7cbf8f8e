"""Whether and when a request is sent again: by its own errors, and by its account's budget."""

import random

from ncr_exporter.ncr.errors import (
    ApiError,
    AuthenticationError,
    ReusedConnectionError,
    ThrottledError,
)
from ncr_exporter.runtime.clock import Clock

_MAX_RETRIES = 2
_BACKOFF = 0.5  # seconds before the first retry, doubled for the second; jitter shortens it
BURST = 10
"""Retries that a budget holds at the start, and at most: enough for a few failures at once."""
EARNED_BY = 10
"""Successful requests that earn one retry."""
TRICKLE = 10.0
"""Seconds in which one retry is allowed that costs the budget nothing."""


class RetryBudget:
    """An account's retries: a burst at the start, one for ten successful requests, and a trickle.

    During an outage nothing succeeds, so nothing is earned. The load on the API is then that of the
    polls, and one retry in ten seconds beside them, however many images there are. That trickle
    is for small deployments: they send too few requests to earn the retries that they need.
    """

    def __init__(self, clock: Clock) -> None:
        """Start with a full budget; `clock` times the trickle."""
        self._clock = clock
        self._credit = BURST * EARNED_BY  # integers: ten tenths, added as floats, are less than 1
        self._trickled_at = float("-inf")

    def earn(self) -> None:
        """Record a successful request."""
        self._credit = min(self._credit + 1, BURST * EARNED_BY)

    def take(self) -> bool:
        """Take a retry, of the trickle or else of the budget; return whether there was one."""
        now = self._clock.monotonic()
        if now - self._trickled_at >= TRICKLE:
            self._trickled_at = now
            return True
        if self._credit < EARNED_BY:
            return False
        self._credit -= EARNED_BY
        return True


class RequestRetries:
    """Decides for one request whether another attempt follows an error, and after which pause."""

    def __init__(self, budget: RetryBudget) -> None:
        """Start with no retry made; `budget` is that of the request's account."""
        self._budget = budget
        self._retries = 0
        self._allowed = _MAX_RETRIES  # in all, those made included; an error may lower it
        self._may_sign_again = True

    def pause(
        self, error: ApiError, *, clock_corrected: bool, waits_when_throttled: bool
    ) -> float | None:
        """Return the seconds to wait before the next attempt, or None for no more attempts.

        The first retry comes after 0.25 to 0.5 s, the second after 0.5 to 1 s, whatever the error.
        Three kinds come at once and cost the account's budget nothing. Signing again happens once
        a request. A throttled request waits in the limiter for the circuit breaker. A request on
        a kept connection that broke has most likely met nobody; it cannot go on for ever, since
        each time one kept connection is gone.

        Args:
            error: the error of the last attempt.
            clock_corrected: whether the API's response to it corrected the clock to sign by.
            waits_when_throttled: whether the limiter lets throttled requests wait.
        """
        if clock_corrected and self._may_sign_again and isinstance(error, AuthenticationError):
            self._may_sign_again = False
            return 0.0
        if isinstance(error, ReusedConnectionError):
            return 0.0
        if waits_when_throttled and isinstance(error, ThrottledError):
            return 0.0 if self._count_retry() else None
        self._allowed = min(self._allowed, self._retries + error.max_retries)
        if self._retries >= self._allowed or not self._budget.take():
            return None
        self._count_retry()
        backoff: float = _BACKOFF * 2 ** (self._retries - 1)
        return backoff * random.uniform(0.5, 1)  # noqa: S311 -- jitter, not a secret

    def _count_retry(self) -> bool:
        """Count one more retry, if it is allowed, and return whether it is."""
        allowed = self._retries < self._allowed
        self._retries += allowed
        return allowed
