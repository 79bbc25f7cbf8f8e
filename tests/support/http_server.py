"""Loopback, and servers on it: a handler, an exposition to scrape, a webhook that keeps all."""

import json
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ncr_exporter.httpd import messages
from ncr_exporter.httpd.access import AccessPolicy
from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.server import Server


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="needs ::1: some containers have none")

NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Whom a client of plain HTTP trusts: httpx takes 15 ms to load whom everybody trusts."""

Notification = dict[str, Any]
"""What Alertmanager posts."""


@asynccontextmanager
async def served(
    handler: messages.Handler, access: AccessPolicy | None = None, *, requests: int = 64
) -> AsyncIterator[str]:
    """Give the base URL of our own server with a handler, until the end of the block."""
    async with Server(handler, Limits(requests=requests), access) as server:
        port = await server.listen("127.0.0.1", 0)
        yield f"{'https' if access and access.tls else 'http'}://127.0.0.1:{port}"


@contextmanager
def exposition(text: str | Callable[[], str]) -> Iterator[str]:
    """Serve an exposition in text format 0.0.4, or what is made of it at each scrape.

    Gives the `host:port` to scrape.
    """
    made = text if callable(text) else lambda: text

    class Handler(_Quiet):
        def do_GET(self) -> None:
            self.answer(made().encode(), "text/plain; version=0.0.4")

    with _serving(Handler) as address:
        yield address


class Inbox:
    """What was posted, by path, as it comes."""

    def __init__(self) -> None:
        self.address = ""
        self._received: list[tuple[str, Notification]] = []
        self._arrived = threading.Condition()  # reentrant

    def put(self, path: str, notification: Notification) -> None:
        """Keep one."""
        with self._arrived:
            self._received.append((path, notification))
            self._arrived.notify_all()

    def alerts(self, path: str) -> list[dict[str, Any]]:
        """Every alert posted to a path so far, each with the labels that its `group` shares."""
        with self._arrived:
            posted = [notification for at, notification in self._received if at == path]
        return [
            {**alert, "group": each["groupLabels"]} for each in posted for alert in each["alerts"]
        ]

    def wait_for_post(self, path: str, within: float = 30.0) -> Notification:
        """Return the first thing posted to a path, whatever its form."""
        deadline = time.monotonic() + within
        with self._arrived:
            while not (found := [body for at, body in self._received if at == path]):
                left = deadline - time.monotonic()
                assert left > 0, f"nothing at {path} within {within} s: {self._received}"
                self._arrived.wait(left)
        return found[0]

    def wait_for(
        self, path: str, wanted: Callable[[dict[str, Any]], bool], within: float = 30.0
    ) -> dict[str, Any]:
        """Return the first alert that is wanted of those posted to a path."""
        deadline = time.monotonic() + within
        with self._arrived:
            while not (found := [alert for alert in self.alerts(path) if wanted(alert)]):
                left = deadline - time.monotonic()
                assert left > 0, f"no such alert at {path} within {within} s: {self._received}"
                self._arrived.wait(left)
        return found[0]


@contextmanager
def webhook() -> Iterator[Inbox]:
    """Serve a webhook."""
    inbox = Inbox()

    class Handler(_Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            inbox.put(self.path, json.loads(body))
            self.answer(b"ok", "text/plain")

    with _serving(Handler) as inbox.address:
        yield inbox


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
        """Say nothing."""

    def answer(self, body: bytes, content_type: str) -> None:
        """Send a whole answer."""
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
