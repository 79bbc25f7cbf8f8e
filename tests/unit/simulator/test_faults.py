"""Each fault of the table does what its help says, over real sockets."""

import asyncio
import math
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime

import httpx
import pytest
import trustme

from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.server import Server
from ncr_exporter.simulator.faults import FAULTS, Fault, FaultPlan, fault_named, latency
from ncr_exporter.simulator.faults import connections as sockets
from ncr_exporter.simulator.registry import SimulatedRegistry
from tests.support.clock import tls_access
from tests.support.faulty_api import (
    LISTED,
    PREFIX,
    TAGS,
    answer_to,
    asking,
    signed,
    simulated,
    spoiled,
)

Leave = Callable[[asyncio.StreamWriter], Awaitable[None]]

ERRORS = {  # status, code, message, who refuses
    "throttle": (429, "410", "Throttle Limited", "APIGW"),
    "throttle-silent": (429, "410", "Throttle Limited", "APIGW"),
    "throttle-date": (429, "410", "Throttle Limited", "APIGW"),
    "throttle-absurd": (429, "410", "Throttle Limited", "APIGW"),
    "throttle-words": (429, "410", "Throttle Limited", "APIGW"),
    "wrong-key": (401, "200", "Authentication Failed", "APIGW"),
    "denied": (401, "210", "Permission Denied", "APIGW"),
    "forbidden": (403, "403", "Forbidden", "ENDPOINT"),
    "not-found": (404, "300", "Not Found Exception", "APIGW"),
    "not-found-service": (404, "404", "Not Found", "ENDPOINT"),
    "missing-500": (500, "500", "Internal Server Error", "ENDPOINT"),
    "unavailable": (503, "500", "Endpoint Error", "APIGW"),
}
BROKEN = {
    "reset": httpx.ReadError,
    "close": httpx.RemoteProtocolError,
    "garbage": httpx.RemoteProtocolError,
    "half": httpx.RemoteProtocolError,
}
RECORDS = [
    *("wrong-types", "nulls", "no-platforms", "nan", "strings", "negative-sizes", "seconds"),
    *("far-times", "surrogates", "control", "long-names", "duplicates", "count-lies"),
]


REQUEST = "\r\n".join(
    [
        f"GET {TAGS} HTTP/1.1",
        "host: localhost",
        "connection: close",
        *(f"{name}: {value}" for name, value in signed(TAGS).items()),
        "\r\n",
    ]
).encode()


def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's and a client's context that trust each other."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


class TestCatalogue:
    """The table of faults."""

    def test_every_fault_is_listed_under_its_name_with_help_of_one_line(self) -> None:
        for name, fault in FAULTS.items():
            assert fault.name == name
            assert 10 < len(fault.help) < 80
            assert "\n" not in fault.help
            assert fault_named(name) is fault

    def test_an_unknown_name_is_answered_with_those_that_come_near(self) -> None:
        with pytest.raises(ValueError, match=r"no fault 'trottle'; did you mean throttle"):
            fault_named("trottle")
        with pytest.raises(ValueError, match=r"no fault 'xyz'; there are: latency, hang, "):
            fault_named("xyz")


class TestErrors:
    """Refusals, as gateway and service write them."""

    @pytest.mark.parametrize("name", ERRORS)
    async def test_the_error_is_in_its_documented_form(self, name: str) -> None:
        status, code, message, origin = ERRORS[name]
        answer = await answer_to(name)
        body = answer.json()
        said = body["error"] if origin == "APIGW" else body
        assert answer.status_code == status
        assert answer.headers["x-ncp-apigw-response-origin"] == origin
        assert said["errorCode" if origin == "APIGW" else "returnCode"] == code
        assert said["message" if origin == "APIGW" else "returnMessage"] == message
        assert answer.headers["x-ncp-trace-id"] == "demo-00000001"
        assert "date" in answer.headers

    async def test_a_throttle_says_when_to_come_back_or_nothing_of_use(self) -> None:
        assert (await answer_to("throttle")).headers["retry-after"] == "2"
        assert "retry-after" not in (await answer_to("throttle-silent")).headers
        assert int((await answer_to("throttle-absurd")).headers["retry-after"]) > 10**8
        assert (await answer_to("throttle-words")).headers["retry-after"] == "soon"

    async def test_a_throttle_may_name_the_moment(self) -> None:
        headers = (await answer_to("throttle-date")).headers
        date, until = (parsedate_to_datetime(headers[name]) for name in ("date", "retry-after"))
        assert (until - date).total_seconds() == 2


