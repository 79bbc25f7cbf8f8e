"""The time that ages and staleness go by: this host's, corrected where every gateway denies it."""

from collections.abc import Callable, Iterable

from ncr_exporter.ncr.signing import GatewayClock
from ncr_exporter.runtime.clock import Arguments, Clock, Timer


class CorrectedClock(Clock):
    """This host's clock; where it is wrong by more than is tolerated, the gateways' time.

    The times of pulls and updates are the gateways'. An age by a host's clock that is a year ahead
    makes every tag stale.
    """

    def __init__(
        self,
        clock: Clock,
        gateways: Callable[[], Iterable[GatewayClock]],
        assumed: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Correct this host's `clock` by what `gateways` returns: the clocks of all gateways.

        `assumed` returns the correction (s) until the first of them answers, known from an earlier
        run.
        """
        self._clock = clock
        self._gateways = gateways
        self._assumed = assumed

    @property
    def correction(self) -> float:
        """Seconds to add to this host's time; 0 unless every gateway heard from says otherwise.

        Where one agrees with this host, it is the others that are wrong. Of several corrections the
        smallest is taken.
        """
        corrections = [each.correction for each in self._gateways() if each.is_known]
        if not corrections:
            return self._assumed()
        ahead = [each for each in corrections if each > 0]
        behind = [each for each in corrections if each < 0]
        if len(corrections) in {len(ahead), len(behind)}:
            return min(corrections, key=abs)
        return 0.0

    def time(self) -> float:
        """Return the corrected wall time in seconds since the epoch."""
        return self._clock.time() + self.correction

    def monotonic(self) -> float:
        """Return seconds since a fixed moment."""
        return self._clock.monotonic()

    def call_later(
        self, delay: float, callback: Callable[[*Arguments], object], *arguments: *Arguments
    ) -> Timer:
        """Call `callback` with `arguments` after `delay` seconds, on the running event loop."""
        return self._clock.call_later(delay, callback, *arguments)

    async def sleep(self, delay: float) -> None:
        """Wait `delay` seconds."""
        await self._clock.sleep(delay)
