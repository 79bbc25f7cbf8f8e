"""The httpx clients, their exceptions as errors of the API client, and bodies within caps."""

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
from ncr_exporter.config.files import unreadable
from ncr_exporter.ncr.errors import (
    ApiError,
    ConnectionFailedError,
    MalformedError,
    TlsError,
    TooLargeError,
)

Hook = Callable[[httpx.Response], Awaitable[None]]
"""Awaited with each response before its body is read."""


class ClientPool:
    """A pool of httpx clients, one for each request in flight, with one connection each.

    It grows as needed: the limiter limits the requests in flight.
    """

    # One client with many connections would do the same. But httpx visits every connection of a
    # client at every step of every request: with 32 connections that took nine tenths of the time.

    def __init__(self, make: Callable[[], httpx.AsyncClient]) -> None:
        """Start without a client; `make` returns a new one."""
        self._make = make
        self._idle: list[httpx.AsyncClient] = []
        self._all: list[httpx.AsyncClient] = []

    @contextmanager
    def acquire(self) -> Iterator[httpx.AsyncClient]:
        """Check out an idle client, most recently used first: its connection is warm."""
        if not self._idle:
            self._idle.append(self._make())
            self._all += self._idle
        client = self._idle.pop()
        try:
            yield client
        finally:
            self._idle.append(client)

    async def aclose(self) -> None:
        """Close the connections of all clients, in use or idle."""
        for client in self._all:
            await client.aclose()


def client_pool(api: Api, directory: Path, hooks: Sequence[Hook] = ()) -> ClientPool:
    """Return a pool of clients that connect only to the configured API or proxy.

    They follow no redirect and keep no cookie. Proxies of the environment are used only if the
    configuration says so. They have no timeouts: httpx's are per read, so that a response of one
    byte every few seconds never meets them. The transport's deadline covers a whole attempt.

    Args:
        api: the section `api` of the configuration.
        directory: a relative `ca_file` starts here.
        hooks: awaited with each response.

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
        is_ssl = isinstance(error, ssl.SSLError)
        reason = (error.strerror or str(error)) if is_ssl else unreadable(path, error)
        message = f"{path} cannot be read as certificates: {reason}"
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
    """Keeps and sends no cookies; it saves parsing them, and the API has none."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Keep nothing."""

    def add_cookie_header(self, request: object) -> None:
        """Send nothing."""


def error_from(error: httpx.HTTPError) -> ApiError:
    """Return the error that an exception of httpx stands for."""
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
    """Return the first cause: the text of httpx hides whether DNS, TCP or TLS failed."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


MAX_SENT = 16 * 2**20
"""Bytes of a body as sent; the largest page imaginable is a fraction of it."""
MAX_INFLATED = 64 * 2**20
"""Bytes of an inflated body; 300 kB of gzip can inflate to 300 MB."""
LARGE_BODY = 2**20
"""Bytes; a body above this is large. A page of 100 tags has a fraction of it."""

_GZIP = zlib.MAX_WBITS | 16
_PIECE = 2**18  # bytes inflated at a time


async def read_body(
    chunks: AsyncIterator[bytes], encoding: str, large_body: asyncio.Lock | None = None
) -> bytes:
    """Return the body of a response, inflated if it is compressed.

    Args:
        chunks: the body as sent.
        encoding: the response's `content-encoding`; empty without one.
        large_body: held from when the body is large until it is read, so that of an account's
            bodies one at a time is large. Eight of 64 MiB would be more than a container has.

    Raises:
        TooLargeError: the body exceeds a cap; the rest is neither read nor inflated.
        MalformedError: the encoding was not asked for, or the gzip is broken or cut short.
    """
    if encoding not in {"", "identity", "gzip"}:
        raise MalformedError(f"the answer has the content encoding {encoding[:40]!r}")
    body = _Gzip() if encoding == "gzip" else _Plain()
    async with AsyncExitStack() as held:
        async for chunk in chunks:
            for size in body.add(chunk):
                if size <= LARGE_BODY:
                    continue
                if large_body is not None:
                    await held.enter_async_context(large_body)
                    large_body = None  # it is held now
                # One chunk may inflate to a thousand times its size, which takes a tenth of a
                # second. So other tasks run after each piece of 256 KiB.
                await asyncio.sleep(0)
        return body.whole()


class _Plain:
    """A body as it was sent."""

    def __init__(self) -> None:
        self._sent: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> Iterator[int]:
        """Add a chunk as sent; yield the body's size in bytes."""
        self._size += len(chunk)
        if self._size > MAX_SENT:
            raise TooLargeError(f"the answer is larger than {MAX_SENT} bytes")
        self._sent.append(chunk)
        yield self._size

    def whole(self) -> bytes:
        """Return the body."""
        return b"".join(self._sent)


class _Gzip:
    """A gzip body, inflated piece by piece to measure it."""

    # Inflated pieces are kept only while the body is small. A large body is inflated twice: first
    # to measure it, which keeps nothing but the bytes as sent, then at the end into one block of
    # the exact size. Pieces kept and then joined would need twice the memory, up to 128 MiB.

    def __init__(self) -> None:
        self._sent = _Plain()
        self._inflater = zlib.decompressobj(_GZIP)
        self._inflated: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> Iterator[int]:
        """Add a chunk as sent; yield the body's size in bytes after each inflated piece."""
        yield from self._sent.add(chunk)
        for piece in self._pieces(chunk):
            self._size += len(piece)
            if self._size > MAX_INFLATED:
                raise TooLargeError(f"the answer inflates to more than {MAX_INFLATED} bytes")
            if self._size <= LARGE_BODY:
                self._inflated.append(piece)
            else:
                self._inflated.clear()
            yield self._size

    def whole(self) -> bytes:
        """Return the body, inflated."""
        if not self._inflater.eof:
            raise MalformedError("the answer's gzip is cut short")
        if self._size <= LARGE_BODY:
            return b"".join(self._inflated)
        return zlib.decompress(self._sent.whole(), _GZIP, self._size)

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while piece := self._inflater.decompress(chunk, _PIECE):
                yield piece
                chunk = self._inflater.unconsumed_tail
        except zlib.error as error:
            raise MalformedError(f"the answer's gzip is broken: {error}") from None
