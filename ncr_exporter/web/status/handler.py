"""The page over HTTP: rendered in a thread, and sent again only where it changed."""

import asyncio
import gc
import gzip
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from pathlib import Path

from ncr_exporter.httpd.messages import Handler, Request, Response, text_response
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import ImageKey
from ncr_exporter.web.negotiation import wants_gzip

_DIRECTORY = Path(__file__).parent / "static"
_TYPES = {
    "icon.svg": "image/svg+xml",
    "status.css": "text/css; charset=utf-8",
    "status.js": "text/javascript; charset=utf-8",
}


def content_types() -> Mapping[str, str]:
    """Return the path of each asset, and its media type."""
    return {f"/static/{name}": content_type for name, content_type in _TYPES.items()}


@cache
def asset(path: str) -> bytes:
    """Return an asset's bytes, by its path."""
    return (_DIRECTORY / path.removeprefix("/static/")).read_bytes()


_AT_A_TIME = 4
"""Visitors served or waiting; more are refused, for each holds a place that a scrape may need."""
_TURN = 0.001
"""Seconds; of the interpreter, between threads. Python's own is five times as long."""
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff",
}


class StatusPage:
    """Answers for `/` and for what the page loads.

    Rendering takes turns in a thread, so that it holds neither the event loop nor, by many at a
    time, the interpreter: a scrape must not feel that somebody looks.
    """

    def __init__(
        self,
        store: Store,
        next_poll: Callable[[ImageKey], float | None],
        links: Callable[[], Sequence[tuple[str, str]]] = tuple,
    ) -> None:
        self._store = store
        self._next_poll = next_poll
        self._links = links
        self._turn = asyncio.Lock()
        self._visitors = 0

    async def page(self, request: Request) -> Response:
        """Answer with the page that a query asks for, as things stand at this moment."""
        if self._visitors >= _AT_A_TIME:
            busy = {"retry-after": "2"}
            return text_response(HTTPStatus.SERVICE_UNAVAILABLE, "too many visitors\n", busy)
        self._visitors += 1
        try:
            async with self._turn:
                images = tuple(self._store.images.values())
                registries = tuple(self._store.registries.values())
                return await asyncio.to_thread(self._rendered, request, images, registries)
        finally:
            self._visitors -= 1

    def _rendered(
        self,
        request: Request,
        images: tuple[ImageState, ...],
        registries: tuple[RegistryState, ...],
    ) -> Response:
        # Templates cost time and memory, which serving metrics alone does not need.
        from ncr_exporter.web.status.page import Snapshot, render  # noqa: PLC0415 -- as said

        snapshot = Snapshot(images, registries, self._next_poll, self._links())
        with _giving_way():
            status, text = render(snapshot, request.query)
        # A lone surrogate, which no name should hold, must not cost the whole page.
        return _answer(request, text.encode(errors="replace"), "text/html; charset=utf-8", status)

    @staticmethod
    def assets() -> Mapping[str, Handler]:
        """Return the paths of what the page loads, and what answers for them."""
        return dict.fromkeys(content_types(), _asset)


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let the event loop in each millisecond, and put full garbage collections off until after.

    One of those stops every thread for 0.1 s at 3,000 images; the rows of some pages, young and
    many, would set it off, and leave nothing for it to find. Pages take turns, so nothing nests.
    """
    interval, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_TURN)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if collects:
            gc.enable()


async def _asset(request: Request) -> Response:
    return _answer(request, asset(request.path), content_types()[request.path])


def _answer(request: Request, body: bytes, content_type: str, status: int = 200) -> Response:
    """Return a body, or word that the visitor has it already."""
    # Weak, for it names the same page whether it is compressed or not.
    etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {**_HEADERS, "etag": etag}
    if status == HTTPStatus.OK and _is_known(etag, request.headers.get("if-none-match", "")):
        return Response(HTTPStatus.NOT_MODIFIED, headers)
    headers["content-type"] = content_type
    if wants_gzip(request.headers.get("accept-encoding", "")):
        body = gzip.compress(body, 1, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(status, headers, (body,), len(body))


def _is_known(etag: str, if_none_match: str) -> bool:
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in known or etag.removeprefix("W/") in known
