"""Paths → answers. Nothing here calls the API or waits for a poll."""

import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from http import HTTPStatus
from itertools import chain

from ncr_exporter.clock import Clock
from ncr_exporter.errors import UserError
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.metrics.own import OwnMetrics
from ncr_exporter.store import Store
from ncr_exporter.targets import ImageKey
from ncr_exporter.web.crosssite import is_cross_site
from ncr_exporter.web.messages import Request, Response, text_response
from ncr_exporter.web.negotiation import OPENMETRICS, TEXT, wants_gzip, wants_openmetrics
from ncr_exporter.web.report import csv_response
from ncr_exporter.web.status.handler import StatusPage

_GZIP_LEVEL = 1  # a sixth of level 9's time for a tenth more bytes, on this kind of text
_GZIP_WINDOW = zlib.MAX_WBITS | 16
_READ = ("GET", "HEAD")
_WRITE = ("POST", "PUT")
_LINKS = (
    ("Ready", "/-/ready"),
    ("Healthy", "/-/healthy"),
    ("Configuration", "/config"),
    ("Report as CSV", "/report.csv"),
)


class Routes:
    """The exporter's handler; `await routes(request)` answers."""

    def __init__(  # noqa: PLR0913 -- what the pages show, each by name
        self,
        *,
        exposition: Exposition,
        own: OwnMetrics,
        store: Store,
        ready: Callable[[], bool],
        clock: Clock,
        next_poll: Callable[[ImageKey], float | None] = lambda _: None,
        telemetry_path: str = "/metrics",
        config: Callable[[], str] = str,
        reload: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`config` gives the configuration as it may be shown; `reload` is None where not enabled.

        `reload` raises UserError with the reason why it changed nothing.
        """
        self._exposition = exposition
        self._own = own
        self._is_ready = ready
        self._clock = clock
        self._store = store
        self._config = config
        self._reload = reload
        status = StatusPage(store, next_poll, lambda: self._links(telemetry_path))
        self._routes: dict[str, Callable[[Request], Response | Awaitable[Response]]] = {
            "/": status.page,
            **status.assets(),
            "/report.csv": self._report,
            "/-/healthy": self._healthy,
            "/-/ready": self._ready,
            "/config": self._shown_config,
            telemetry_path: self._metrics,
        }

    async def __call__(self, request: Request) -> Response:
        """Return the answer to one request."""
        if request.path == "/-/reload":
            return await self._reloaded(request)
        route = self._routes.get(request.path)
        if route is None:
            return text_response(HTTPStatus.NOT_FOUND, "not found; see /\n")
        if request.method not in _READ:
            allow = {"allow": ", ".join(_READ)}
            return text_response(HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed\n", allow)
        answer = route(request)
        return answer if isinstance(answer, Response) else await answer

    def _links(self, telemetry_path: str) -> list[tuple[str, str]]:
        """Return what the status page leads to: whatever of this is served."""
        offered = (("Metrics", telemetry_path), *_LINKS)
        return [(words, f".{path}") for words, path in offered if path in self._routes]

    async def _reloaded(self, request: Request) -> Response:
        if self._reload is None:
            return text_response(
                HTTPStatus.FORBIDDEN, "not enabled; start with --web.enable-lifecycle\n"
            )
        if request.method not in _WRITE:
            allow = {"allow": ", ".join(_WRITE)}
            return text_response(HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed\n", allow)
        if is_cross_site(request.headers):
            return text_response(HTTPStatus.FORBIDDEN, "not from another site's page\n")
        try:
            await self._reload()
        except UserError as error:
            return text_response(HTTPStatus.INTERNAL_SERVER_ERROR, f"{error}\n")
        return text_response(HTTPStatus.OK, "reloaded\n")

    def _shown_config(self, _: Request) -> Response:
        return text_response(HTTPStatus.OK, self._config(), {"cache-control": "no-store"})

    def _metrics(self, request: Request) -> Response:
        openmetrics = wants_openmetrics(request.headers.get("accept", ""))
        images = self._exposition.pieces(self._clock.time(), openmetrics=openmetrics)
        pieces: Iterable[bytes] = chain(images, [self._own.text(openmetrics=openmetrics)])
        headers = {
            "content-type": OPENMETRICS if openmetrics else TEXT,
            "vary": "accept, accept-encoding",
        }
        if wants_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
            pieces = _gzipped(pieces)
        return Response(HTTPStatus.OK, headers, pieces)

    def _report(self, _: Request) -> Response:
        return csv_response(self._store.images.values(), self._clock.time())

    def _healthy(self, _: Request) -> Response:
        return text_response(HTTPStatus.OK, "healthy\n")

    def _ready(self, _: Request) -> Response:
        if self._is_ready():
            return text_response(HTTPStatus.OK, "ready\n")
        return text_response(
            HTTPStatus.SERVICE_UNAVAILABLE, "not ready: some image was not polled yet\n"
        )


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Compress piece by piece, so that no piece holds the event loop for long."""
    compressor = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    for piece in pieces:
        if part := compressor.compress(piece):
            yield part
    yield compressor.flush()
