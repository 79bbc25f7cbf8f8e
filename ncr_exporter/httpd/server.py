"""A small HTTP/1.1 server: asyncio's sockets, h11's framing, and the limits of `Limits`.

No server that was considered drops half-sent requests, clients that never read, and slow TLS
handshakes, and caps connections as well.
"""

import asyncio
import socket
from asyncio import sslproto
from typing import Self, cast

import structlog

from ncr_exporter.httpd.access import AccessPolicy, AllowAll, Tls
from ncr_exporter.httpd.connection import Connection, Service
from ncr_exporter.httpd.limits import ConcurrencyLimit, Limits
from ncr_exporter.httpd.messages import Handler, Request, Response, text_response

_UNSENT = 128 * 1024
"""Bytes of a response that the kernel holds for each connection before they are sent."""
_TLS_BUFFER = 4 * 1024
"""Bytes of asyncio's read buffer for each TLS connection: enough for a request."""

_ALL_IPV6 = "::"

log = structlog.get_logger()


class Server:
    """Serves one handler on any number of addresses; leaving its `async with` block stops it."""

    def __init__(
        self, handler: Handler, limits: Limits | None = None, access: AccessPolicy | None = None
    ) -> None:
        """Set up a server that does not listen yet.

        Args:
            handler: returns the response to a request; one that raises is answered with 500.
            limits: what a client may cost; None for the defaults.
            access: who may connect and send requests; None for everyone, over plain HTTP.
        """
        self._handler = handler
        limits = limits or Limits()
        permits = ConcurrencyLimit(limits.requests, limits.admission)
        self._service = Service(self._handle, permits, limits, access or AllowAll())
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

    async def listen(self, host: str | None, port: int, *, ipv6_only: bool = False) -> int:
        """Listen on one more address and return its port.

        Args:
            host: None for all interfaces, as is `::`.
            port: 0 for any free port.
            ipv6_only: whether `::` leaves IPv4 out.

        Raises:
            OSError: the address cannot be listened on.
        """
        if host == _ALL_IPV6 and not ipv6_only and socket.has_dualstack_ipv6():
            both = _socket_of_both_families(port)
            listener = await asyncio.start_server(self._accept, sock=both, backlog=512)
        else:
            listener = await asyncio.start_server(self._accept, host, port, backlog=512)
        for listening in listener.sockets:
            # By default the kernel accepts megabytes at a time. A client that reads them slowly
            # would look as if it had stalled.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
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
        stopped = not self._listeners
        if stopped or len(self._connections) >= self._service.limits.connections:
            writer.transport.abort()
            return
        tls = self._service.access.tls
        if tls is not None:  # the bytes that come now belong to the handshake, not to `reader`
            cast("asyncio.Transport", writer.transport).pause_reading()
        connection = Connection(reader, writer, self._service)
        task = asyncio.create_task(self._run(connection, tls))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _run(self, connection: Connection, tls: Tls | None) -> None:
        try:
            await connection.serve(tls)
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
