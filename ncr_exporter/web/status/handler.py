"""Serves the status page: renders it in a thread, and sends it only if it changed."""

import gzip
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path

from ncr_exporter.httpd.messages import Handler, Request, Response
from ncr_exporter.runtime.threads import in_own_thread
from ncr_exporter.state.model import DeletedImage, ImageState, RegistryState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import ImageKey
from ncr_exporter.texts.page import PAGE
from ncr_exporter.texts.text import LANGUAGES, Language, Text
from ncr_exporter.web.negotiation import preferred_language, wants_gzip
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
        links: Callable[[], Sequence[tuple[Text, str]]] = tuple,
        now: Callable[[], float] = time.time,
        thread: RenderingThread | None = None,
    ) -> None:
        """Serve the states in `store`.

        Args:
            store: the states of images and registries.
            next_poll: when an image is polled next (s since the epoch), None while it is polled.
            links: text and URL of each link in the page's header.
            now: the moment that a page is of (s since the epoch).
            thread: renders the pages; None for one of their own.
        """
        self._store = store
        self._next_poll = next_poll
        self._links = links
        self._now = now
        self._thread = thread or RenderingThread()
        self._places = places_for_visitors(_MOST_VISITORS)

    async def page(self, request: Request) -> Response:
        """Return the page for the request's query; 503 if too many requests wait already."""
        language = language_of(request)
        place = await self._places.acquire()
        if place is None:
            return too_many_visitors(PAGE["busy"].pattern(language), _language_headers(language))
        try:
            images = tuple(self._store.images.values())
            registries = tuple(self._store.registries.values())
            deleted = dict(self._store.deleted)
            work = partial(self._render, request, language, images, registries, deleted)
            return await self._thread.render(work)
        finally:
            place.release()

    def _render(
        self,
        request: Request,
        language: Language,
        images: tuple[ImageState, ...],
        registries: tuple[RegistryState, ...],
        deleted: Mapping[ImageKey, DeletedImage],
    ) -> Response:
        # jinja2 takes time and memory, which an exporter whose page nobody opens should not spend.
        from ncr_exporter.web.status.page import StatusSnapshot, render  # noqa: PLC0415 -- see above

        snapshot = StatusSnapshot(
            images, registries, self._next_poll, self._links(), self._now(), deleted
        )
        status, text = render(snapshot, request.query, language)
        # A name with a lone surrogate must not make the whole page fail.
        body = text.encode(errors="replace")
        headers = {"content-type": "text/html; charset=utf-8", **_language_headers(language)}
        return _response(request, body, headers, status)

    @staticmethod
    def assets() -> Mapping[str, Handler]:
        """Return the handler of each asset by its path."""
        return dict.fromkeys(content_types(), _asset)


def language_of(request: Request) -> Language:
    """Return the language of a page: the one that `lang` names, else what the browser prefers."""
    chosen = request.query.get("lang")
    given = next((language for language in LANGUAGES if language == chosen), None)
    accepted = request.headers.get("accept-language", "")
    return given or preferred_language(accepted, LANGUAGES)


def _language_headers(language: Language) -> dict[str, str]:
    return {"content-language": language, "vary": "accept-encoding, accept-language"}


async def _asset(request: Request) -> Response:
    content = await in_own_thread(partial(asset, request.path))
    headers = {"content-type": content_types()[request.path]}
    return _response(request, content, headers)


def _response(
    request: Request, body: bytes, content_headers: Mapping[str, str], status: int = 200
) -> Response:
    """Return the body, or 304 if the client already has it."""
    # Weak, because the same tag stands for the compressed and for the plain body.
    etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {**_HEADERS, **content_headers, "etag": etag}
    if status == HTTPStatus.OK and _is_known(etag, request.headers.get("if-none-match", "")):
        del headers["content-type"]
        return Response(HTTPStatus.NOT_MODIFIED, headers)
    if wants_gzip(request.headers.get("accept-encoding", "")):
        body = gzip.compress(body, 1, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(status, headers, (body,), len(body))


def _is_known(etag: str, if_none_match: str) -> bool:
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in known or etag.removeprefix("W/") in known
