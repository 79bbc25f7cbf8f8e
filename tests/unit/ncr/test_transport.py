"""One signed GET against the simulated registry, over real sockets."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from structlog.typing import EventDict

from ncr_exporter.config import Api, Secret
from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.httpd.server import Server
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.credentials import ConfiguredCredentials, SecretFile
from ncr_exporter.ncr.errors import ApiError, NotFoundError
from ncr_exporter.ncr.fair_queue import Priority
from ncr_exporter.ncr.transport import RequestLabels
from ncr_exporter.ncr.versions import V3, ApiVersion
from ncr_exporter.simulator.faults import Fault, fault_named, latency
from ncr_exporter.simulator.registry import SimulatedRegistry
from tests.support.api_client import (
    DEMO_KEYS,
    REGISTRY,
    Heard,
    HurriedClock,
    client_of,
    keys,
    simulated,
    source_of,
    tag,
)
from tests.support.certificates import server_tls
from tests.support.clock import EPOCH, ManualClock, eventually, settle, tls_access
from tests.support.versions import at, spoken

pytestmark = pytest.mark.usefixtures("version")

PATIENT = Api(requests_per_second=10_000)
IMPATIENT = Api(requests_per_second=10_000, timeout=0.5)
"""For what hangs alone: on a busy machine the first connection takes long, too."""


def api_for(fault: str) -> Api:
    return IMPATIENT if fault == "hang" else PATIENT


class Connection(NamedTuple):
    """A client of the API, the registry that it asks, and what it tells its observer."""

    client: Client
    registry: SimulatedRegistry
    heard: Heard


@asynccontextmanager
async def connected(**options: Any) -> AsyncIterator[Connection]:
    """Give a client of a registry with one image `app` of two tags."""
    source = source_of(app=[tag("v1"), tag("v2")])
    async with simulated(source) as (registry, url), client_of(url, **options) as (client, heard):
        yield Connection(client, registry, heard)


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    async with connected() as it:
        yield it


@pytest.fixture
def client(connection: Connection) -> Client:
    return connection.client


@pytest.fixture
def registry(connection: Connection) -> SimulatedRegistry:
    return connection.registry


@pytest.fixture
def heard(connection: Connection) -> Heard:
    return connection.heard


async def names(client: Client, image: str = "app") -> list[str]:
    return [record.name for record in (await client.tags(REGISTRY, image)).records]


async def error_of(client: Client, image: str = "app") -> ApiError:
    with pytest.raises(ApiError) as caught:
        await client.tags(REGISTRY, image)
    return caught.value


async def test_a_good_answer_needs_one_request(
    client: Client, registry: SimulatedRegistry, heard: Heard, version: ApiVersion
) -> None:
    assert await names(client) == ["v1", "v2"]
    assert [seen.target for seen in registry.requests] == [
        at(
            version,
            "/ncr/api/v2/repositories/my-registry/app/tags?page=1&pagesize=100",
        )
        + ("&sort=name,asc" if version is V3 else "")
    ]
    assert heard.attempts == ["ok"]


# fault, reason, attempts: what is retried, and how often
FAULTS = [
    ("wrong-key", "authentication", 1),
    ("denied", "permission", 1),
    ("forbidden", "permission", 1),
    ("not-found", "not_found", 1),
    ("throttle", "throttled", 1),
    ("missing-500", "server", 3),
    ("unavailable", "server", 3),
    ("reset", "connection", 3),
    ("close", "connection", 3),
    ("garbage", "connection", 3),
    ("half", "connection", 3),
    ("redirect", "redirect", 1),
    ("html", "malformed", 1),
    ("empty", "malformed", 1),
    ("truncated", "malformed", 1),
    ("not-a-page", "malformed", 1),
    ("hang", "timeout", 2),
]


@pytest.mark.parametrize(("fault", "reason", "attempts"), FAULTS)
async def test_a_fault_has_its_reason_and_its_number_of_attempts(
    fault: str, reason: str, attempts: int
) -> None:
    async with connected(api=api_for(fault)) as (client, registry, heard):
        registry.fault = fault_named(fault)
        error = await error_of(client)
        assert error.reason == reason
        assert len(registry.requests) == attempts
        assert heard.retries == attempts - 1
        assert heard.attempts == [reason] * attempts
        assert error.remedy


@pytest.mark.parametrize("fault", ["unavailable", "reset", "close", "half", "hang"])
async def test_a_fault_that_passes_is_bridged_by_a_retry(fault: str) -> None:
    async with connected(api=api_for(fault)) as (client, registry, heard):
        registry.faults.add(fault_named(fault), times=1)
        assert await names(client) == ["v1", "v2"]
        assert heard.retries == 1


async def test_a_retry_waits_longer_each_time_and_never_the_same() -> None:
    pauses = []
    for _ in range(5):
        clock = HurriedClock()
        async with connected(clock=clock) as (client, registry, _):
            registry.fault = fault_named("unavailable")
            await error_of(client)
        assert 0.25 <= clock.pauses[0] <= 0.5 <= clock.pauses[1] <= 1.0
        pauses += clock.pauses
    assert len(set(pauses)) == 10


async def test_at_most_one_retry_follows_a_timeout_whatever_came_before() -> None:
    async with connected(api=IMPATIENT) as (client, registry, _):
        registry.faults.add(fault_named("unavailable"), times=1)
        registry.fault = fault_named("hang")
        assert (await error_of(client)).reason == "timeout"
        assert len(registry.requests) == 3


async def test_a_trickle_of_bytes_does_not_outlive_the_deadline() -> None:
    async def dribble(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with connected(api=Api(requests_per_second=10_000, timeout=0.3)) as (client, registry, _):
        registry.fault = Fault("dribble", "", lambda *_: Response(takeover=dribble))
        loop = asyncio.get_running_loop()
        started = loop.time()
        assert (await error_of(client)).reason == "timeout"
        assert loop.time() - started < 1.5


async def test_an_answer_within_the_deadline_is_waited_for(
    client: Client, registry: SimulatedRegistry, heard: Heard
) -> None:
    registry.fault = latency(0.2)
    assert await names(client) == ["v1", "v2"]
    assert heard.attempts == ["ok"]


async def test_each_attempt_is_signed_afresh(client: Client, registry: SimulatedRegistry) -> None:
    signatures: list[str] = []

    def note(request: Request, _: Response) -> Response:
        signatures.append(request.headers["x-ncp-apigw-signature-v2"])
        return text_response(503, "")

    registry.fault = Fault("note", "", note, seconds=0.002)
    await error_of(client)
    assert len(set(signatures)) == 3


async def test_a_redirect_is_an_error_and_the_key_goes_nowhere_else(
    client: Client, registry: SimulatedRegistry
) -> None:
    elsewhere: list[Request] = []

    async def listen(request: Request) -> Response:
        elsewhere.append(request)
        return text_response(200, "")

    async with Server(listen) as other:
        port = await other.listen("127.0.0.1", 0)
        location = {"location": f"http://127.0.0.1:{port}/"}
        registry.fault = Fault("away", "", lambda *_: text_response(307, "", location))
        error = await error_of(client)
        assert error.reason == "redirect"
        assert f"127.0.0.1:{port}" in str(error)
        assert elsewhere == []


@pytest.mark.parametrize("location", ["http://me:s3cr3t/x@proxy:3128", "http://a:b:c/"])
async def test_a_redirect_to_what_is_no_url_is_one_and_quotes_nothing_of_it(
    client: Client, registry: SimulatedRegistry, location: str
) -> None:
    away = Response(302, {"location": location}, (b"",), 0)
    registry.fault = Fault("away", "", lambda *_: away)
    error = await error_of(client)
    assert (error.reason, len(registry.requests)) == ("redirect", 1)
    assert "no URL" in str(error)


async def test_connections_are_kept_alive_between_requests() -> None:
    registry = SimulatedRegistry(source_of(app=[tag("v1")]), keys=DEMO_KEYS, clock=HurriedClock())
    async with Server(registry.handle) as server:
        port = await server.listen("127.0.0.1", 0)
        async with client_of(f"http://127.0.0.1:{port}") as (client, _):
            for _ in range(10):
                await names(client)
            assert len(server._connections) == 1


@pytest.mark.parametrize("fault", ["close", "reset"])
async def test_a_kept_connection_that_was_closed_costs_neither_a_retry_nor_a_poll(
    client: Client, registry: SimulatedRegistry, heard: Heard, fault: str
) -> None:
    budget = client.transport.retry_budget
    await names(client)
    while budget.take():
        pass
    for _ in range(5):
        registry.faults.add(fault_named(fault), times=1)
        assert await names(client) == ["v1", "v2"]
    assert heard.attempts == ["ok", *["connection", "ok"] * 5]
    assert heard.retries == 5, "what was sent is counted as sent"


@pytest.mark.parametrize("fault", ["garbage", "half", "unavailable"])
async def test_a_kept_connection_on_which_bytes_came_is_retried_by_the_budget(
    client: Client, registry: SimulatedRegistry, fault: str
) -> None:
    await names(client)
    budget = client.transport.retry_budget
    while budget.take():
        pass
    registry.faults.add(fault_named(fault), times=1)
    assert (await error_of(client)).reason in {"connection", "server"}


async def test_a_new_connection_that_is_closed_is_retried_by_the_budget(
    client: Client, registry: SimulatedRegistry, heard: Heard
) -> None:
    await names(client)
    registry.fault = fault_named("close")
    assert (await error_of(client)).reason == "connection"
    assert heard.attempts == ["ok", *["connection"] * 4], "one for nothing, and two retries"


async def test_no_cookie_is_kept(client: Client, registry: SimulatedRegistry) -> None:
    cookies: list[str | None] = []

    def set_cookie(request: Request, good: Response) -> Response:
        cookies.append(request.headers.get("cookie"))
        return Response(200, {**good.headers, "set-cookie": "a=b"}, good.body, good.length)

    registry.fault = Fault("cookie", "", set_cookie)
    await names(client)
    await names(client)
    assert cookies == [None, None]


# --- who refuses, in words ---


async def test_the_error_says_what_the_gateway_said(
    client: Client, registry: SimulatedRegistry
) -> None:
    registry.denied = set(DEMO_KEYS)
    error = await error_of(client)
    assert str(error).startswith("HTTP 401/210 Permission Denied")
    assert error.details.trace_id.startswith("demo-")
    assert error.details.origin == "APIGW"
    assert "NCP_CONTAINER_REGISTRY_VIEWER" in error.remedy


async def test_a_wrong_key_is_authentication() -> None:
    async with connected(credentials=keys({"DEMOACCESSKEY": "not-the-secret"})) as (client, _, __):
        assert (await error_of(client)).reason == "authentication"


async def test_an_unknown_image_is_not_found_by_the_service_itself(client: Client) -> None:
    error = await error_of(client, "nobody/here")
    assert isinstance(error, NotFoundError)
    assert error.from_service


async def test_a_refused_connection_is_said_in_words() -> None:
    async with client_of("http://127.0.0.1:9") as (client, heard):
        error = await error_of(client)
        assert error.reason == "connection"
        assert "cannot connect" in str(error)
        assert heard.attempts == ["connection"] * 3


async def test_a_host_that_does_not_exist_is_a_connection_error() -> None:
    async with client_of("http://no-such-host.invalid") as (client, _):
        assert (await error_of(client)).reason == "connection"


# --- TLS ---


async def tls_error(server_context: ssl.SSLContext, api: Api) -> ApiError | None:
    source = source_of(app=[tag("v1")])
    registry = SimulatedRegistry(source, keys=DEMO_KEYS, clock=HurriedClock())
    async with Server(registry.handle, access=tls_access(server_context)) as server:
        port = await server.listen("127.0.0.1", 0)
        async with client_of(f"https://127.0.0.1:{port}", api=api) as (client, heard):
            try:
                await client.tags(REGISTRY, "app")
            except ApiError as error:
                assert heard.retries == 0, "a certificate does not mend itself"
                return error
            return None


async def test_an_unknown_certificate_authority_is_a_tls_error() -> None:
    error = await tls_error(server_tls(trustme.CA()), Api(timeout=2.0))
    assert error is not None
    assert error.reason == "tls"
    assert "certificate" in str(error)
    assert "ca_file" in error.remedy


async def test_a_certificate_for_another_host_is_a_tls_error(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    api = Api(timeout=2.0, ca_file=str(tmp_path / "ca.pem"))
    error = await tls_error(server_tls(authority, "127.0.0.2"), api)
    assert error is not None
    assert error.reason == "tls"


async def test_a_certificate_authority_of_ca_file_is_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    api = Api(timeout=2.0, ca_file=str(tmp_path / "ca.pem"))
    assert await tls_error(server_tls(authority), api) is None


async def test_plain_http_where_tls_is_spoken_is_a_tls_error() -> None:
    async with (
        simulated(source_of(app=[])) as (_, url),
        client_of(url.replace("http:", "https:")) as (client, _heard),
    ):
        assert (await error_of(client)).reason == "tls"


async def test_a_connection_on_which_other_bytes_than_tls_come_is_a_tls_error(
    tmp_path: Path,
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    api = Api(timeout=2.0, ca_file=str(tmp_path / "ca.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        speaking = asyncio.to_thread(speak_something_else, listener, server_tls(authority))
        talk = asyncio.create_task(speaking)
        port = listener.getsockname()[1]
        async with client_of(f"https://127.0.0.1:{port}", api=api) as (client, heard):
            assert (await error_of(client)).reason == "tls"
            assert heard.attempts == ["tls"]
        await talk


def speak_something_else(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Shake hands and read a request over TLS, then answer without TLS."""
    connection, _ = listener.accept()
    with context.wrap_socket(connection, server_side=True) as encrypted:
        encrypted.recv(2**16)
        os.write(encrypted.fileno(), b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            encrypted.recv(2**16)  # until the client closes


# --- proxies ---


async def test_the_environments_proxy_is_used_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    async with connected() as (client, _, __):
        assert await names(client) == ["v1", "v2"]
    api = Api(requests_per_second=10_000, timeout=2.0, proxy_from_environment=True)
    async with connected(api=api) as (client, _, __):
        assert (await error_of(client)).reason == "connection"


async def test_requests_go_through_the_configured_proxy() -> None:
    asked: list[str] = []

    async def proxy(request: Request) -> Response:
        asked.append(request.target)
        return text_response(502, "")

    async with Server(proxy) as server:
        port = await server.listen("127.0.0.1", 0)
        api = Api(timeout=2.0, proxy_url=Secret(f"http://user:pw@127.0.0.1:{port}"))
        async with client_of("http://registry.invalid", api=api) as (client, _):
            await error_of(client)
    path = f"http://registry.invalid{at(spoken(), '/ncr/api/v2')}/"
    assert asked[0].startswith(path)


# --- clocks and keys ---


@pytest.mark.parametrize("offset", [600.0, -600.0])
async def test_with_a_clock_far_off_it_signs_by_the_gateways_and_warns_once(
    logs: list[EventDict], client: Client, registry: SimulatedRegistry, heard: Heard, offset: float
) -> None:
    registry.clock_offset = offset
    assert await names(client) == ["v1", "v2"]
    assert await names(client) == ["v1", "v2"]
    assert heard.attempts == ["authentication", "ok", "ok"]
    assert heard.skews[-1] == pytest.approx(offset, abs=2)
    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert len(warnings) == 1
    assert "NTP" in warnings[0]["remedy"]
    assert warnings[0]["skew_seconds"] == pytest.approx(offset, abs=2)


async def test_a_clock_off_by_less_than_a_minute_is_only_shown(
    logs: list[EventDict], client: Client, registry: SimulatedRegistry, heard: Heard
) -> None:
    registry.clock_offset = 45
    await names(client)
    assert heard.skews == [pytest.approx(45, abs=2)]
    assert [entry for entry in logs if entry["log_level"] == "warning"] == []
    assert client.transport.gateway_clock.correction == 0


async def test_an_answer_from_a_cache_does_not_change_the_clock_to_sign_by(
    client: Client, registry: SimulatedRegistry, heard: Heard
) -> None:
    def cached(_: Request, good: Response) -> Response:
        old = {"date": "Thu, 09 Oct 2025 08:53:20 GMT", "age": "7200"}
        return Response(200, {**good.headers, **old}, good.body, good.length)

    registry.faults.add(Fault("cached", "", cached), times=1)
    assert await names(client) == ["v1", "v2"]
    assert heard.skews == []
    assert await names(client) == ["v1", "v2"]
    assert heard.attempts == ["ok", "ok"]


async def test_a_cache_is_asked_for_nothing_that_it_keeps(
    client: Client, registry: SimulatedRegistry
) -> None:
    asked: list[str | None] = []

    def note(request: Request, good: Response) -> Response:
        asked.append(request.headers.get("cache-control"))
        return good

    registry.fault = Fault("note", "", note)
    await names(client)
    assert asked == ["no-cache"]


async def test_a_wrong_key_with_a_wrong_clock_is_tried_again_once_only(
    client: Client, registry: SimulatedRegistry, heard: Heard
) -> None:
    registry.clock_offset = 600
    registry.fault = fault_named("wrong-key")
    assert (await error_of(client)).reason == "authentication"
    assert heard.attempts == ["authentication"] * 2


async def test_a_key_in_a_file_may_be_rotated_while_running(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("old-and-revoked\n")
    credentials = ConfiguredCredentials(Secret("DEMOACCESSKEY"), SecretFile(secret))
    async with connected(credentials=credentials) as (client, _, __):
        assert (await error_of(client)).reason == "authentication"
        secret.write_text("demo-secret-key\n")
        assert await names(client) == ["v1", "v2"]


async def test_a_key_file_that_vanished_fails_without_a_request(tmp_path: Path) -> None:
    credentials = ConfiguredCredentials(Secret("DEMOACCESSKEY"), SecretFile(tmp_path / "gone"))
    async with connected(credentials=credentials) as (client, registry, heard):
        error = await error_of(client)
        assert error.reason == "authentication"
        assert "gone cannot be read" in str(error)
        assert heard.unsent == ["authentication"]
        assert not registry.requests


# --- throttling ---


async def test_after_a_429_nothing_is_asked_until_retry_after_then_a_probe() -> None:
    clock = ManualClock(EPOCH)
    async with (
        simulated(source_of(app=[tag("v1")]), clock=clock) as (registry, url),
        client_of(url, clock=clock) as (client, heard),
    ):
        registry.faults.add(fault_named("throttle"), times=1)
        assert (await error_of(client)).reason == "throttled"
        assert (await error_of(client)).reason == "throttled"
        assert (heard.attempts, heard.unsent) == (["throttled"], ["throttled"])
        await clock.advance(2)
        assert await names(client) == ["v1"]
        assert not client.transport.limiter.breaker.is_tripped


LARGE = {
    f"app-{number}": [tag(f"v{n}", digest="x" * 2000) for n in range(100)] for number in range(120)
}


@asynccontextmanager
async def large_images() -> AsyncIterator[tuple[Client, SimulatedRegistry]]:
    """Give a client with 4 requests in flight, and a registry of images of 200 kB each."""
    fast = Api(requests_per_second=10_000, max_concurrency=4)
    async with (
        simulated(source_of(**LARGE)) as (registry, url),
        client_of(url, api=fast) as (client, _),
    ):
        yield client, registry


@asynccontextmanager
async def nothing_decoded(client: Client) -> AsyncIterator[int]:
    """Let no further answer be decoded until the end of the block; give the bytes of one."""
    gateway = client.gateway
    tags = gateway.list_path("kr", REGISTRY.name, "app-0")
    path = tags.page(tags.style.first_page, 100)
    labels, host = RequestLabels("my-registry", "tag_list"), gateway.endpoints["kr"].base_url
    async with client.transport.request(path, labels, Priority.of("tag_list"), host) as body:
        yield len(body)


async def answered(registry: SimulatedRegistry, size: int) -> int:
    """Return how many requests of `size` bytes are answered while nothing is decoded."""
    await eventually(lambda: len(registry.requests) > 8 * 2**20 // size, within=10)
    await settle(200)
    return len(registry.requests)


async def test_answers_that_come_faster_than_they_are_decoded_do_not_pile_up() -> None:
    """Each image of a large account would have one in memory in its first round."""
    async with large_images() as (client, registry):
        async with nothing_decoded(client) as size:
            lists = [asyncio.create_task(names(client, image)) for image in LARGE]
            room = 8 * 2**20 // size
            assert room < await answered(registry, size) <= room + 1 + 4 < len(LARGE)
        assert {len(found) for found in await asyncio.gather(*lists)} == {100}


async def test_lists_that_are_ended_before_they_are_decoded_leave_room_for_the_next() -> None:
    async with large_images() as (client, registry):
        async with nothing_decoded(client) as size:
            lists = [asyncio.create_task(names(client, image)) for image in LARGE]
            await answered(registry, size)
            for each in lists:
                each.cancel()
            await asyncio.wait(lists)
        again = (names(client, image) for image in LARGE)
        assert {len(found) for found in await asyncio.gather(*again)} == {100}
