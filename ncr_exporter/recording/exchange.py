"""One request and its whole answer, as they were on the wire."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import cast

import httpx

from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.ncr.http import read_body
from ncr_exporter.runtime.clock import Clock


@dataclass(frozen=True)
class Exchange:
    """Header names are lower case."""

    target: str
    """Path and query."""
    request_headers: Mapping[str, str]
    """Key and signature among them."""
    status: int
    headers: Mapping[str, str]
    body: bytes
    """Inflated."""
    received: float
    """When the headers came, by our clock; seconds since the epoch."""


Sink = Callable[[Exchange], None]


class Tap:
    """A hook of httpx that hands on each answer once it was read to its end."""

    def __init__(self, clock: Clock, *sinks: Sink) -> None:
        self._clock = clock
        self._sinks = sinks

    async def __call__(self, response: httpx.Response) -> None:
        """Read along with whoever reads the body."""
        stream = cast("httpx.AsyncByteStream", response.stream)
        received = self._clock.time()

        async def finished(chunks: list[bytes]) -> None:
            encoding = response.headers.get("content-encoding", "")
            try:
                body = await read_body(_each(chunks), encoding)
            except ApiError:
                return  # the reader says what is wrong with it
            exchange = Exchange(
                response.request.url.raw_path.decode("ascii"),
                dict(response.request.headers),
                response.status_code,
                dict(response.headers),
                body,
                received,
            )
            for sink in self._sinks:
                sink(exchange)

        response.stream = _ReadAlong(stream, finished)


class _ReadAlong(httpx.AsyncByteStream):
    def __init__(
        self,
        stream: httpx.AsyncByteStream,
        finished: Callable[[list[bytes]], Awaitable[None]],
    ) -> None:
        self._stream = stream
        self._finished = finished

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = []
        async for chunk in self._stream:
            chunks.append(chunk)
            yield chunk
        await self._finished(chunks)

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _each(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
