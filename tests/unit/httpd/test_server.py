"""The server under pressure, over TLS, and when it stops."""

import asyncio
import gc
import mmap
import socket
import ssl
from asyncio import get_running_loop
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trustme

from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.httpd.server import Server
from ncr_exporter.runtime.descriptors import WANTED_DESCRIPTORS
from tests.support.clock import eventually, settle
from tests.unit.httpd.test_connection import (
    BLOCK,
    GET,
    QUICK,
    SLACK,
    asking,
    blocks,
    body_of,
    client_that_never_reads,
    echo,
    exchange,
    house,
    large,
    read_all,
    seconds_until_dropped,
    statuses,
)

MIB = 1024 * 1024
Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Hanging:
    """A handler that answers `/` at once and anything else when told to."""

    def __init__(self) -> None:
        self.finish = asyncio.Event()
        self.working = 0
        self.cancelled = 0

    async def __call__(self, request: Request) -> Response:
        if request.path != "/":
            self.working += 1
            try:
                await self.finish.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            finally:
                self.working -= 1
        return await echo(request)


def resident() -> int:
    """Return the memory of this process, in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


@pytest.fixture(scope="module")
def certificates() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(certificates: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_tls(certificates: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    certificates.configure_trust(context)
    return context


# Pressure


async def test_40_clients_that_never_read_delay_nobody_and_are_cut() -> None:
    """The default limits except for the stall, and 12 MB each."""
    limits = Limits(stall=2.5)
    async with house(blocks, limits) as it:
        assert len(body_of(await exchange(it.port, asking("GET", "/192")))) > 12_000_000
        before = resident()
        start = get_running_loop().time()
        with ExitStack() as stack:
            for _ in range(40):
                stack.enter_context(client_that_never_reads(it.port, asking("GET", "/192")))
            for _ in range(5):
                scraped = get_running_loop().time()
                assert len(body_of(await exchange(it.port, asking("GET", "/192")))) > 12_000_000
                assert get_running_loop().time() - scraped < 2.0
            assert it.connections >= 40
            assert resident() - before < 50 * MIB
            await eventually(lambda: it.connections == 0)
        assert get_running_loop().time() - start < limits.stall + 3.0 + SLACK
        assert statuses(await exchange(it.port, asking("HEAD", "/192"))) == [200]


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nx: "])
async def test_half_open_connections_delay_nobody_and_cost_little(said: bytes) -> None:
    """500 of them must stay below 50 MiB: 100 KiB each."""
    async with house(echo) as it:  # who waited for them would wait for 10 s
        before = resident()
        with ExitStack() as stack:
            for _ in range(200):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", it.port)))
                client.sendall(said)
            start = get_running_loop().time()
            assert statuses(await exchange(it.port, GET)) == [200]
            assert get_running_loop().time() - start < SLACK
            assert it.connections >= 200
            assert resident() - before < 200 * 100 * 1024


@pytest.mark.parametrize("descriptors", [12, 40, 64, 256, 1024, 4096, 1_000_000])
def test_connections_leave_descriptors_for_everything_else(descriptors: int) -> None:
    """Above the limit `accept` fails, and asyncio takes no connection at all for a second."""
    limits = Limits.within(descriptors, requests=3)
    assert limits.requests == 3
    assert limits.backlog >= 1
    assert 0.4 * min(descriptors, 2000) <= limits.connections <= 800
    assert limits.connections + 4 * limits.backlog < 0.95 * descriptors


def test_where_there_are_enough_descriptors_800_connections_are_open() -> None:
    assert Limits.within(WANTED_DESCRIPTORS).connections == Limits().connections == 800


async def connection(port: int, stack: AsyncExitStack) -> Connected:
    """Return a new connection, closed at the end of the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    stack.enter_context(closing(writer))
    return reader, writer


