"""Serves the status page: renders it in a thread, and sends it only if it changed."""

import gzip
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path

from ncr_exporter.httpd.messages import Handler, Request, Response
from ncr_exporter.runtime.timely import in_thread
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import ImageKey
from ncr_exporter.web.negotiation import wants_gzip
from ncr_exporter.web.visitors import RenderingThread, places_for_visitors, too_many_visitors

_DIRECTORY = Path(__file__).parent / "static"
_TYPES = {
    "icon.svg": "image/svg+xml",
    "status.css": "text/css; charset=utf-8",
    "status.js": "text/javascript; charset=utf-8",
}


def content_types() -> Mapping[str, str]:
    """Return the media type of each asset by its path."""
    return {f"/static/{name}": content_type for name, content_type in _TYPES.items()}


@cache
def asset(path: str) -> bytes:
    """Return the content of the asset at a path; it is read from disk once."""
    return (_DIRECTORY / path.removeprefix("/static/")).read_bytes()


_MOST_VISITORS = 4
"""Requests for the page rendered or waiting; more get 503."""
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
    """The handlers of `/` and of the assets that the page loads.

    A page is rendered in a thread, so that the event loop can serve scrapes meanwhile.
    """

    def __init__(
        self,
        store: Store,
        next_poll: Callable[[ImageKey], float | None],
        links: Callable[[], Sequence[tuple[str, str]]] = tuple,
        thread: RenderingThread | None = None,
    ) -> None:
        """Serve the states in `store`.

        Args:
            store: the states of images and registries.
            next_poll: when an image is polled next (s since the epoch), None while it is polled.
            links: text and URL of each link in the page's header.
            thread: renders the pages; None for one of their own.
        """
        self._store = store
        self._next_poll = next_poll
        self._links = links
        self._thread = thread or RenderingThread()
        self._places = places_for_visitors(_MOST_VISITORS)

    async def page(self, request: Request) -> Response:
        """Return the page for the request's query; 503 if too many requests wait already."""
        place = await self._places.acquire()
        if place is None:
            return too_many_visitors()
        try:
            images = tuple(self._store.images.values())
            registries = tuple(self._store.registries.values())
            work = partial(self._render, request, images, registries)
            return await self._thread.render(work)
        finally:
            place.release()

    def _render(
        self,
        request: Request,
        images: tuple[ImageState, ...],
        registries: tuple[RegistryState, ...],
    ) -> Response:
        # jinja2 takes time and memory, which an exporter whose page nobody opens should not spend.
        from ncr_exporter.web.status.page import StatusSnapshot, render  # noqa: PLC0415 -- see above

        snapshot = StatusSnapshot(images, registries, self._next_poll, self._links())
        status, text = render(snapshot, request.query)
        # A name with a lone surrogate must not make the whole page fail.
        return _response(request, text.encode(errors="replace"), "text/html; charset=utf-8", status)

    @staticmethod
    def assets() -> Mapping[str, Handler]:
        """Return the handler of each asset by its path."""
        return dict.fromkeys(content_types(), _asset)


async def _asset(request: Request) -> Response:
    content = await in_thread(partial(asset, request.path))
    return _response(request, content, content_types()[request.path])


def _response(request: Request, body: bytes, content_type: str, status: int = 200) -> Response:
    """Return the body, or 304 if the client already has it."""
    # Weak, because the same tag stands for the compressed and for the plain body.
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
