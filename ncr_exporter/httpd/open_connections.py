"""The open connections of a server; where there are too many, the one idle longest is closed."""

import time
from collections.abc import Callable

import structlog

from ncr_exporter.runtime.throttle import Throttle

_LOWERED_FOR = 60.0
"""Seconds in which fewer connections are allowed, after there were no descriptors left."""

log = structlog.get_logger()


class OpenConnections:
    """All connections, in the order in which they last got further."""

    def __init__(self, most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Allow `most` connections at a time; `monotonic` returns monotonic seconds."""
        self._most = most
        self._monotonic = monotonic
        self._throttle = Throttle(monotonic)
        self._lowered = most
        self._lowered_until = float("-inf")
        self._idle: dict[Seat, None] = {}
        """Those that may be closed, the one idle longest first."""
        self._working: set[Seat] = set()

    def __len__(self) -> int:
        return len(self._idle) + len(self._working)

    def add(self) -> "Seat | None":
        """Return a seat for a new connection; None if each of the others is at work.

        If there are too many, the connection that has been idle longest is closed.
        """
        if len(self) >= self._limit():
            self._warn()
            if not self._close_one():
                return None
        return Seat(self._idle, self._working)

    def make_room(self, count: int) -> None:
        """Allow `count` connections fewer than are open now, for a minute; close the rest.

        The process is out of descriptors although there are fewer connections than allowed: it
        needs more for something else.
        """
        self._lowered = max(1, len(self) - count)
        self._lowered_until = self._monotonic() + _LOWERED_FOR
        while len(self) > self._lowered and self._close_one():
            pass

    def _limit(self) -> int:
        return self._lowered if self._monotonic() < self._lowered_until else self._most

    def _close_one(self) -> bool:
        seat = next(iter(self._idle), None)
        if seat is None:
            return False
        seat.leave()
        seat.close()
        return True

    def _warn(self) -> None:
        times = self._throttle.times("full")
        if times:
            log.warning(
                "all connections are taken; for each new one the one idle longest is closed",
                connections=len(self),
                times=times,
                remedy="see which clients keep so many connections open",
            )


class Seat:
    """The place of one connection among the open ones.

    A connection gets further when a whole request has come, and when the client has taken a piece
    of the response. Bytes of a request that is not whole do not count: they cost a client nothing.
    """

    def __init__(self, idle: dict["Seat", None], working: set["Seat"]) -> None:
        """Take the last place of those in `idle`; `working` are those that stay whatever comes."""
        self.close: Callable[[], object] = lambda: None
        """Closes the connection; set by its server."""
        self._idle = idle
        self._working = working
        idle[self] = None

    def got_further(self) -> None:
        """Become the one that is closed last."""
        if self in self._idle:
            del self._idle[self]
            self._idle[self] = None

    def begin_work(self) -> None:
        """Keep the connection open while its request is handled."""
        if self in self._idle:
            del self._idle[self]
            self._working.add(self)

    def end_work(self) -> None:
        """Count as idle from now on; a second call does nothing."""
        if self in self._working:
            self._working.remove(self)
            self._idle[self] = None

    def leave(self) -> None:
        """Give the place up: the connection is closed, or about to be."""
        self._idle.pop(self, None)
        self._working.discard(self)
