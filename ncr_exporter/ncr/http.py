"""The httpx client, and what its exceptions mean."""

import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import certifi
import httpx

from ncr_exporter import __version__
from ncr_exporter.config import Api
from ncr_exporter.ncr.errors import ApiError, ConnectionFailedError, TlsError


def http_client(api: Api, directory: Path) -> httpx.AsyncClient:
    """Return a client that goes where it is told and nowhere else.

    No redirect is followed and no cookie kept; the environment's proxies count only when asked
    for. Deadlines are the transport's: httpx's own are per read, and a trickle never meets them.

    Raises:
        OSError, ssl.SSLError: `ca_file` cannot be read.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    if api.ca_file is not None:
        context.load_verify_locations(cafile=str(directory / api.ca_file))
    return httpx.AsyncClient(
        verify=context,
        proxy=api.proxy_url.reveal() if api.proxy_url else None,
        trust_env=api.proxy_from_environment,
        follow_redirects=False,
        timeout=None,  # noqa: S113 -- the transport's deadline covers the whole attempt
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        limits=httpx.Limits(
            max_connections=api.max_concurrency,
            max_keepalive_connections=api.max_concurrency,
            keepalive_expiry=30.0,
        ),
        headers={
            "user-agent": f"ncr-exporter/{__version__}",
            "accept": "application/json",
            "accept-encoding": "gzip",
        },
    )


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
