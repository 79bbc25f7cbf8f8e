"""A small HTTP/1.1 server: asyncio's sockets, h11's framing, and limits on everything.

Of the servers that could be had none drops half-sent requests, clients that never read and slow TLS
handshakes all three, and caps connections; the parts that do are short enough to be read here.
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
"""Bytes of an answer that the kernel may hold beside those on the wire."""
_TLS_BUFFER = 4 * 1024
"""Enough for a request; OpenSSL itself adds some 45 KiB while hands are shaken."""

log = structlog.get_logger()


class Server:
    """Serves one handler on any number of addresses; an async context manager stops it."""

    def __init__(
        self, handler: Handler, limits: Limits | None = None, gate: AccessPolicy | None = None
    ) -> None:
        self._handler = handler
        limits = limits or Limits()
        places = ConcurrencyLimit(limits.requests, limits.admission)
        self._service = Service(self._guarded, places, limits, gate or AllowAll())
        self._listeners: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        if self._service.gate.tls is not None:
            # asyncio makes a buffer of this size per TLS connection: of 256 KiB, unless told.
            sslproto.SSLProtocol.max_size = _TLS_BUFFER

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def listen(self, host: str | None, port: int) -> int:
        """Listen on an address (None is all of them) and return the port, for a port of 0.

        Raises:
            OSError: the address cannot be had.
        """
        listener = await asyncio.start_server(self._accept, host, port, backlog=512)
        for listening in listener.sockets:
            # Else the kernel takes megabytes at a time, and a slow reader looks like a stalled one.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        self._listeners.append(listener)
        return int(listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the listeners and whatever is open, without waiting for clients."""
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
        tls = self._service.gate.tls
        if tls is not None:  # what is read from here on is for the handshake
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
            log.exception("answer failed")

    async def _guarded(self, request: Request) -> Response:
        """Answer 500 where the handler fails: one bad page must not end the connection silently."""
        try:
            return await self._handler(request)
        except Exception:
            log.exception("request failed", path=request.path)
            return text_response(500, "internal error; see the log\n")
