"""The httpx clients, and their exceptions as errors of the API client."""

import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from types import MappingProxyType

import certifi
import h11
import httpcore
import httpx

from ncr_exporter import __version__
from ncr_exporter.config import Api, ConfigError, Problem, Secret
from ncr_exporter.config.files import unreadable
from ncr_exporter.ncr.errors import (
    ApiError,
    ConnectionFailedError,
    RedirectError,
    ReusedConnectionError,
    TlsError,
)
from ncr_exporter.runtime.memory_files import file_in_memory
from ncr_exporter.runtime.timely import read_timely
from ncr_exporter.texts import failures

Hook = Callable[[httpx.Response], Awaitable[None]]
"""Awaited with each response before its body is read."""


_READ = 8 * 1024
"""Bytes that a connection reads at a time. A page is some kilobytes, compressed."""


class ClientPool:
    """A pool of httpx clients, one for each request in flight to a host, with one connection each.

    It grows as needed: the limiter limits the requests in flight.
    """

    # One client with many connections would do the same. But httpx visits every connection of a
    # client at every step of every request: with 32 connections that took nine tenths of the time.

    def __init__(self, make: Callable[[str], httpx.AsyncClient]) -> None:
        """Start without a client; `make` returns a new one for a base URL."""
        self._make = make
        self._idle: defaultdict[str, list[httpx.AsyncClient]] = defaultdict(list)
        self._all: list[httpx.AsyncClient] = []

    @contextmanager
    def acquire(self, base_url: str) -> Iterator[httpx.AsyncClient]:
        """Check out an idle client of a host, most recently used first: its connection is warm."""
        idle = self._idle[base_url]
        if not idle:
            idle.append(self._make(base_url))
            self._all += idle
        client = idle.pop()
        try:
            yield client
        finally:
            idle.append(client)

    async def aclose(self) -> None:
        """Close the connections of all clients, in use or idle."""
        for client in self._all:
            await client.aclose()


def client_pool(
    api: Api,
    directory: Path,
    *,
    proxies: Mapping[str, Secret | None] = MappingProxyType({}),
    hooks: Sequence[Hook] = (),
) -> ClientPool:
    """Return a pool of clients that connect only to the configured API or to its proxy.

    They follow no redirect, keep no cookie and read no environment variable. They have no timeouts:
    httpx's are per read, so that a response of one byte every few seconds never meets them. The
    transport's deadline covers a whole attempt.

    Args:
        api: the section `api` of the configuration.
        directory: a relative `ca_file` starts here.
        proxies: base URL → the URL of its proxy, by `ncr.proxies`; None for none.
        hooks: awaited with each response.

    Raises:
        ConfigError: `ca_file` cannot be used.
    """
    # httpcore handles all that it has read in one turn of the event loop. 64 KiB, its default, of
    # informational responses take 30 ms, for each request in flight.
    httpcore.AsyncHTTP11Connection.READ_NUM_BYTES = _READ
    context = _tls_context(api, directory)
    return ClientPool(lambda base_url: _client(context, proxies.get(base_url), hooks))


def _tls_context(api: Api, directory: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    # From 3.13 on Python refuses authorities that are less than RFC 5280 asks for, which those of
    # many companies are, and it takes an intermediate authority for an anchor of trust. Here both
    # are the same on every Python: the image has another one than many hosts.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if api.ca_file is None:
        return context
    path = directory / api.ca_file
    try:
        with file_in_memory(read_timely(path)) as cafile:
            context.load_verify_locations(cafile)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; ValueError: no such path
        raise _ca_file_error(path, error) from None
    return context


def ca_file_content(api: Api, directory: Path) -> bytes:
    """Return the content of `ca_file`; nothing without one.

    Raises:
        ConfigError: it cannot be read.
    """
    if api.ca_file is None:
        return b""
    try:
        return read_timely(directory / api.ca_file)
    except (OSError, ValueError) as error:
        raise _ca_file_error(directory / api.ca_file, error) from None


def _ca_file_error(path: Path, error: OSError | ValueError) -> ConfigError:
    if isinstance(error, ssl.SSLError):
        reason = error.strerror or str(error)
    else:
        reason = unreadable(path, error)
    message = f"{path} cannot be read as certificates: {reason}"
    return ConfigError("configuration", [Problem("api.ca_file", message)])


def _client(
    context: ssl.SSLContext, proxy: Secret | None, hooks: Sequence[Hook]
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=context,
        proxy=_proxy(proxy, context) if proxy else None,
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113 -- the transport's deadline covers the whole attempt
        cookies=_NoCookies(),
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30.0),
        event_hooks={"response": [*hooks]},
        headers={
            "user-agent": f"ncr-exporter/{__version__}",
            "accept": "application/json",
            "accept-encoding": "gzip",
            "cache-control": "no-cache",
        },
    )


def _proxy(url: Secret, context: ssl.SSLContext) -> httpx.Proxy:
    is_encrypted = httpx.URL(url.reveal()).scheme == "https"
    return httpx.Proxy(url.reveal(), ssl_context=context if is_encrypted else None)


class _NoCookies(CookieJar):
    """Keeps and sends no cookies; it saves parsing them, and the API has none."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Keep nothing."""

    def add_cookie_header(self, request: object) -> None:
        """Send nothing."""


class ConnectionTrace:
    """Whether a request needed a new connection; httpcore's extension `trace` of that request.

    An instance is called with each step that httpcore takes.
    """

    def __init__(self) -> None:
        self.connected = False
        """Whether a connection was made for this request."""

    async def __call__(self, event: str, _info: object) -> None:
        """Record the step `event`, as httpcore names it."""
        self.connected |= event == "connection.connect_tcp.started"


def error_before_response(error: httpx.HTTPError | OSError, trace: ConnectionTrace) -> ApiError:
    """Return the error that an exception stands for which came before the response's headers."""
    if not trace.connected and _is_closed(error):
        return ReusedConnectionError(failures.CLOSED_WHILE_IDLE())
    return error_from(error)


def _is_closed(error: httpx.HTTPError | OSError) -> bool:
    """Return whether a connection broke, rather than carry bytes that are not HTTP."""
    broke = isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError)
    *_, cause = _causes(error)
    return broke and not isinstance(cause, h11.RemoteProtocolError | ssl.SSLError)


def error_from(error: httpx.HTTPError | OSError) -> ApiError:
    """Return the error that an exception of httpx, or one that httpx lets through, stands for."""
    causes = list(_causes(error))
    detail = str(causes[-1]) or type(error).__name__
    if isinstance(causes[-1], ssl.SSLError):
        return TlsError(failures.TLS_FAILED(detail=detail))
    if any(isinstance(cause, httpx.InvalidURL) for cause in causes):
        # What httpx says of a URL may quote half of a password, so it is not shown.
        return RedirectError(failures.REDIRECTED_NOWHERE())
    if isinstance(error, httpx.ConnectError):
        return ConnectionFailedError(failures.NOT_CONNECTED(detail=detail))
    if isinstance(error, httpx.ProxyError):
        return ConnectionFailedError(failures.PROXY_REFUSED(detail=detail))
    return ConnectionFailedError(failures.CONNECTION_BROKE(detail=detail))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes; the text of the last says whether DNS, TCP or TLS failed."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
