"""Every path and method, as a client of the server sees them."""

import csv
import gzip
import io
import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.inventory import Tag
from ncr_exporter.metrics.exporter_metrics import ExporterMetrics
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.state.model import Failure
from ncr_exporter.state.store import Store
from ncr_exporter.web.negotiation import OPENMETRICS, TEXT
from ncr_exporter.web.routes import Routes
from tests.support.clock import ManualClock, eventually
from tests.support.expositions import Key, samples_of
from tests.support.states import NOW, sample_tags, target
from tests.unit.httpd.test_connection import (
    asking,
    client_that_never_reads,
    exchange,
    house,
    statuses,
)

PATHS = ["/", "/static/status.css", "/metrics", "/report.csv", "/-/healthy", "/-/ready", "/config"]
FAILURE = Failure("timeout", "no answer", "check the network")
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # a default one costs 20 ms each time
OPENMETRICS_ONLY = {"accept": "application/openmetrics-text;version=1.0.0"}


class Exporter:
    """The routes with all they show, and a clock that stands."""

    def __init__(self, *images: str, **options: Any) -> None:
        self.clock = ManualClock()
        self.exposition = Exposition()
        self.store = Store(self.exposition)
        self.routes = Routes(
            exposition=self.exposition,
            exporter_metrics=ExporterMetrics(lambda: self.exposition.series),
            store=self.store,
            ready=self.all_tried,
            clock=self.clock,
            **{"config": lambda: "registries: []\n", **options},
        )
        for image in images:
            self.store.add(target(image))

    def polled(self, image: str, tags: tuple[Tag, ...] | None = None) -> None:
        at = self.clock.time()
        self.store.commit(target(image), tags or sample_tags(), at=at, duration=0.5)

    def failed(self, image: str) -> None:
        self.store.record_failure(target(image), FAILURE, at=self.clock.time(), duration=0.5)

    def all_tried(self) -> bool:
        return all(state.up is not None for state in self.store.images.values())

    async def scrape(self, **headers: str) -> Response:
        """Return the answer, not yet sent."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.routes(Request("GET", "/metrics", named))


@asynccontextmanager
async def served(exporter: Exporter) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of these routes, over a real socket."""
    async with (
        house(exporter.routes) as it,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{it.port}",
            headers={"accept-encoding": "identity"},
            verify=NO_TLS,
        ) as http,
    ):
        yield http


def one_image() -> Exporter:
    exporter = Exporter("app")
    exporter.polled("app")
    return exporter


def constant(text: str) -> dict[Key, float]:
    """Return the samples that do not differ between two scrapes of the same process."""
    return {
        key: value
        for key, value in samples_of(text).items()
        if not key[0].startswith(("process_", "python_"))
    }


@pytest.mark.parametrize("path", PATHS)
async def test_every_page_is_there_for_get_and_head_with_the_same_headers(path: str) -> None:
    async with served(one_image()) as http:
        get, head = await http.get(path), await http.head(path)
    assert get.status_code == head.status_code == 200
    assert get.text
    assert head.content == b""
    assert {**get.headers, "date": ""} == {**head.headers, "date": ""}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_are_told_which_there_are(method: str, path: str) -> None:
    async with served(one_image()) as http:
        answer = await http.request(method, path, content=b"body")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"
        assert (await http.get("/-/healthy")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/nothing", "/metrics/", "//metrics", "/METRICS", "/%6detrics", "/-/reload/"),
        *("/../metrics", "/metrics%00", "/-/"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_what_is_not_there_is_not_found(method: str, path: str) -> None:
    async with house(one_image().routes) as it:
        answer = await exchange(it.port, asking(method, path))
    assert statuses(answer) == [404]


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (("OPTIONS", "*"), 404),
        (("CONNECT", "elsewhere:443"), 404),
        (("CONNECT", "/metrics"), 405),
        (("GET", "http://127.0.0.1/metrics"), 200),
        (("GET", "/metrics?name[]=a&x"), 200),
        (("GET", "http://["), 200),
    ],
)
async def test_odd_targets(request_line: tuple[str, str], status: int) -> None:
    async with house(one_image().routes) as it:
        assert statuses(await exchange(it.port, asking(*request_line))) == [status]


async def test_the_metrics_may_be_elsewhere() -> None:
    async with served(Exporter(telemetry_path="/some/where")) as http:
        assert (await http.get("/some/where")).headers["content-type"] == TEXT
        assert (await http.get("/metrics")).status_code == 404
        assert 'href="./some/where"' in (await http.get("/")).text


async def test_healthy_is_healthy_whatever_the_polls_do() -> None:
    exporter = Exporter("app")
    exporter.failed("app")
    async with served(exporter) as http:
        answer = await http.get("/-/healthy")
    assert (answer.status_code, answer.text) == (200, "healthy\n")


