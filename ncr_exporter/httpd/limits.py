"""What a client may cost the server. Times are seconds."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The defaults are for scrapers: quick, few, and coming back every 15 to 60 seconds."""

    header: float = 10.0
    """From the first byte of a request to its last; of the first, from connecting, TLS included."""
    idle: float = 120.0
    """Between two requests of one connection."""
    stall: float = 10.0
    """Without one piece (128 KiB) of the answer taken, the connection is cut."""
    answer: float = 120.0
    """From the whole request to the last byte of its answer taken, however steadily one reads."""
    admission: float = 5.0
    """How long a request waits for a place before it is refused. Half of Prometheus' own patience
    (10 s): a scrape that is late is better than one that is refused, and lost."""
    requests: int = 8
    """Requests served at a time; one that waits for its client to read counts no more."""
    connections: int = 800
    """Open at a time; further ones are closed at once. Below the usual limit of 1024 files."""
    header_bytes: int = 16 * 1024
    """Request line and headers; refused at the latest at twice as much."""
    body_bytes: int = 8 * 1024
    """No route reads a body; a small one is skipped, so that the connection can be used again."""


class ConcurrencyLimit:
    """A fixed number of places; a request that finds none within `admission` seconds is refused."""

    def __init__(self, count: int, admission: float) -> None:
        self._free = asyncio.Semaphore(count)
        self._admission = admission

    async def take(self) -> "Place | None":
        """Return a place, or None when all stay taken."""
        try:
            async with asyncio.timeout(self._admission):
                await self._free.acquire()
        except TimeoutError:
            return None
        return Place(self._free)


class Place:
    """One request's place; giving it back twice is harmless."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free: asyncio.Semaphore | None = free

    def give_back(self) -> None:
        """Let the next request in."""
        if self._free is not None:
            self._free.release()
            self._free = None
