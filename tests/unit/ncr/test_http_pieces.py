"""Answers in very many pieces: other tasks run meanwhile."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from ncr_exporter.config import Api
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.ncr.body import read_body
from ncr_exporter.ncr.http import client_pool
from tests.support.api_thread import serving
from tests.support.turns import turns

IN_FLIGHT = 8
PIECES = 10_000
# The server closes each connection: said so, or the next request might meet the closing.
HEAD = b"HTTP/1.1 200 OK\r\nconnection: close\r\n"
INFORMATIONAL = b"HTTP/1.1 100 \r\n\r\n" * PIECES + HEAD + b"content-length: 1\r\n\r\nx"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * PIECES + b"0\r\n\r\n"


def answering_with(answer: bytes) -> Callable[[Request], "asyncio.Future[Response]"]:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    async def handle(_: Request) -> Response:
        return Response(takeover=write)

    return handle  # type: ignore[return-value] # a coroutine is awaited all the same


@pytest.mark.parametrize(
    ("answer", "body"), [(INFORMATIONAL, b"x"), (CHUNKED, b"x" * PIECES)], ids=["1xx", "chunks"]
)
async def test_an_answer_in_many_pieces_does_not_hold_the_event_loop(
    answer: bytes, body: bytes
) -> None:
    with serving(answering_with(answer)) as url:
        pool = client_pool(Api(), Path())

        async def get() -> bytes:
            with pool.acquire(url) as client:
                async with client.stream("GET", url) as response:
                    return await read_body(response.aiter_raw(), "")

        await get()  # what is imported and set up with the first request is another matter
        async with turns() as measured:
            bodies = await asyncio.gather(*(get() for _ in range(IN_FLIGHT)))
        await pool.aclose()
    assert set(bodies) == {body}
    assert measured.longest < 0.1
