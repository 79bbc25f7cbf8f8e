"""Limits on what a client may cost the server."""

import asyncio
from collections import deque
from collections.abc import Callable
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
    """Limits the number of requests that are handled at a time.

    Clients take turns: however many requests one of them has waiting, another waits for one of them
    at most. Requests of one client keep their order.
    """

    def __init__(self, count: int, admission: float) -> None:
        """Set the limit.

        Args:
            count: how many permits there are.
            admission: seconds that `acquire` waits for one.
        """
        self.free = count
        """Permits that nobody has."""
        self._admission = admission
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """Client → its requests that wait; the client whose turn is next stands first."""

    async def acquire(self, client: str = "") -> "Permit | None":
        """Return a permit; None if none is released in time.

        `client` is the address that the request came from.
        """
        if self.free:
            self.free -= 1
            return Permit(self._release)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            async with asyncio.timeout(self._admission):
                await turn
        except TimeoutError:
            self._give_up(client, turn)
            return None
        except asyncio.CancelledError:
            self._give_up(client, turn)
            raise
        return Permit(self._release)

    def _release(self) -> None:
        """Hand a permit to the client whose turn it is, and put that client last."""
        while self._waiting:
            client = next(iter(self._waiting))
            turns = self._waiting.pop(client)
            turn = turns.popleft()
            if turns:
                self._waiting[client] = turns
            if not turn.done():  # else cancelled, and its task has not run since
                turn.set_result(None)
                return
        self.free += 1

    def _give_up(self, client: str, turn: asyncio.Future[None]) -> None:
        """Stop waiting; pass the permit on if it came in this very moment."""
        turns = self._waiting.get(client)
        if not turn.cancelled():
            self._release()
        elif turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[client]


class Permit:
    """The right of one request to be handled."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release: Callable[[], None] | None = release

    def release(self) -> None:
        """Give the permit to the next request; a second call does nothing."""
        if self._release is not None:
            self._release()
            self._release = None