async def answered(it: Connected) -> bool:
    reader, writer = it
    try:
        writer.write(GET)
        return b"200" in await reader.readuntil(b"GET /\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return False


async def test_for_one_connection_too_many_the_one_idle_longest_is_closed() -> None:
    async with house(echo, Limits(connections=3)) as it, AsyncExitStack() as stack:
        first, second, third = [await connection(it.port, stack) for _ in range(3)]
        await eventually(lambda: it.connections == 3)
        for each in (second, third, first):
            assert await answered(each)
        fourth = await connection(it.port, stack)
        assert await seconds_until_dropped(second[0]) < SLACK
        assert it.logged()["connections"] == 3
        for each in (third, first, fourth):
            assert await answered(each)
        await eventually(lambda: it.connections == it.server.open_connections == 3)
        assert statuses(await exchange(it.port, GET)) == [200]
        assert it.logs == [], "once a minute"


async def test_bytes_of_a_request_that_never_ends_keep_no_connection_open() -> None:
    async with house(echo, Limits(connections=2)) as it, AsyncExitStack() as stack:
        dripping, idle = [await connection(it.port, stack) for _ in range(2)]
        await eventually(lambda: it.connections == 2)
        assert await answered(idle)
        for byte in GET[:10]:
            dripping[1].write(bytes([byte]))
            await asyncio.sleep(0.005)
        assert statuses(await exchange(it.port, GET)) == [200]
        assert await seconds_until_dropped(dripping[0]) < SLACK
        assert await answered(idle)
        it.logs.clear()


async def test_a_client_that_stopped_reading_makes_room() -> None:
    async with house(large, Limits(connections=2)) as it:
        with ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(client_that_never_reads(it.port))
            await eventually(lambda: it.connections == 2)
            await settle()
            assert len(body_of(await exchange(it.port, GET))) > len(BLOCK)
        it.logs.clear()


async def test_what_is_at_work_is_not_closed_for_a_newcomer() -> None:
    handler = Hanging()
    async with house(handler, Limits(connections=2)) as it, AsyncExitStack() as stack:
        working = [asyncio.create_task(exchange(it.port, asking("GET", f"/{n}"))) for n in range(2)]
        await eventually(lambda: handler.working == 2)
        reader, _ = await connection(it.port, stack)
        assert await seconds_until_dropped(reader) < SLACK
        handler.finish.set()
        assert [statuses(answer) for answer in await asyncio.gather(*working)] == [[200], [200]]
        it.logs.clear()


async def test_a_request_that_needs_no_place_waits_for_none() -> None:
    handler, limits = Hanging(), replace(QUICK, requests=1, admission=5.0)
    async with Server(handler, limits, needs_permit=lambda it: it.path != "/") as server:
        port = await server.listen("127.0.0.1", 0)
        hanging = [asyncio.create_task(exchange(port, asking("GET", f"/{n}"))) for n in range(9)]
        await eventually(lambda: handler.working == 1)
        start = get_running_loop().time()
        assert statuses(await exchange(port, GET)) == [200]
        assert get_running_loop().time() - start < SLACK
        handler.finish.set()
        await asyncio.gather(*hanging)


async def test_a_request_without_a_place_is_told_to_come_again() -> None:
    handler = Hanging()
    async with house(handler, replace(QUICK, requests=2)) as it:
        taken = [asyncio.create_task(exchange(it.port, asking("GET", "/hang"))) for _ in range(2)]
        await eventually(lambda: handler.working == 2)
        start = get_running_loop().time()
        refused = await exchange(it.port, asking("HEAD") + GET)
        assert QUICK.admission * 2 * 0.9 < get_running_loop().time() - start < SLACK
        handler.finish.set()
        assert [statuses(await answer) for answer in taken] == [[200], [200]]
        assert statuses(await exchange(it.port, GET)) == [200]
    assert statuses(refused) == [503, 503]
    assert refused.count(b"\r\nretry-after: 1\r\n") == 2


async def test_a_request_gets_the_place_that_comes_free_while_it_waits() -> None:
    handler = Hanging()
    async with house(handler, replace(QUICK, requests=1, admission=5.0)) as it:
        first = asyncio.create_task(exchange(it.port, asking("GET", "/hang")))
        await eventually(lambda: handler.working == 1)
        second = asyncio.create_task(exchange(it.port, GET))
        await asyncio.sleep(0.02)
        assert not second.done()
        handler.finish.set()
        assert statuses(await first + await second) == [200, 200]


async def test_a_host_that_floods_the_server_delays_another_by_one_request() -> None:
    async def works(request: Request) -> Response:
        await asyncio.sleep(0.05)
        return await echo(request)

    async with house(works, Limits(requests=1, admission=30.0)) as it:
        flood = [asyncio.create_task(exchange(it.port, GET)) for _ in range(40)]
        await asyncio.sleep(0.1)
        start = get_running_loop().time()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", it.port, local_addr=("127.0.0.2", 0)
        )
        with closing(writer):
            writer.write(GET)
            await reader.readuntil(b"GET /\n")
        took = get_running_loop().time() - start
        assert not all(task.done() for task in flood)
        assert {statuses(answer)[0] for answer in await asyncio.gather(*flood)} == {200}
    assert took < 1.0, "in the order of coming it would be 2 s"


