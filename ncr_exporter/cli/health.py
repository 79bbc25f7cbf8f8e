"""`ncr-exporter health`: checks the exporter on this host, for HEALTHCHECK in the image.

It runs every few seconds beside the exporter, so it imports as little as possible.
"""

import http.client
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from ncr_exporter.cli.flags import Command, Flag, Values, address
from ncr_exporter.httpd.address import Address
from ncr_exporter.runtime.streams import announce

_TIMEOUT = 3.0  # seconds
_EVERY_INTERFACE = {
    None: ("127.0.0.1", "::1"),
    "0.0.0.0": ("127.0.0.1",),  # noqa: S104 -- compared, not listened on
    "::": ("::1", "127.0.0.1"),
}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_ALIVE = {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}
"""401 counts, because a process that asks for a password works."""


def _run(values: Values, _: Mapping[str, str]) -> int:
    failures = []
    for url in _urls(values["--url"], values["--web.listen-address"]):
        try:
            status = _status(url)
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"{url}: {str(error) or type(error).__name__}{_hint(error)}")
            continue
        if status in _ALIVE:
            announce("healthy\n")
            return 0
        failures.append(f"{url}: HTTP {status}")
    sys.stderr.write("".join(f"ncr-exporter: not healthy: {failure}\n" for failure in failures))
    return 1


def _urls(url: str | None, listen: Sequence[Address]) -> Iterator[str]:
    """Yield the URLs at which the exporter may respond, the most likely first."""
    if url is not None:
        yield url
        return
    for host in _EVERY_INTERFACE.get(listen[0].host, (str(listen[0].host),)):
        yield f"http://{Address(host, listen[0].port)}/-/healthy"


def _status(url: str) -> int:
    """Return the HTTP status of a GET.

    Raises:
        OSError, http.client.HTTPException: there is no response.
        ValueError: no such URL can be asked.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT)
    if parts.scheme == "https":
        context = _context(host)
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=_TIMEOUT, context=context
        )
    try:
        connection.request("GET", parts.path or "/-/healthy")
        return connection.getresponse().status
    finally:
        connection.close()


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError(f"must be a URL such as https://localhost:10627/-/healthy, not {text!r}")
    return text


def _hint(error: Exception) -> str:
    if isinstance(error, ValueError | http.client.InvalidURL):
        return ""
    spoke_otherwise = isinstance(error, http.client.HTTPException | ConnectionResetError)
    return "; if the exporter uses TLS, set --url=https://…" if spoke_otherwise else ""


def _context(host: str) -> ssl.SSLContext:
    """Return the TLS settings for a host.

    On a loopback host no certificate is verified: one for the exporter's public name cannot match.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # a company's own authority may be an old one
    if host in _LOOPBACK:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


COMMAND = Command(
    "Ask the running exporter for its health; exit 0 if it is healthy, else 1.",
    (
        Flag(
            "--web.listen-address",
            ":10627",
            address,
            "listen address of the exporter; of several the first is asked",
            repeatable=True,
        ),
        Flag(
            "--url", None, _url, "ask this URL instead, such as https://localhost:10627/-/healthy"
        ),
    ),
    _run,
)
