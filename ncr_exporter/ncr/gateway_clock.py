"""The gateway's clock as seen from here."""

from ncr_exporter.runtime.clock import Clock

TOLERATED = 60.0
"""Seconds. The gateway refuses signatures 5 minutes off; `Date` itself is coarse by a second."""


class GatewayClock:
    """Follows the difference between the gateway's clock and ours; signs by ours where it may."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.skew = 0.0

    @property
    def correction(self) -> float:
        """Return the seconds added to our time when signing."""
        return self.skew if abs(self.skew) > TOLERATED else 0.0

    def now_ms(self) -> int:
        """Return the time to sign with."""
        return round((self._clock.time() + self.correction) * 1000)

    def learn(self, date: float) -> bool:
        """Take an answer's `Date` in; tell whether the correction became another."""
        before = self.correction
        self.skew = date - self._clock.time()
        return abs(self.correction - before) > TOLERATED