async def test_places_are_given_back_whatever_becomes_of_the_request() -> None:
    async def unlucky(request: Request) -> Response:
        match request.path:
            case "/raises":
                raise RuntimeError
            case "/breaks":
                return Response(200, body=(b"short",), length=10)
            case "/large":
                return await large(request)
        return await echo(request)

    async with house(unlucky, replace(QUICK, requests=1)) as it:
        for path in ("/raises", "/breaks", "/large", "/raises", "/breaks"):
            with client_that_never_reads(it.port, asking("GET", path)):
                await asyncio.sleep(0.01)
            assert statuses(await exchange(it.port, GET)) == [200]
        await eventually(lambda: it.connections == 0)
        assert len(it.logs) == 4
        it.logs.clear()


# Stopping


@asynccontextmanager
async def stopping_at_once(server: Server) -> AsyncIterator[None]:
    """Stop the server afterwards, and see how long it takes."""
    yield
    start = get_running_loop().time()
    await server.stop()
    assert get_running_loop().time() - start < SLACK


async def test_stop_waits_for_no_client() -> None:
    handler = Hanging()

    async def both(request: Request) -> Response:
        return await (blocks if request.path == "/192" else handler)(request)

    said = [b"", b"GET", GET, asking("GET", "/hang"), asking("GET", "/192"), b"bad\r\n\r\n"]
    async with house(both, Limits(requests=100)) as it:
        with ExitStack() as stack:
            async with stopping_at_once(it.server):
                clients = [
                    stack.enter_context(client_that_never_reads(it.port, one)) for one in said * 5
                ]
                await eventually(lambda: it.connections == len(clients))
                await eventually(lambda: handler.working == 5)
            assert handler.cancelled == 5
            assert it.connections == 0
            for client in clients:
                with suppress(ConnectionError):
                    await read_all(client)
        with pytest.raises(OSError, match="Connect call failed"):
            await exchange(it.port, GET)


@pytest.mark.parametrize("turns", [0, 1, 3, 4, 5, 6])
async def test_a_client_that_comes_while_the_server_stops_is_sent_away(turns: int) -> None:
    """Wherever it is between the kernel and its first request.

    But for 2: a listener of asyncio that closes in the turn after it took a connection forgets it.
    """
    async with house(echo) as it:
        with socket.create_connection(("127.0.0.1", it.port)) as client:
            client.sendall(GET)
            for _ in range(turns):
                await asyncio.sleep(0)
            await it.server.stop()
            await settle()
            assert it.connections == 0
            client.settimeout(SLACK)
            with suppress(ConnectionError):
                while await asyncio.to_thread(client.recv, 1024):
                    pass


async def test_stopping_twice_is_harmless() -> None:
    async with house(echo) as it:
        await it.server.stop()
        await it.server.stop()


# Addresses


async def test_a_server_listens_on_several_addresses() -> None:
    async with house(echo) as it:
        ports = [it.port, await it.server.listen("127.0.0.1", 0)]
        assert len(set(ports)) == 2
        for port in ports:
            assert statuses(await exchange(port, GET)) == [200]


async def test_an_address_in_use_is_an_error() -> None:
    async with house(echo) as it:
        with pytest.raises(OSError, match="in use"):
            await it.server.listen("127.0.0.1", it.port)
        assert statuses(await exchange(it.port, GET)) == [200]


# TLS


