"""The httpx client, and what its exceptions mean."""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from http.cookiejar import CookieJar
from pathlib import Path

import certifi
import httpx

from ncr_exporter import __version__
from ncr_exporter.config import Api, ConfigError, Problem
from ncr_exporter.ncr.errors import (
    ApiError,
    ConnectionFailedError,
    MalformedError,
    TlsError,
    TooLargeError,
)

Hook = Callable[[httpx.Response], Awaitable[None]]
"""Awaited with each answer before its body is read."""


class ClientPool:
    """One httpx client for each request in flight, and one connection for each client.

    httpx looks at every connection of its pool at every step of a request: with 32 of them that
    took nine tenths of the time. How many requests are in flight is the limiter's business.
    """

    def __init__(self, make: Callable[[], httpx.AsyncClient]) -> None:
        self._make = make
        self._idle: list[httpx.AsyncClient] = []
        self._all: list[httpx.AsyncClient] = []

    @contextmanager
    def acquire(self) -> Iterator[httpx.AsyncClient]:
        """Give a client that nobody else uses meanwhile; the one used last, for it is connected."""
        if not self._idle:
            self._idle.append(self._make())
            self._all += self._idle
        client = self._idle.pop()
        try:
            yield client
        finally:
            self._idle.append(client)

    async def aclose(self) -> None:
        """Close all connections."""
        for client in self._all:
            await client.aclose()


def client_pool(api: Api, directory: Path, hooks: Sequence[Hook] = ()) -> ClientPool:
    """Return clients that go where they are told and nowhere else.

    No redirect is followed and no cookie kept; the environment's proxies count only when asked
    for. Deadlines are the transport's: httpx's own are per read, and a trickle never meets them.

    Raises:
        ConfigError: `ca_file` cannot be used.
    """
    return ClientPool(partial(_client, api, _tls_context(api, directory), hooks))


def _tls_context(api: Api, directory: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    if api.ca_file is None:
        return context
    path = directory / api.ca_file
    try:
        context.load_verify_locations(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        message = f"{path} is no readable bundle of certificates: {error.strerror or error}"
        raise ConfigError("configuration", [Problem("api.ca_file", message)]) from None
    return context


def _client(api: Api, context: ssl.SSLContext, hooks: Sequence[Hook]) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=context,
        proxy=api.proxy_url.reveal() if api.proxy_url else None,
        trust_env=api.proxy_from_environment,
        follow_redirects=False,
        timeout=None,  # noqa: S113 -- the transport's deadline covers the whole attempt
        cookies=_NoCookies(),
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30.0),
        event_hooks={"response": [*hooks]},
        headers={
            "user-agent": f"ncr-exporter/{__version__}",
            "accept": "application/json",
            "accept-encoding": "gzip",
        },
    )


class _NoCookies(CookieJar):
    """Takes no cookie and gives none, without a look at what came: the API has none."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Keep nothing."""

    def add_cookie_header(self, request: object) -> None:
        """Send nothing."""


def error_from(error: httpx.HTTPError) -> ApiError:
    """Return what an exception of httpx means to us."""
    cause = _root(error)
    detail = str(cause) or type(error).__name__
    if isinstance(cause, ssl.SSLError):
        return TlsError(f"TLS failed: {detail}")
    if isinstance(error, httpx.ConnectError):
        return ConnectionFailedError(f"cannot connect: {detail}")
    if isinstance(error, httpx.ProxyError):
        return ConnectionFailedError(f"the proxy refused: {detail}")
    return ConnectionFailedError(f"the connection broke: {detail}")


def _root(error: BaseException) -> BaseException:
    """Return the first cause: httpx's own text hides whether DNS, TCP or TLS failed."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


MAX_SENT = 16 * 2**20
"""Bytes on the wire; the largest page imaginable is a fraction of it."""
MAX_INFLATED = 64 * 2**20
"""Bytes after gzip: 300 kB can inflate to 300 MB."""
SMALL = 2**20
"""Bytes, several times a page of 100 tags."""

_GZIP = zlib.MAX_WBITS | 16
_PIECE = 2**18  # bytes inflated at a time


async def read_body(
    chunks: AsyncIterator[bytes], encoding: str, large: asyncio.Lock | None = None
) -> bytes:
    """Return the body, inflated when `encoding` is gzip; one that is large takes the lock.

    Raises:
        TooLargeError: a cap was reached; no more was read or inflated.
        MalformedError: an encoding that was not asked for, or gzip that is none.
    """
    if encoding not in {"", "identity", "gzip"}:
        raise MalformedError(f"the answer has the content encoding {encoding[:40]!r}")
    body = _Gzip() if encoding == "gzip" else _Plain()
    async with AsyncExitStack() as held:
        async for chunk in chunks:
            for size in body.add(chunk):
                if size <= SMALL:
                    continue
                if large is not None:
                    await held.enter_async_context(large)
                    large = None  # it is held
                await asyncio.sleep(0)  # to inflate one chunk may take a tenth of a second
        return body.whole()


class _Plain:
    """A body as it was sent."""

    def __init__(self) -> None:
        self._sent: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> Iterator[int]:
        """Take a chunk in; yield what the body measures (bytes)."""
        self._size += len(chunk)
        if self._size > MAX_SENT:
            raise TooLargeError(f"the answer is larger than {MAX_SENT} bytes")
        self._sent.append(chunk)
        yield self._size

    def whole(self) -> bytes:
        """Return the body."""
        return b"".join(self._sent)


class _Gzip:
    """A body that inflates: kept while it is small, and else only measured until all is there."""

    def __init__(self) -> None:
        self._sent = _Plain()
        self._inflater = zlib.decompressobj(_GZIP)
        self._inflated: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> Iterator[int]:
        """Take a chunk in; yield what the body measures (bytes), again and again as it grows."""
        yield from self._sent.add(chunk)
        for piece in self._pieces(chunk):
            self._size += len(piece)
            if self._size > MAX_INFLATED:
                raise TooLargeError(f"the answer inflates to more than {MAX_INFLATED} bytes")
            if self._size <= SMALL:
                self._inflated.append(piece)
            else:
                self._inflated.clear()
            yield self._size

    def whole(self) -> bytes:
        """Return the body, inflated."""
        if not self._inflater.eof:
            raise MalformedError("the answer's gzip is cut short")
        if self._size <= SMALL:
            return b"".join(self._inflated)
        return zlib.decompress(self._sent.whole(), _GZIP, self._size)

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while piece := self._inflater.decompress(chunk, _PIECE):
                yield piece
                chunk = self._inflater.unconsumed_tail
        except zlib.error as error:
            raise MalformedError(f"the answer's gzip is broken: {error}") from None
