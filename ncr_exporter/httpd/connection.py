"""One client's connection: requests in, responses out, each within its deadline. h11 frames."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

import h11
import structlog

from ncr_exporter.httpd.access import AccessPolicy, Tls
from ncr_exporter.httpd.limits import ConcurrencyLimit, Limits, Permit
from ncr_exporter.httpd.messages import Handler, Request, Response, text_response
from ncr_exporter.httpd.open_connections import Seat

_PIECE = 128 * 1024
"""Bytes written to a socket at a time: the most that a client which never reads makes us keep."""
_PIECES_PER_TURN = 64
"""Pieces of a request's body read before other tasks run: a client may send each byte alone."""
_RETRY_SOON = {"retry-after": "1"}
_CLOSE = {"connection": "close"}
_CONTENT_TOO_LARGE = 413

log = structlog.get_logger()


@dataclass(frozen=True)
class Service:
    """What all connections of a server share."""

    handler: Handler
    permits: ConcurrencyLimit
    limits: Limits
    access: AccessPolicy
    needs_permit: Callable[[Request], bool]


class Connection:
    """Serves one client until it leaves, breaks a rule, or takes too long."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        service: Service,
        seat: Seat,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._seat = seat
        self._client = str((writer.get_extra_info("peername") or ("gone",))[0])
        self._handler = service.handler
        self._permits = service.permits
        self._needs_permit = service.needs_permit
        self._limits = service.limits
        self._access = service.access
        self._http = h11.Connection(
            h11.SERVER, max_incomplete_event_size=service.limits.header_bytes
        )

    async def serve(self) -> None:
        """Respond to requests until the client leaves, breaks the protocol or exceeds a limit.

        None of these raises: they are no errors of the server.
        """
        with contextlib.suppress(OSError):  # TimeoutError is a subclass
            try:
                await self._serve_requests()
            except h11.RemoteProtocolError as error:
                refusal = Response(error.error_status_hint, _CLOSE, length=0)
                await self._send(Request("GET", "*"), refusal, None)
            await self._close()

    async def _serve_requests(self) -> None:
        async with asyncio.timeout(self._limits.header):
            await self._open()
            request = await self._read_request()
        while request is not None and await self._respond(request):
            async with asyncio.timeout(self._limits.idle):
                if not self._http.trailing_data[0]:
                    await self._receive()
            async with asyncio.timeout(self._limits.header):
                request = await self._read_request()

    async def _open(self) -> None:
        """Make `drain` wait until the kernel has all bytes, and begin TLS if there is any.

        asyncio's default is to wait only while its buffer holds 64 KiB or more. The obvious mark
        of 0 does not work: with TLS, `drain` then waits for ever. Beginning TLS replaces the
        transport, and with it the mark.
        """
        self._writer.transport.set_write_buffer_limits(high=1)
        await self._access.refresh()
        tls = self._access.tls
        if tls is not None:
            await self._shake_hands(tls)
            self._writer.transport.set_write_buffer_limits(high=1)

    async def _shake_hands(self, tls: Tls) -> None:
        """Begin TLS; log what is wrong with the client, which is told too little to find out."""
        try:
            await self._writer.start_tls(tls.context)
        except ssl.SSLError as error:
            log.debug("TLS handshake failed", client=self._client, reason=error.reason)
            raise
        if not tls.admits(self._writer.get_extra_info("peercert")):
            log.debug("client's certificate has none of the allowed names", client=self._client)
            raise ConnectionAbortedError

    async def _read_request(self) -> Request | None:
        """Return the next request, or None if the client has left."""
        head: h11.Request | None = None
        size = pieces = 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                await self._receive()
            elif isinstance(event, h11.Request):
                head = event
                _refuse_two_lengths(head)
            elif isinstance(event, h11.Data):
                size += len(event.data)
                pieces += 1
                if pieces % _PIECES_PER_TURN == 0:
                    await asyncio.sleep(0)
                if size > self._limits.body_bytes:
                    raise h11.RemoteProtocolError("body too large", _CONTENT_TOO_LARGE)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _request(head, self._client)
            else:
                return None

    async def _receive(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            self._write(h11.InformationalResponse(status_code=100, headers=[], reason="Continue"))
        self._http.receive_data(await self._reader.read(self._limits.header_bytes))

    async def _respond(self, request: Request) -> bool:
        """Send the response and return whether another request may follow."""
        self._seat.got_further()
        async with asyncio.timeout(self._limits.response):
            # Before `_handle` acquires a permit: checking a password takes a while, and a flood of
            # wrong ones must not keep scrapes out.
            refusal = await self._access.refusal(request)
            if refusal is not None:
                await self._send(request, refusal, None)
            elif self._needs_permit(request):
                await self._handle_with_permit(request)
            else:
                await self._handle(request, None)
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def _handle_with_permit(self, request: Request) -> None:
        permit = await self._permits.acquire(request.client)
        if permit is None:
            busy = text_response(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests\n", _RETRY_SOON)
            await self._send(request, busy, None)
            return
        self._seat.begin_work()
        try:
            await self._handle(request, permit)
        finally:
            self._release(permit)

    async def _handle(self, request: Request, permit: Permit | None) -> None:
        response = await self._handler(request)
        try:
            await self._send(request, response, permit)
        finally:
            response.ended()

    def _release(self, permit: Permit) -> None:
        permit.release()
        self._seat.end_work()

    async def _send(self, request: Request, response: Response, permit: Permit | None) -> None:
        if response.takeover is not None:
            await response.takeover(self._writer)
            raise ConnectionAbortedError
        date = {"date": formatdate(usegmt=True)}
        headers = list((date | dict(response.headers) | dict(self._access.headers)).items())
        if response.length is not None:
            headers.append(("content-length", str(response.length)))
        phrase = HTTPStatus(response.status).phrase
        self._write(h11.Response(status_code=response.status, headers=headers, reason=phrase))
        if request.method != "HEAD":
            for part in response.body:
                await self._send_part(part, permit)
            if response.stream is not None:
                async with contextlib.aclosing(response.stream) as parts:
                    async for part in parts:
                        await self._send_part(part, permit)
        self._write(h11.EndOfMessage())
        await self._drain(permit)

    async def _send_part(self, part: bytes, permit: Permit | None) -> None:
        for start in range(0, len(part), _PIECE):
            self._write(h11.Data(data=part[start : start + _PIECE]))
            await self._drain(permit)

    def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)

    async def _drain(self, permit: Permit | None) -> None:
        """Wait until the client has taken all bytes; release the permit if that takes a while."""
        # `drain` returns at once while the client reads as fast as we write. Without this pause a
        # large response to a fast client would hold the event loop to its last byte.
        await asyncio.sleep(0)
        if permit is not None and self._writer.transport.get_write_buffer_size():
            self._release(permit)
        async with asyncio.timeout(self._limits.stall):
            await self._writer.drain()
        self._seat.got_further()

    async def _close(self) -> None:
        """Close the connection once the client has read the last response.

        First the sending side is closed, then input is skipped until the client closes too. A
        socket closed with unread input makes the kernel send RST, on which the client's kernel
        discards what the client has not read yet (RFC 9112, section 9.6).
        """
        async with asyncio.timeout(self._limits.stall):
            if self._writer.can_write_eof():
                self._writer.write_eof()
                while await self._reader.read(_PIECE):
                    pass
            self._writer.close()
            await self._writer.wait_closed()


def _refuse_two_lengths(head: h11.Request) -> None:
    """Raise for a request that a proxy may frame differently: smuggling (RFC 9112, section 11.2).

    Raises:
        h11.RemoteProtocolError: it has both Content-Length and Transfer-Encoding.
    """
    if {b"content-length", b"transfer-encoding"} <= {name for name, _ in head.headers}:
        raise h11.RemoteProtocolError("both Content-Length and Transfer-Encoding")


def _request(head: h11.Request, client: str) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in head.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Request(head.method.decode("ascii"), head.target.decode("latin-1"), headers, client)
