"""A request and a response, without sockets."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

_ORIGIN = re.compile("^https?://[^/?#]*", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """What a client asked for. Header names are lower case; of equal ones the values are joined."""

    method: str
    target: str
    """Path and query, as on the wire."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """A password may be among them, so no traceback or log shows them."""

    @property
    def path(self) -> str:
        """The path, still percent-encoded; `http://host` before it is for proxies."""
        return re.split("[?#]", _ORIGIN.sub("", self.target), maxsplit=1)[0] or "/"

    @property
    def query(self) -> dict[str, str]:
        """The query's values; of equal names the last."""
        return dict(parse_qsl(self.target.partition("?")[2]))


@dataclass(frozen=True)
class Response:
    """What it is answered. A body of several pieces without `length` is sent in chunks."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()
    length: int | None = None
    takeover: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None
    """Writes the bytes itself, valid HTTP or not, and ends the connection."""


def text_response(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a short answer in plain text."""
    body = text.encode()
    content_type = {"content-type": "text/plain; charset=utf-8"}
    return Response(status, content_type | dict(headers or {}), (body,), len(body))


Handler = Callable[[Request], Awaitable[Response]]


_ENOUGH = 128 * 1024
"""Bytes worth handing on: many small pieces cost the server more."""


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in fewer pieces; a large one as it is, for each client would copy it."""
    some: list[bytes] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > _ENOUGH:
            yield b"".join(some)
            some, size = [], 0
        some.append(piece)
        size += len(piece)
    yield b"".join(some)
