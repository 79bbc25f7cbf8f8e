"""Answers that come late, never end, or break HTTP or TCP.

What breaks a connection writes to it directly; the connection then ends.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.faults.fault import Apply, Fault, instead
from ncr_exporter.simulator.responses import body_of

_LINGER_NOT = struct.pack("ii", 1, 0)
_LOOK_AGAIN = 0.05  # seconds
_DRIP = 1.0  # seconds
_GIGABYTE = 10**9
_BLANKS = b" " * 100_000


async def hang(writer: asyncio.StreamWriter) -> None:
    """Say nothing until the client leaves."""
    await _left_within(writer, float("inf"))


async def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection with a TCP RST."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()


async def close(_writer: asyncio.StreamWriter) -> None:
    """Say nothing; that the connection ends after a takeover is the server's doing."""


async def garbage(writer: asyncio.StreamWriter) -> None:
    """Send what no HTTP client can read."""
    await _send(writer, b"\x00\x01\x02 220 this port speaks something else \xff\xfe\r\n\r\n")


async def half(writer: asyncio.StreamWriter, answer: Response) -> None:
    """Promise the whole body of `answer` and send half of it."""
    body = body_of(answer)
    await _send(writer, _head_of(answer) + body[: len(body) // 2])


async def drip(writer: asyncio.StreamWriter, answer: Response) -> None:
    """Send `answer`, of its body one byte per second, until the client leaves."""
    await _send(writer, _head_of(answer))
    for byte in body_of(answer):
        if await _left_within(writer, _DRIP):
            return
        await _send(writer, bytes([byte]))


async def endless(writer: asyncio.StreamWriter) -> None:
    """Begin a page and send blanks, without a length, until it is 1 GB or the client leaves."""
    headers = "content-type: application/json\r\nconnection: close"
    await _send(writer, f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{{".encode())
    for _ in range(_GIGABYTE // len(_BLANKS)):
        await _send(writer, _BLANKS)


def _head_of(answer: Response) -> bytes:
    body = body_of(answer)
    headers = {**answer.headers, "content-length": str(len(body))}
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Hand `data` to the system whole: the server aborts the connection, dropping its buffer."""
    writer.transport.set_write_buffer_limits(high=0)
    writer.write(data)
    await writer.drain()


async def _left_within(writer: asyncio.StreamWriter, seconds: float) -> bool:
    """Wait; tell whether the client left meanwhile, at once where it did."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:  # nobody tells a writer that its peer closed
        if _client_left(writer):
            return True
        await asyncio.sleep(_LOOK_AGAIN)
    return False


def _client_left(writer: asyncio.StreamWriter) -> bool:
    """Tell whether the other side closed, or the connection broke.

    A close leaves the transport open for writing, hence the look at the socket itself; asyncio has
    read all that came before.
    """
    if writer.transport.is_closing():
        return True
    try:
        with writer.get_extra_info("socket").dup() as connection:
            return not connection.recv(1, socket.MSG_PEEK)
    except OSError as error:
        return not isinstance(error, BlockingIOError)


def latency(seconds: float = 2.0) -> Fault:
    """Return the fault that holds every answer back."""
    return Fault("latency", f"answers only after {seconds:g} s", seconds=seconds)


def _taken_over(write: Callable[..., Awaitable[None]]) -> Apply:
    return instead(Response(takeover=write))


def _half(_request: Request, answer: Response) -> Response:
    return replace(answer, takeover=partial(half, answer=answer))


def _drip(_request: Request, answer: Response) -> Response:
    return replace(answer, takeover=partial(drip, answer=answer))


CONNECTIONS = (
    latency(),
    Fault("hang", "never answers, until the client leaves", _taken_over(hang)),
    Fault("drip", "sends the right answer, one byte of its body per second", _drip),
    Fault("reset", "breaks the TCP connection (RST) without an answer", _taken_over(reset)),
    Fault("close", "closes the connection without an answer", _taken_over(close)),
    Fault("garbage", "answers bytes that are no HTTP", _taken_over(garbage)),
    Fault("half", "sends half of the body that its headers promise, then closes", _half),
    Fault("endless", "200 with a body of 1 GB", _taken_over(endless)),
)
