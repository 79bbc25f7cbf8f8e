"""Whether and when a request is sent again: what it may do itself, and what its account may."""

import random

from ncr_exporter.ncr.errors import ApiError, AuthenticationError, ThrottledError

_RETRIES = 2
_BACKOFF = 0.5  # seconds before the first retry, twice as much before the second, then jittered
BURST = 10
"""Retries at hand to begin with, and at most: a few failures at once are bridged."""
EARNED_BY = 10
"""Requests that go well and together earn one more."""


class RetryBudget:
    """One account's: retries are at most a tenth of the requests that go well, beyond the burst.

    While nothing goes well nothing is earned, so that the load of an outage is that of the polls
    alone, however long it lasts. Counted in requests rather than by time: what retries may cost
    follows from the load that there is.
    """

    def __init__(self) -> None:
        self._credit = BURST * EARNED_BY  # whole numbers: ten tenths of a float are less than 1

    def earn(self) -> None:
        """Note a request that went well."""
        self._credit = min(self._credit + 1, BURST * EARNED_BY)

    def take(self) -> bool:
        """Take one retry, and tell whether there was one."""
        if self._credit < EARNED_BY:
            return False
        self._credit -= EARNED_BY
        return True


class Attempts:
    """What one request may still do."""

    def __init__(self, budget: RetryBudget) -> None:
        self._budget = budget
        self._left = _RETRIES
        self._may_sign_again = True

    def pause(self, error: ApiError, *, signed_off: bool, patient: bool) -> float | None:
        """Return the seconds to wait after an error before another attempt; None for no more.

        `signed_off`: the clock that it was signed by is known only now to be wrong; `patient`: the
        limiter makes a throttled request wait. Neither costs the account a retry: the first comes
        once a request, the second waits for the gate.
        """
        if signed_off and self._may_sign_again and isinstance(error, AuthenticationError):
            self._may_sign_again = False
            return 0.0
        if patient and isinstance(error, ThrottledError):
            self._left -= 1
            return 0.0 if self._left >= 0 else None
        self._left = min(self._left, error.retried) - 1
        if self._left < 0 or not self._budget.take():
            return None
        return _BACKOFF * (_RETRIES - self._left) * random.uniform(0.5, 1)  # noqa: S311 -- jitter, not a secret
