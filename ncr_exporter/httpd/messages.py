"""Requests and responses, independent of sockets."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

_ORIGIN = re.compile("^https?://[^/?#]*", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """A request of a client."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case; values of equal names joined by `, `. `repr` leaves them out: they may
    hold a password."""
    client: str = ""
    """The address that it came from, without the port."""

    @property
    def path(self) -> str:
        """The path, still percent-encoded, without the `http://host` of a request for a proxy."""
        return re.split("[?#]", _ORIGIN.sub("", self.target), maxsplit=1)[0] or "/"

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, decoded; the last value of equal names."""
        return dict(parse_qsl(self.target.partition("?")[2]))


@dataclass(frozen=True)
class Response:
    """The response to a request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()
    """The body in pieces."""
    length: int | None = None
    """Bytes of the body, for `content-length`; None sends the body with chunked encoding."""
    takeover: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None
    """Writes to the connection in place of all the above, valid HTTP or not, and ends it."""
    stream: AsyncGenerator[bytes, None] | None = None
    """What follows `body`, in pieces that have to be waited for."""
    ended: Callable[[], object] = lambda: None
    """Called once the response was sent, or was given up."""


def text_response(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with a short body in plain text."""
    body = text.encode()
    content_type = {"content-type": "text/plain; charset=utf-8"}
    return Response(status, content_type | dict(headers or {}), (body,), len(body))


Handler = Callable[[Request], Awaitable[Response]]


_COALESCED = 128 * 1024  # bytes


def coalesced(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of `pieces` in fewer pieces, small ones joined up to 128 KiB.

    Each piece costs the server a write and a drain. A piece above 128 KiB is yielded as it is:
    joined, it would be copied for each client.
    """
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > _COALESCED:
            yield b"".join(small)
            small, size = [], 0
        small.append(piece)
        size += len(piece)
    yield b"".join(small)
