"""A small HTTP/1.1 server: asyncio's sockets, h11's framing, and the limits of `Limits`.

No server that was considered drops half-sent requests, clients that never read, and slow TLS
handshakes, and caps connections as well.
"""

import asyncio
import socket
from asyncio import sslproto
from collections.abc import Callable
from typing import Self, cast

import structlog

from ncr_exporter.httpd.access import AccessPolicy, AllowAll
from ncr_exporter.httpd.connection import Connection, Service
from ncr_exporter.httpd.limits import ConcurrencyLimit, Limits
from ncr_exporter.httpd.messages import Handler, Request, Response, text_response
from ncr_exporter.httpd.open_connections import OpenConnections

_UNSENT = 128 * 1024
"""Bytes of a response that the kernel holds for each connection before they are sent."""
_TLS_BUFFER = 4 * 1024
"""Bytes of asyncio's read buffer for each TLS connection: enough for a request."""
_QUEUED = 512
"""Connections that the kernel keeps for us before they are accepted."""
_ROOM_INTERVAL = 0.5  # seconds

_ALL_IPV6 = "::"

log = structlog.get_logger()


class Server:
    """Serves one handler on any number of addresses; leaving its `async with` block stops it."""

    def __init__(
        self,
        handler: Handler,
        limits: Limits | None = None,
        access: AccessPolicy | None = None,
        needs_permit: Callable[[Request], bool] = lambda _: True,
    ) -> None:
        """Set up a server that does not listen yet.

        Args:
            handler: returns the response to a request; one that raises is answered with 500.
            limits: what a client may cost; None for the defaults.
            access: who may connect and send requests; None for everyone, over plain HTTP.
            needs_permit: whether a request counts towards `limits.requests`, and waits for its
                turn. One that does not must cost next to nothing, or be limited by its handler.
        """
        self._handler = handler
        limits = limits or Limits()
        permits = ConcurrencyLimit(limits.requests, limits.admission)
        self._service = Service(self._handle, permits, limits, access or AllowAll(), needs_permit)
        self._open = OpenConnections(limits.connections)
        self._room_made_at = float("-inf")
        self._listeners: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        if self._service.access.tls is not None:
            # asyncio allocates this buffer for each TLS connection when it is accepted, before the
            # client has sent a byte. Its default of 256 KiB times 800 idle connections would be
            # 200 MiB. There is no parameter for it, so the class attribute is set. OpenSSL itself
            # needs some 45 KiB more during a handshake.
            sslproto.SSLProtocol.max_size = _TLS_BUFFER

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def open_connections(self) -> int:
        """How many connections are open, those in their TLS handshake included."""
        return len(self._open)

    def make_room(self) -> None:
        """Close the connections idle longest, since there are no descriptors left, and allow fewer.

        Some versions of Python report this many times in one iteration of the event loop. The first
        call in half a second counts.
        """
        now = asyncio.get_running_loop().time()
        if now >= self._room_made_at + _ROOM_INTERVAL:
            self._room_made_at = now
            self._open.make_room(4 * self._service.limits.backlog)

    async def listen(self, host: str | None, port: int, *, ipv6_only: bool = False) -> int:
        """Listen on one more address and return its port.

        Args:
            host: None for all interfaces, as is `::`.
            port: 0 for any free port.
            ipv6_only: whether `::` leaves IPv4 out.

        Raises:
            OSError: the address cannot be listened on.
        """
        backlog = self._service.limits.backlog
        if host == _ALL_IPV6 and not ipv6_only and socket.has_dualstack_ipv6():
            both = _socket_of_both_families(port)
            listener = await asyncio.start_server(self._accept, sock=both, backlog=backlog)
        else:
            listener = await asyncio.start_server(self._accept, host, port, backlog=backlog)
        for listening in listener.sockets:
            # By default the kernel accepts megabytes at a time. A client that reads them slowly
            # would look as if it had stalled.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
            # asyncio has one number for how many connections the kernel queues, and how many are
            # accepted in one iteration of the event loop. The queue may be longer; listen(2) on a
            # duplicate of the socket sets its length alone.
            with socket.fromfd(listening.fileno(), listening.family, listening.type) as same:
                same.listen(_QUEUED)
        self._listeners.append(listener)
        return int(listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the listeners and all connections, without waiting for clients."""
        while self._listeners:
            self._listeners.pop().close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seat = self._open.add() if self._listeners else None
        if seat is None:
            writer.transport.abort()
            return
        if self._service.access.tls is not None:
            # The bytes that come now belong to the handshake, not to `reader`.
            cast("asyncio.Transport", writer.transport).pause_reading()
        connection = Connection(reader, writer, self._service, seat)
        task = asyncio.create_task(self._run(connection))
        seat.close = task.cancel
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        task.add_done_callback(lambda _: seat.leave())
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _run(self, connection: Connection) -> None:
        try:
            await connection.serve()
        except asyncio.CancelledError:
            pass
        except Exception:
            log.exception("connection failed")

    async def _handle(self, request: Request) -> Response:
        """Return the handler's response, or 500 if it raises: the client must learn of it."""
        try:
            return await self._handler(request)
        except Exception:
            log.exception("request failed", path=request.path)
            return text_response(500, "internal error; see the log\n")


def _socket_of_both_families(port: int) -> socket.socket:
    """Return a socket on all interfaces that takes IPv4 as well; asyncio makes one of IPv6 alone.

    Raises:
        OSError: the port cannot be listened on.
    """
    return socket.create_server((_ALL_IPV6, port), family=socket.AF_INET6, dualstack_ipv6=True)
