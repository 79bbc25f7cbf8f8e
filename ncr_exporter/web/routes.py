"""Paths → answers. Nothing here calls the API or waits for a poll."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from http import HTTPStatus
from itertools import chain, islice
from urllib.parse import urlsplit

from ncr_exporter.httpd.messages import Handler, Request, Response, coalesced, text_response
from ncr_exporter.metrics.exporter_metrics import ExporterMetrics
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.metrics.gzip import gzip_member, gzip_part, joined
from ncr_exporter.report.files import images_as_csv
from ncr_exporter.report.rows import Report
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.cooperative import run_cooperatively
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.state.model import ImageState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import ImageKey
from ncr_exporter.web.negotiation import OPENMETRICS, TEXT, wants_gzip, wants_openmetrics
from ncr_exporter.web.status.handler import StatusPage

_LINES_PER_PIECE = 256
"""The event loop gets its turn between pieces."""
_HEADERS = {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": 'attachment; filename="ncr-report.csv"',
    "x-content-type-options": "nosniff",
}


def csv_response(states: Collection[ImageState], now: float) -> Response:
    """Return the images as of `now`, in seconds since the epoch."""
    return Response(HTTPStatus.OK, _HEADERS, _pieces(images_as_csv(Report(states, now))))


def _pieces(lines: Iterator[str]) -> Iterator[bytes]:
    while some := list(islice(lines, _LINES_PER_PIECE)):
        yield "".join(some).encode()


def is_cross_site(headers: Mapping[str, str]) -> bool:
    """Tell by what browsers add by themselves and no page can forge; header names in lower case.

    `Sec-Fetch-Site` says it outright; older browsers send `Origin` with what is not a mere GET.
    Programs send neither.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and _host(origin) != headers.get("host", "").lower()


def _host(origin: str) -> str | None:
    """Return host and port; None for `null` and whatever is no URL."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


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
        exporter_metrics: ExporterMetrics,
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
        self._exporter_metrics = exporter_metrics
        self._store = store
        self._is_ready = ready
        self._clock = clock
        self._config = config
        self._reload = reload
        status = StatusPage(store, next_poll, lambda: self._links(telemetry_path))
        self._routes: dict[str, tuple[tuple[str, ...], Handler]] = {
            "/": (_READ, status.page),
            **{path: (_READ, handler) for path, handler in status.assets().items()},
            "/report.csv": (_READ, self._report),
            "/-/healthy": (_READ, self._healthy),
            "/-/ready": (_READ, self._ready),
            "/-/reload": (_WRITE, self._reloaded),
            "/config": (_READ, self._shown_config),
            telemetry_path: (_READ, self._metrics),
        }

    async def __call__(self, request: Request) -> Response:
        """Return the answer to one request."""
        methods, handler = self._routes.get(request.path, (None, None))
        if methods is None or handler is None:
            return text_response(HTTPStatus.NOT_FOUND, "not found; see /\n")
        if request.method not in methods:
            allow = {"allow": ", ".join(methods)}
            return text_response(HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed\n", allow)
        return await handler(request)

    def _links(self, telemetry_path: str) -> list[tuple[str, str]]:
        """Return what the status page leads to: whatever of this is served."""
        offered = (("Metrics", telemetry_path), *_LINKS)
        return [(words, f".{path}") for words, path in offered if path in self._routes]

    async def _reloaded(self, request: Request) -> Response:
        if self._reload is None:
            return text_response(
                HTTPStatus.FORBIDDEN, "not enabled; start with --web.enable-lifecycle\n"
            )
        if is_cross_site(request.headers):
            return text_response(HTTPStatus.FORBIDDEN, "not from another site's page\n")
        try:
            await self._reload()
        except UserError as error:
            return text_response(HTTPStatus.INTERNAL_SERVER_ERROR, f"{error}\n")
        return text_response(HTTPStatus.OK, "reloaded\n")

    async def _shown_config(self, _: Request) -> Response:
        return text_response(HTTPStatus.OK, self._config(), {"cache-control": "no-store"})

    async def _metrics(self, request: Request) -> Response:
        openmetrics = wants_openmetrics(request.headers.get("accept", ""))
        await run_cooperatively(self._exposition.render_changes())
        snapshot, now = self._exposition.snapshot, self._clock.time()
        own = self._exporter_metrics.text(openmetrics=openmetrics)
        headers = {
            "content-type": OPENMETRICS if openmetrics else TEXT,
            "vary": "accept, accept-encoding",
        }
        if not wants_gzip(request.headers.get("accept-encoding", "")):
            text = snapshot.text(now, openmetrics=openmetrics)
            return Response(HTTPStatus.OK, headers, coalesced(chain(text, [own])))
        headers["content-encoding"] = "gzip"
        head = await run_cooperatively(snapshot.gzip_part(now, openmetrics=openmetrics))
        body = gzip_member(joined((head, gzip_part(own))))
        return Response(HTTPStatus.OK, headers, (body,), len(body))

    async def _report(self, _: Request) -> Response:
        return csv_response(self._store.images.values(), self._clock.time())

    async def _healthy(self, _: Request) -> Response:
        return text_response(HTTPStatus.OK, "healthy\n")

    async def _ready(self, _: Request) -> Response:
        if self._is_ready():
            return text_response(HTTPStatus.OK, "ready\n")
        return text_response(
            HTTPStatus.SERVICE_UNAVAILABLE, "not ready: some image was not polled yet\n"
        )