class TestBrokenConnections:
    """Faults below HTTP."""

    @pytest.mark.parametrize("name", BROKEN)
    async def test_no_whole_answer_arrives(self, name: str) -> None:
        with pytest.raises(BROKEN[name]):
            await answer_to(name)

    @pytest.mark.parametrize(
        ("name", "expected"), [("reset", "reset by peer"), ("close", "server disconnected")]
    )
    async def test_a_reset_is_told_from_a_close(self, name: str, expected: str) -> None:
        registry = simulated()
        registry.fault = fault_named(name)
        assert expected in (await raw(registry)).decode().lower()

    async def test_garbage_is_no_http(self) -> None:
        registry = simulated()
        registry.fault = fault_named("garbage")
        assert not (await raw(registry)).startswith(b"HTTP/")

    async def test_half_an_answer_promises_the_whole(self) -> None:
        registry = simulated()
        whole = (await raw(registry)).partition(b"\r\n\r\n")[2]
        registry.fault = fault_named("half")
        head, _, body = (await raw(registry)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"x-ncp-trace-id: demo-" in head
        assert f"content-length: {len(whole)}".encode() in head
        assert body == whole[: len(whole) // 2]


async def raw(registry: SimulatedRegistry) -> bytes:
    """Return the bytes of an answer, or in words how the connection ended without any."""
    async with Server(registry.handle) as server:
        port = await server.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        try:
            return await reader.read(-1) or b"server disconnected"
        except ConnectionResetError as error:
            return str(error).encode()
        finally:
            writer.close()


class TestSlowAnswers:
    """Faults that take their time."""

    async def test_latency_holds_back_an_answer_that_is_right(self) -> None:
        assert FAULTS["latency"].seconds == 2
        registry = simulated()
        registry.fault = latency(0.15)
        async with asking(registry) as get:
            start = asyncio.get_running_loop().time()
            answer = await get()
            seconds = asyncio.get_running_loop().time() - start
        assert answer.status_code == 200
        assert 0.14 < seconds < 2

    async def test_a_hung_request_takes_no_place_once_its_client_has_left(self) -> None:
        registry = simulated()
        registry.faults.add(fault_named("hang"), times=1)
        async with asking(registry, places=1) as get:
            with pytest.raises(httpx.ReadTimeout):
                await get(seconds=0.2)
            assert (await get()).status_code == 200
        assert [seen.status for seen in registry.requests] == [0, 200]

    @pytest.mark.parametrize("encrypted", ["", "encrypted"])
    @pytest.mark.parametrize("leave", [sockets.reset, sockets.close])
    async def test_however_it_leaves(self, encrypted: str, leave: Leave) -> None:
        registry = simulated()
        registry.faults.add(fault_named("hang"), times=1)
        theirs, ours = tls() if encrypted else (None, None)
        async with Server(registry.handle, Limits(requests=1), tls_access(theirs)) as server:
            port = await server.listen("127.0.0.1", 0)
            _, leaver = await asyncio.open_connection("127.0.0.1", port, ssl=ours)
            leaver.write(REQUEST)
            while not registry.requests:
                await asyncio.sleep(0.01)
            await leave(leaver)
            leaver.transport.abort()
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ours)
            writer.write(REQUEST)
            answer = await reader.read(-1)
            writer.close()
        assert answer.startswith(b"HTTP/1.1 200 ")

    async def test_a_hung_request_does_not_keep_the_server_from_stopping(self) -> None:
        registry = simulated()
        registry.fault = fault_named("hang")
        async with Server(registry.handle) as server:
            port = await server.listen("127.0.0.1", 0)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(REQUEST)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.2)
            async with asyncio.timeout(1):
                await server.stop()
            assert await reader.read(-1) == b""
            writer.close()


