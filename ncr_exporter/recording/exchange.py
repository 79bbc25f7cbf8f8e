"""Copies each exchange with the API, a request and its whole response, to sinks."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import cast

import httpx

from ncr_exporter.ncr.body import read_body
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.runtime.clock import Clock


@dataclass(frozen=True)
class Exchange:
    """A request and its response. Header names are lower case."""

    target: str
    """Path and query of the request."""
    request_headers: Mapping[str, str]
    """Contain the access key and the signature."""
    status: int
    headers: Mapping[str, str]
    body: bytes
    """The response's body, decompressed."""
    received: float
    """When the response's headers came, by this host's clock (s since the epoch)."""


Sink = Callable[[Exchange], None]


class Tap:
    """A response hook of httpx that gives each exchange to sinks.

    That happens once the client has read the whole body. Responses whose body cannot be decoded, or
    is not read to its end, are left out.
    """

    def __init__(self, clock: Clock, *sinks: Sink) -> None:
        self._clock = clock
        self._sinks = sinks

    async def __call__(self, response: httpx.Response) -> None:
        """Wrap the response's stream, so that its chunks are kept while the client reads them."""
        stream = cast("httpx.AsyncByteStream", response.stream)
        received = self._clock.time()

        async def finished(chunks: list[bytes]) -> None:
            encoding = response.headers.get("content-encoding", "")
            try:
                body = await read_body(_each(chunks), encoding)
            except ApiError:
                return  # the client that reads the body meets the same error and reports it
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

        response.stream = _CopiedStream(stream, finished)


class _CopiedStream(httpx.AsyncByteStream):
    """Yields the chunks of a stream, and calls `finished` with all of them at its end."""

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