async def test_a_client_over_tls_is_served(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with (
        house(large, tls=server_tls) as it,
        httpx.AsyncClient(verify=client_tls, base_url=f"https://localhost:{it.port}") as client,
    ):
        for _ in range(3):
            answer = await client.get("/")
            assert answer.status_code == 200
            assert len(answer.content) == len(BLOCK) * 48
        assert it.connections == 1


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_last_answer_over_tls_arrives_whole_and_is_ended(
    version: str, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """The end is TLS's own: a missing one is an error to a client."""
    async with house(large, tls=server_tls) as it:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", it.port, ssl=client_tls, server_hostname="localhost"
        )
        with closing(writer):
            writer.write(asking("GET", "/", "connection: close", version=version))
            assert (await reader.read()).count(b"x") == len(BLOCK) * 48
        await eventually(lambda: it.connections == 0)


@pytest.mark.parametrize(
    "said", [b"", b"\x16\x03\x01\x02\x00\x01\x00"], ids=["silent", "half a hello"]
)
async def test_who_does_not_shake_hands_delays_nobody_and_is_dropped(
    said: bytes, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """500 of them must stay below 50 MiB: 100 KiB each."""
    async with house(echo, replace(QUICK, header=2.5), server_tls) as it:
        before = resident()
        with ExitStack() as stack:
            start = get_running_loop().time()
            for _ in range(100):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", it.port)))
                client.sendall(said)
            async with httpx.AsyncClient(verify=client_tls) as other:
                answer = await other.get(f"https://localhost:{it.port}/")
            assert answer.text == "GET /\n"
            assert get_running_loop().time() - start < SLACK
            assert resident() - before < 100 * 100 * 1024
            await eventually(lambda: it.connections == 0)
            assert 2.4 < get_running_loop().time() - start < 2.5 + SLACK


async def test_a_handshake_that_drips_has_the_same_deadline(server_tls: ssl.SSLContext) -> None:
    """Each byte comes in time, the last one never."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 500

    async def drip() -> None:
        with suppress(ConnectionError):
            for byte in hello:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.01)

    async with house(echo, QUICK, server_tls) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            dripping = asyncio.create_task(drip())
            assert await seconds_until_dropped(reader) < QUICK.header + SLACK
        dripping.cancel()


@pytest.mark.parametrize("said", [GET, b"\x00" * 100, b"\x16\x03\x01\x00\x05hello"])
async def test_what_is_no_tls_is_no_error_of_ours(said: bytes, server_tls: ssl.SSLContext) -> None:
    async with house(echo, tls=server_tls) as it:
        with suppress(ConnectionError):
            assert statuses(await exchange(it.port, said)) == []
        await eventually(lambda: it.connections == 0)


async def test_half_a_request_over_tls_is_dropped_at_the_same_deadline(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with house(echo, QUICK, server_tls) as it:
        start = get_running_loop().time()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", it.port, ssl=client_tls, server_hostname="localhost"
        )
        with closing(writer):
            writer.write(b"GET / HT")
            await seconds_until_dropped(reader)
        assert get_running_loop().time() - start < QUICK.header + SLACK


async def test_a_large_body_over_tls_is_refused_and_the_refusal_arrives(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with house(echo, tls=server_tls) as it, httpx.AsyncClient(verify=client_tls) as client:
        answer = await client.post(f"https://localhost:{it.port}/", content=b"x" * 2_000_000)
        assert answer.status_code == 413


async def test_handshakes_count_as_connections(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with house(echo, Limits(connections=1), server_tls) as it:
        silent, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            await eventually(lambda: it.connections == 1)
            async with httpx.AsyncClient(verify=client_tls) as client:
                answer = await client.get(f"https://localhost:{it.port}/")
            assert answer.text == "GET /\n"
            assert await seconds_until_dropped(silent) < SLACK
        it.logs.clear()


async def test_a_tls_client_that_never_reads_is_cut_and_one_that_is_slow_is_not(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with house(large, QUICK, server_tls) as it:
        connections = [
            await asyncio.open_connection(
                "127.0.0.1", it.port, ssl=client_tls, server_hostname="localhost", limit=1024
            )
            for _ in range(2)
        ]
        with closing(connections[0][1]), closing(connections[1][1]):
            for _, writer in connections:
                writer.write(asking("GET", "/", "connection: close"))
            answer = bytearray()
            start = get_running_loop().time()
            while data := await connections[0][0].read(MIB):
                answer += data
                await asyncio.sleep(0.02)
            assert answer.count(b"x") == len(BLOCK) * 48
            assert get_running_loop().time() - start > QUICK.stall
            await eventually(lambda: it.connections == 0, within=QUICK.stall + SLACK)


async def test_a_tls_client_that_breaks_off_is_no_error(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with house(large, tls=server_tls) as it:
        for request in (b"", b"GET", GET):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", it.port, ssl=client_tls, server_hostname="localhost", limit=1024
            )
            writer.write(request)
            if request == GET:
                await reader.read(10)
            writer.transport.abort()
        await eventually(lambda: it.connections == 0)


async def test_stop_waits_for_no_handshake(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with house(echo, tls=server_tls) as it:
        with socket.create_connection(("127.0.0.1", it.port)) as silent:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", it.port, ssl=client_tls, server_hostname="localhost"
            )
            with closing(writer):
                await eventually(lambda: it.connections == 2)
                async with stopping_at_once(it.server):
                    pass
                assert await seconds_until_dropped(reader) < SLACK
                assert await asyncio.to_thread(silent.recv, 1) == b""