async def test_ready_when_every_image_was_tried_even_in_vain() -> None:
    exporter = Exporter("one", "two")
    async with served(exporter) as http:
        assert (await http.get("/-/ready")).status_code == 503
        exporter.polled("one")
        waiting = await http.get("/-/ready")
        assert waiting.status_code == 503
        assert waiting.text == "not ready: some images have not been polled yet\n"
        exporter.failed("two")
        assert (await http.get("/-/ready")).status_code == 200
        exporter.failed("one")
        assert (await http.get("/-/ready")).status_code == 200


async def test_metrics_are_there_before_the_first_poll() -> None:
    async with served(Exporter("app")) as http:
        text = (await http.get("/metrics")).text
    assert "ncr_image_tags{" not in text
    about_images = [key for key in samples_of(text) if ("image", "app") in key[1]]
    assert samples_of(text)["ncr_exporter_series", ()] == len(about_images) > 0


async def test_text_is_what_who_asks_for_nothing_gets() -> None:
    async with house(one_image().routes) as it:
        answer = await exchange(it.port, asking("GET", "/metrics", "connection: close"))
    assert f"content-type: {TEXT}\r\n".encode() in answer
    assert b"content-encoding" not in answer
    assert b"vary: accept, accept-encoding\r\n" in answer


async def test_both_formats_parse_and_say_the_same() -> None:
    async with served(one_image()) as http:
        text = await http.get("/metrics", headers={"accept": "text/plain"})
        openmetrics = await http.get("/metrics", headers=OPENMETRICS_ONLY)
    assert text.headers["content-type"] == TEXT
    assert openmetrics.headers["content-type"] == OPENMETRICS
    assert openmetrics.text.endswith("\n# EOF\n")
    assert openmetrics.text.count("# EOF") == 1
    assert "# EOF" not in text.text
    found = samples_of(openmetrics.text, openmetrics=True)
    assert found.keys() == samples_of(text.text).keys()
    app = (("image", "app"), ("registry", "my-registry"))
    assert found["ncr_image_tags", app] == 3


@pytest.mark.parametrize(
    "accept", ["version=abc", "text/plain;version=abc", "a/b;q=x,;;,=", "\xff"]
)
async def test_an_odd_accept_is_no_failure(accept: str) -> None:
    async with house(one_image().routes) as it:
        answer = await exchange(it.port, asking("GET", "/metrics", f"accept: {accept}"))
    assert statuses(answer) == [200]
    assert TEXT.encode() in answer


