"""Faults of the connection: late or endless responses, broken HTTP, broken TCP.

The functions that break a connection take it over: they write to it directly, then the server
closes it.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.faults.fault import Apply, Fault, always
from ncr_exporter.simulator.responses import body_of

_LINGER_NOT = struct.pack("ii", 1, 0)
_LOOK_AGAIN = 0.05  # seconds
_DRIP = 1.0  # seconds
_GIGABYTE = 10**9
_BLANKS = b" " * 100_000


async def hang(writer: asyncio.StreamWriter) -> None:
    """Send nothing until the client disconnects."""
    await _left_within(writer, float("inf"))


async def reset(writer: asyncio.StreamWriter) -> None:
    """Reset the connection with a TCP RST."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()


async def close(_writer: asyncio.StreamWriter) -> None:
    """Send nothing; the server closes the connection after a takeover."""


async def garbage(writer: asyncio.StreamWriter) -> None:
    """Send bytes that are not HTTP."""
    await _send(writer, b"\x00\x01\x02 220 this port speaks something else \xff\xfe\r\n\r\n")


async def half(writer: asyncio.StreamWriter, response: Response) -> None:
    """Send the headers of `response` and half of its body."""
    body = body_of(response)
    await _send(writer, _head_of(response) + body[: len(body) // 2])


async def drip(writer: asyncio.StreamWriter, response: Response) -> None:
    """Send `response`, its body at one byte per second, until the client disconnects."""
    await _send(writer, _head_of(response))
    for byte in body_of(response):
        if await _left_within(writer, _DRIP):
            return
        await _send(writer, bytes([byte]))


async def endless(writer: asyncio.StreamWriter) -> None:
    """Send 1 GB of blanks as a body without a length, until the client disconnects."""
    headers = "content-type: application/json\r\nconnection: close"
    await _send(writer, f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{{".encode())
    for _ in range(_GIGABYTE // len(_BLANKS)):
        await _send(writer, _BLANKS)


def _head_of(response: Response) -> bytes:
    body = body_of(response)
    headers = {**response.headers, "content-length": str(len(body))}
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send all of `data` before returning.

    The server aborts the connection afterwards, and would drop what is still in asyncio's buffer.
    """
    writer.transport.set_write_buffer_limits(high=0)
    writer.write(data)
    await writer.drain()


async def _left_within(writer: asyncio.StreamWriter, seconds: float) -> bool:
    """Return True as soon as the client disconnects, False if it does not within `seconds`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:  # asyncio does not notify a writer when its peer closes
        if _client_left(writer):
            return True
        await asyncio.sleep(_LOOK_AGAIN)
    return False


def _client_left(writer: asyncio.StreamWriter) -> bool:
    """Return whether the client closed the connection, or it broke.

    A peer that closes leaves the transport open for writing, so only the socket itself shows it.
    All earlier bytes were read by asyncio, so an empty read means the end.
    """
    if writer.transport.is_closing():
        return True
    try:
        with writer.get_extra_info("socket").dup() as connection:
            return not connection.recv(1, socket.MSG_PEEK)
    except OSError as error:
        return not isinstance(error, BlockingIOError)


def latency(seconds: float = 2.0) -> Fault:
    """Return a fault that delays every response."""
    return Fault("latency", f"delays every response by {seconds:g} s", seconds=seconds)


def _taken_over(write: Callable[..., Awaitable[None]]) -> Apply:
    return always(Response(takeover=write))


def _half(_request: Request, response: Response) -> Response:
    return replace(response, takeover=partial(half, response=response))


def _drip(_request: Request, response: Response) -> Response:
    return replace(response, takeover=partial(drip, response=response))


CONNECTIONS = (
    latency(),
    Fault("hang", "sends nothing until the client disconnects", _taken_over(hang)),
    Fault("drip", "sends the correct response, one byte of its body per second", _drip),
    Fault("reset", "resets the TCP connection (RST) without a response", _taken_over(reset)),
    Fault("close", "closes the connection without a response", _taken_over(close)),
    Fault("garbage", "sends bytes that are not HTTP", _taken_over(garbage)),
    Fault("half", "closes the connection after half of the announced body", _half),
    Fault("endless", "200 with a body of 1 GB", _taken_over(endless)),
)
