"""How many requests a while, over all clients: the `rate_limit` of the web configuration."""

from collections.abc import Callable


class Bucket:
    """Holds up to `burst` requests and gains one each `interval` seconds; it begins full."""

    def __init__(self, interval: float, burst: int, monotonic: Callable[[], float]) -> None:
        self._interval = interval
        self._burst = burst
        self._monotonic = monotonic
        self._held = float(burst)
        self._seen = monotonic()

    def take(self) -> bool:
        """Take one request out, or tell that there is none."""
        now = self._monotonic()
        self._held = min(self._burst, self._held + (now - self._seen) / self._interval)
        self._seen = now
        if self._held < 1:
            return False
        self._held -= 1
        return True
