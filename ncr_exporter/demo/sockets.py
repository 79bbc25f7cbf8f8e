"""Answers that break HTTP or TCP: each writes to the connection itself, which then ends."""

import asyncio
import socket
import struct
from http import HTTPStatus

from ncr_exporter.demo.answers import body_of
from ncr_exporter.web.messages import Response

_LINGER_NOT = struct.pack("ii", 1, 0)
_LOOK_AGAIN = 0.05  # seconds


async def hang(writer: asyncio.StreamWriter) -> None:
    """Say nothing until the client leaves."""
    while not _client_left(writer):  # noqa: ASYNC110 -- nobody tells a writer that its peer closed
        await asyncio.sleep(_LOOK_AGAIN)


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
    headers = {**answer.headers, "content-length": str(len(body))}
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    await _send(writer, head + body[: len(body) // 2])


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Hand `data` to the system whole: the server aborts the connection, dropping its buffer."""
    writer.transport.set_write_buffer_limits(high=0)
    writer.write(data)
    await writer.drain()


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
