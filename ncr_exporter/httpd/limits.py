"""Limits on what a client may cost the server."""

import asyncio
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Limits:
    """Limits of a server. Times are seconds.

    The defaults suit scrapers: few clients that read quickly and return every 15 to 60 seconds.
    """

    header: float = 10.0
    """From the first byte of a request to its last. For a connection's first request: from
    connecting, TLS handshake included."""
    idle: float = 120.0
    """Between two requests of one connection."""
    stall: float = 10.0
    """Until the client has taken one more piece (128 KiB) of the response."""
    response: float = 120.0
    """From the whole request to the last byte of its response that the client takes."""
    admission: float = 5.0
    """How long a request waits for a permit before it is refused with 503. Half of Prometheus'
    default scrape timeout (10 s): a late scrape is better than a refused one."""
    requests: int = 8
    """Requests handled at a time; a request whose client is slow to read no longer counts."""
    connections: int = 800
    """Open at a time. For one more, the connection that has been idle longest is closed."""
    backlog: int = 256
    """Connections that asyncio accepts in one iteration of the event loop."""
    header_bytes: int = 16 * 1024
    """Size of request line and headers. A larger request is refused at twice this size at most."""
    body_bytes: int = 8 * 1024
    """Size of a request's body. No route reads it; it is skipped to keep the connection usable."""

    @classmethod
    def within(cls, descriptors: int, **limits: Any) -> Self:  # noqa: ANN401 -- fields of this class
        """Return the limits of a process that may open this many descriptors.

        Four iterations pass from accepting a connection to closing the one that it pushes out. Each
        may accept `backlog` connections, and the API client and files need descriptors too.
        """
        backlog = max(1, min(cls.backlog, descriptors // 16))
        spare = 4 * backlog + min(96, descriptors // 4)
        connections = min(cls.connections, descriptors - spare)
        return cls(connections=connections, backlog=backlog, **limits)


class ConcurrencyLimit:
    """Limits the number of requests that are handled at a time."""

    def __init__(self, count: int, admission: float) -> None:
        """Set the limit.

        Args:
            count: how many permits there are.
            admission: seconds that `acquire` waits for one.
        """
        self._free = asyncio.Semaphore(count)
        self._admission = admission

    async def acquire(self) -> "Permit | None":
        """Return a permit, in the order of calls; None if none is released in time."""
        try:
            async with asyncio.timeout(self._admission):
                await self._free.acquire()
        except TimeoutError:
            return None
        return Permit(self._free)


class Permit:
    """The right of one request to be handled."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free: asyncio.Semaphore | None = free

    def release(self) -> None:
        """Give the permit to the next request; a second call does nothing."""
        if self._free is not None:
            self._free.release()
            self._free = None