class TestWrongContent:
    """Whole answers that are no page."""

    async def test_a_redirect_leads_to_another_host(self) -> None:
        answer = await answer_to("redirect")
        assert answer.status_code == 302
        assert httpx.URL(answer.headers["location"]).host == "elsewhere.example"

    async def test_html_calls_itself_html(self) -> None:
        answer = await answer_to("html")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text.startswith("<!doctype html>")

    async def test_empty_is_a_200_with_nothing_in_it(self) -> None:
        answer = await answer_to("empty")
        assert (answer.status_code, answer.content) == (200, b"")

    async def test_truncated_json_is_well_framed_and_no_json(self) -> None:
        answer = await answer_to("truncated")
        assert answer.text.startswith('{"count": ')
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            answer.json()

    async def test_not_a_page_is_json_all_the_same(self) -> None:
        assert isinstance((await answer_to("not-a-page")).json(), list)


class TestWrongRecords:
    """Pages whose records are wrong."""

    async def test_no_field_but_the_name_is_of_its_type(self) -> None:
        for record, right in zip(await spoiled("wrong-types"), LISTED, strict=True):
            assert record.keys() == right.keys()
            for field in record.keys() - {"name"}:
                assert type(record[field]) is not type(right[field])

    async def test_no_field_but_the_name_holds_anything(self) -> None:
        for record, right in zip(await spoiled("nulls"), LISTED, strict=True):
            assert record == dict.fromkeys(right) | {"name": right["name"]}

    async def test_no_tag_has_a_platform(self) -> None:
        for record, right in zip(await spoiled("no-platforms"), LISTED, strict=True):
            assert record == right | {"images": []}

    async def test_no_size_is_finite(self) -> None:
        for record in await spoiled("nan"):
            assert math.isnan(record["full_size"])
            assert {platform["size"] for platform in record["images"]} == {math.inf}
        assert b"NaN" in (await answer_to("nan")).content
        assert b"1e999" in (await answer_to("nan")).content

    @pytest.mark.parametrize("name", sorted(RECORDS))
    async def test_an_error_stays_as_it_is(self, name: str) -> None:
        assert (await answer_to(name, f"{PREFIX}/nowhere")).json()["returnCode"] == "404"

    @pytest.mark.parametrize("name", ["no-platforms", "nan"])
    async def test_images_have_no_platforms_to_lose(self, name: str) -> None:
        (image,) = (await answer_to(name, f"{PREFIX}/demo-registry")).json()["results"]
        assert "images" not in image
        assert "full_size" not in image


class TestPlan:
    """Which request meets which fault."""

    def test_a_fault_meets_only_the_targets_it_was_meant_for(self) -> None:
        plan = FaultPlan()
        plan.add(fault_named("html"), where="/app/tags")
        assert plan.take(TAGS) is fault_named("html")
        assert plan.take(f"{PREFIX}/demo-registry") is None

    async def test_a_fault_passes_after_so_many_requests(self) -> None:
        registry = simulated()
        registry.faults.add(fault_named("unavailable"), times=2)
        async with asking(registry) as get:
            statuses = [(await get()).status_code for _ in range(4)]
        assert statuses == [503, 503, 200, 200]

    def test_the_rule_added_first_wins_until_it_is_used_up(self) -> None:
        plan = FaultPlan()
        plan.add(fault_named("html"), times=1)
        plan.add(fault_named("empty"))
        assert [found.name for _ in range(3) if (found := plan.take(TAGS))] == [
            "html",
            "empty",
            "empty",
        ]

    async def test_the_general_fault_is_met_where_no_rule_matches_and_clearing_mends_the_rules(
        self,
    ) -> None:
        registry = simulated()
        registry.fault = fault_named("denied")
        registry.faults.add(fault_named("forbidden"), where="tags")
        async with asking(registry) as get:
            assert [(await get(target)).status_code for target in (TAGS, PREFIX)] == [403, 401]
            registry.faults.clear()
            registry.fault = None
            assert (await get()).status_code == 200

    async def test_a_fault_of_ones_own_can_be_used_like_those_of_the_catalogue(self) -> None:
        registry = simulated()
        registry.fault = Fault(
            "teapot", "418", lambda _request, answer: replace(answer, status=418)
        )
        async with asking(registry) as get:
            assert (await get()).status_code == 418
