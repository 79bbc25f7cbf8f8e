"""The exporter's HTTP routes. None of them calls the API or waits for a poll."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
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
from ncr_exporter.texts.page import LINKS
from ncr_exporter.texts.text import Text
from ncr_exporter.web.negotiation import OPENMETRICS, TEXT, wants_gzip, wants_openmetrics
from ncr_exporter.web.status.handler import StatusPage
from ncr_exporter.web.visitors import RenderingThread, places_for_visitors, too_many_visitors

_LINES_PER_PIECE = 256
"""Lines of CSV rendered before other pages have their turn."""
_MOST_REPORTS = 4
"""Reports on their way at a time; each keeps the states of its moment in memory."""
_CSV_HEADERS = {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": 'attachment; filename="ncr-report.csv"',
    "x-content-type-options": "nosniff",
}


def csv_pieces(states: Collection[ImageState], now: float) -> Iterator[bytes]:
    """Yield the report on `states` as CSV, with ages as of `now` (s since the epoch)."""
    lines = images_as_csv(Report(states, now))
    while piece := "".join(islice(lines, _LINES_PER_PIECE)):
        yield piece.encode()


def is_cross_site(headers: Mapping[str, str]) -> bool:
    """Return whether a page of another site made the browser send this request.

    Decides by headers that only the browser itself can set: `Sec-Fetch-Site`, or `Origin` from
    older browsers, which send it with POST and PUT. Programs other than browsers send neither.

    Args:
        headers: names in lower case.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and _host(origin) != headers.get("host", "").lower()


def _host(origin: str) -> str | None:
    """Return the origin's host and port; None for `null` and for anything that is no URL."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


_READ = ("GET", "HEAD")
_WRITE = ("POST", "PUT")
_STATUS_PAGE_LINKS = (
    (LINKS["ready"], "/-/ready"),
    (LINKS["healthy"], "/-/healthy"),
    (LINKS["config"], "/config"),
    (LINKS["report"], "/report.csv"),
)


@dataclass(frozen=True)
class _Route:
    methods: tuple[str, ...]
    handler: Handler
    shares_places: bool = True
    """Whether it takes one of the places that `--web.max-requests` sets. A route does not, if it
    answers at once, if it has places of its own, or if it waits for something else."""


class Routes:
    """The exporter's request handler: `response = await routes(request)`.

    Args:
        exposition: the families of images and registries.
        exporter_metrics: the exporter's own families.
        store: the states shown on the status page and in the CSV report.
        ready: whether every image was polled once or restored.
        clock: the time for ages.
        next_poll: when an image is polled next (s since the epoch), None while it is polled.
        telemetry_path: the path of the metrics.
        config: the configuration in force as text, with its secrets redacted.
        reload: load the configuration again; raises UserError if the old one was kept.
            None if `--web.enable-lifecycle` is off.
    """

    def __init__(  # noqa: PLR0913 -- the sources of the pages, each by name
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
        self._exposition = exposition
        self._exporter_metrics = exporter_metrics
        self._store = store
        self._is_ready = ready
        self._clock = clock
        self._config = config
        self._reload = reload
        self._thread = RenderingThread()
        self._reports = places_for_visitors(_MOST_REPORTS)
        status = StatusPage(
            store, next_poll, lambda: self._links(telemetry_path), clock.time, self._thread
        )
        self._routes = {
            "/": _Route(_READ, status.page, shares_places=False),
            **{path: _Route(_READ, handler) for path, handler in status.assets().items()},
            "/report.csv": _Route(_READ, self._report, shares_places=False),
            "/-/healthy": _Route(_READ, self._healthy, shares_places=False),
            "/-/ready": _Route(_READ, self._ready, shares_places=False),
            "/-/reload": _Route(_WRITE, self._reload_config, shares_places=False),
            "/config": _Route(_READ, self._show_config),
            telemetry_path: _Route(_READ, self._metrics),
        }

    def shares_places(self, request: Request) -> bool:
        """Return whether a request takes one of the places that scrapes take."""
        route = self._routes.get(request.path)
        return route is None or route.shares_places

    async def __call__(self, request: Request) -> Response:
        """Return the response to one request: 404 or 405 unless a route matches."""
        route = self._routes.get(request.path)
        if route is None:
            return text_response(HTTPStatus.NOT_FOUND, "not found; see /\n")
        if request.method not in route.methods:
            allow = {"allow": ", ".join(route.methods)}
            return text_response(HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed\n", allow)
        return await route.handler(request)

    def _links(self, telemetry_path: str) -> list[tuple[Text, str]]:
        """Return the text and the relative URL of each link in the status page's header."""
        links = ((LINKS["metrics"], telemetry_path), *_STATUS_PAGE_LINKS)
        return [(text, f".{path}") for text, path in links]

    async def _reload_config(self, request: Request) -> Response:
        if self._reload is None:
            return text_response(
                HTTPStatus.FORBIDDEN, "reloading is off; start with --web.enable-lifecycle\n"
            )
        if is_cross_site(request.headers):
            return text_response(HTTPStatus.FORBIDDEN, "cross-site requests may not reload\n")
        try:
            await self._reload()
        except UserError as error:
            return text_response(HTTPStatus.INTERNAL_SERVER_ERROR, f"{error}\n")
        return text_response(HTTPStatus.OK, "reloaded\n")

    async def _show_config(self, _: Request) -> Response:
        return text_response(HTTPStatus.OK, self._config(), {"cache-control": "no-store"})

    async def _metrics(self, request: Request) -> Response:
        openmetrics = wants_openmetrics(request.headers.get("accept", ""))
        await run_cooperatively(self._exposition.render_changes_so_far())
        snapshot, now = self._exposition.rendered, self._clock.time()
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
        place = await self._reports.acquire()
        if place is None:
            return too_many_visitors()
        states = tuple(self._store.images.values())  # what is read in a thread must not change
        body = self._thread.pieces(csv_pieces(states, self._clock.time()))
        return Response(HTTPStatus.OK, _CSV_HEADERS, stream=body, ended=place.release)

    async def _healthy(self, _: Request) -> Response:
        return text_response(HTTPStatus.OK, "healthy\n")

    async def _ready(self, _: Request) -> Response:
        if self._is_ready():
            return text_response(HTTPStatus.OK, "ready\n")
        return text_response(
            HTTPStatus.SERVICE_UNAVAILABLE, "not ready: some images have not been polled yet\n"
        )