@pytest.mark.parametrize("headers", [{}, OPENMETRICS_ONLY])
async def test_gzip_is_one_member_that_every_client_reads_to_its_end(
    headers: dict[str, str],
) -> None:
    async with served(one_image()) as http:
        plain = await http.get("/metrics", headers=headers)
        asked = {**headers, "accept-encoding": "gzip"}
        answer = await http.get("/metrics", headers=asked)
        async with http.stream("GET", "/metrics", headers=asked) as response:
            raw = b"".join([part async for part in response.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == plain.headers["content-type"]
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    inflated = reader.decompress(raw)
    assert reader.eof
    assert reader.unused_data == b""
    assert gzip.decompress(raw) == inflated
    assert len(raw) < len(inflated) / 4
    openmetrics = bool(headers)
    for text in (answer.text, inflated.decode()):
        assert samples_of(text, openmetrics=openmetrics).keys() == (
            samples_of(plain.text, openmetrics=openmetrics).keys()
        )


@pytest.mark.parametrize(
    ("accept_encoding", "encoding"),
    [
        ("gzip", "gzip"),
        ("deflate, GZIP;q=0.5", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, *", None),
        ("identity", None),
        ("br", None),
        ("", None),
    ],
)
async def test_gzip_is_sent_where_it_is_wanted(accept_encoding: str, encoding: str | None) -> None:
    answer = await one_image().scrape(accept_encoding=accept_encoding)
    assert answer.headers.get("content-encoding") == encoding
    body = b"".join(answer.body)
    assert (gzip.decompress(body) if encoding else body).startswith(b"# HELP ncr_image_tags ")


async def test_a_scrape_is_of_one_moment() -> None:
    """Whatever changes while it is sent."""
    exporter = one_image()
    before = constant(b"".join((await exporter.scrape()).body).decode())
    pieces = iter((await exporter.scrape()).body)
    text = next(pieces)
    exporter.store.add(target("another"))
    exporter.polled("another")
    exporter.polled("app", sample_tags()[:1])
    await exporter.clock.advance(3600)
    text += b"".join(pieces)
    assert constant(text.decode()) == before
    assert constant(b"".join((await exporter.scrape()).body).decode()) != before


async def test_a_scrape_neither_polls_nor_waits_and_two_are_equal() -> None:
    exporter = one_image()
    first, second = [b"".join((await exporter.scrape()).body).decode() for _ in range(2)]
    assert constant(first) == constant(second)


@pytest.mark.parametrize("where", ["image", "message"])
async def test_no_string_can_break_the_page_or_the_metrics(where: str) -> None:
    odd = 'a"b\\c\nd\re\x00\u2028\U0001f600'
    exporter = Exporter(odd if where == "image" else "app")
    key = target(odd if where == "image" else "app")
    exporter.store.record_failure(key, Failure("server", odd, odd), at=NOW, duration=1.0)
    async with served(exporter) as http:
        assert (await http.get("/")).status_code == 200
        text = (await http.get("/metrics")).text
    images = {dict(labels).get("image") for _, labels in samples_of(text)} - {None}
    assert images == {key.name}


async def test_a_scrape_of_many_images_is_whole() -> None:
    names = [f"app-{number}" for number in range(600)]
    exporter = Exporter(*names)
    for name in names:
        exporter.polled(name)
    async with served(exporter) as http:
        plain = await http.get("/metrics")
        packed = await http.get("/metrics", headers={"accept-encoding": "gzip"})
    for text in (plain.text, packed.text):
        assert text.count("\nncr_image_tags{") == 600


# Reload


def reloadable(error: str | None = None) -> tuple[Exporter, list[str]]:
    """Return an exporter whose reloads are counted, or fail with `error`."""
    reloads: list[str] = []

    async def reload() -> None:
        if error is not None:
            raise UserError(error)
        reloads.append("reloaded")

    return Exporter("app", reload=reload), reloads


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_post_and_put_reload(method: str) -> None:
    exporter, reloads = reloadable()
    async with served(exporter) as http:
        answer = await http.request(method, "/-/reload")
        assert (answer.status_code, answer.text, reloads) == (200, "reloaded\n", ["reloaded"])


async def test_a_configuration_that_cannot_be_used_is_a_500_with_the_reason() -> None:
    exporter, _ = reloadable("ncr.yml:3: api.zone: must be one of public, government")
    async with served(exporter) as http:
        answer = await http.post("/-/reload")
        assert answer.status_code == 500
        assert answer.text == "ncr.yml:3: api.zone: must be one of public, government\n"


async def test_reading_a_page_never_reloads() -> None:
    exporter, reloads = reloadable()
    async with served(exporter) as http:
        answer = await http.get("/-/reload")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, PUT")
    assert reloads == []


async def test_where_it_is_not_enabled_a_reload_is_refused_with_the_flag() -> None:
    async with served(one_image()) as http:
        answer = await http.post("/-/reload")
        assert answer.status_code == 403
        assert "--web.enable-lifecycle" in answer.text


async def test_another_sites_page_cannot_reload() -> None:
    exporter, reloads = reloadable()
    async with served(exporter) as http:
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}):
            answer = await http.post("/-/reload", headers=headers)
            assert answer.status_code == 403
    assert reloads == []


async def test_the_configuration_is_shown_as_it_may_be() -> None:
    exporter = Exporter("app", config=lambda: "credentials: {secret_key: <secret>}\n")
    async with served(exporter) as http:
        answer = await http.get("/config")
        assert answer.text == "credentials: {secret_key: <secret>}\n"
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"


async def test_the_report_is_a_file_for_spreadsheets() -> None:
    exporter = Exporter("app", "late")
    exporter.polled("app")
    async with served(exporter) as http:
        answer = await http.get("/report.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="ncr-report.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["image"], row["tags"], row["up"]) for row in rows] == [
        ("app", "3", "true"),
        ("late", "", ""),
    ]


async def test_every_place_of_the_report_comes_back_whatever_becomes_of_the_visitor() -> None:
    long = "a" * 1000
    exporter = Exporter(*(f"app-{n}-{long}" for n in range(2000)))  # 2 MB: more than sockets hold
    async with house(exporter.routes) as it:
        with ExitStack() as stack:
            for _ in range(4):
                visitor = client_that_never_reads(it.port, asking("GET", "/report.csv"))
                stack.enter_context(visitor)
            await eventually(lambda: exporter.routes._reports.free == 0)
            answer = await exchange(it.port, asking("GET", "/report.csv"))
            assert statuses(answer) == [503]
            assert b"too many visitors" in answer
            assert statuses(await exchange(it.port, asking("GET", "/metrics"))) == [200]
        await eventually(lambda: exporter.routes._reports.free == 4)
        for _ in range(9):
            assert statuses(await exchange(it.port, asking("HEAD", "/report.csv"))) == [200]
        whole = await exchange(it.port, asking("GET", "/report.csv", "connection: close"))
        assert whole.count(b",app-") == 2000


@pytest.mark.parametrize(
    ("path", "shares"),
    [
        *((path, True) for path in ("/metrics", "/config", "/static/status.css", "/nowhere")),
        *((path, False) for path in ("/", "/report.csv", "/-/healthy", "/-/ready", "/-/reload")),
    ],
)
def test_which_routes_take_a_place_of_those_for_scrapes(
    path: str,
    shares: bool,  # noqa: FBT001 -- a parametrised case
) -> None:
    """Every route is here: a new one must choose."""
    routes = Exporter("app").routes
    assert routes.shares_places(Request("GET", path)) == shares
    assert {path for path in routes._routes if not path.startswith("/static/")} == {
        *("/metrics", "/config", "/", "/report.csv", "/-/healthy", "/-/ready", "/-/reload")
    }
