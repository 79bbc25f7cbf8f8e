"""One connection over a real socket: framing, deadlines, and clients that leave or misbehave.

What the other tests of the server use, too, stands first.
"""

import asyncio
import gc
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from ssl import SSLContext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from structlog.typing import EventDict

from ncr_exporter.httpd.access import AccessPolicy
from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.messages import Handler, Request, Response, text_response
from ncr_exporter.httpd.server import Server
from tests.support.clock import eventually, settle, tls_access
from tests.support.turns import turns

QUICK = Limits(header=0.15, idle=0.4, stall=0.25, admission=0.1)
"""The default limits, in a hurry."""
SLACK = 2.0
"""What a busy machine may add to a deadline."""
BLOCK = b"x" * 64 * 1024
RESET = struct.pack("ii", 1, 0)


@dataclass
class House:
    """A server on loopback, and what it logged: a test takes away what it expects."""

    server: Server
    port: int
    logs: list[EventDict]

    @property
    def connections(self) -> int:
        return len(self.server._connections)

    def logged(self) -> EventDict:
        """Return the only line in the log, and take it away."""
        (line,) = without_debug(self.logs)
        self.logs.clear()
        return line


def without_debug(lines: list[EventDict]) -> list[EventDict]:
    """Return what is seen at level info."""
    return [line for line in lines if line["log_level"] != "debug"]


@asynccontextmanager
async def house(
    handler: Handler,
    limits: Limits | None = None,
    tls: SSLContext | None = None,
    access: AccessPolicy | None = None,
) -> AsyncIterator[House]:
    """Serve; fail where asyncio has complaints, a task is left, or something else was logged."""
    access = access or tls_access(tls)
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    before = asyncio.all_tasks()
    with capture_logs() as logs:
        async with Server(handler, limits, access) as server:
            yield House(server, await server.listen("127.0.0.1", 0), logs)
        await settle()
        gc.collect(1)
    assert complaints == []
    assert without_debug(logs) == []
    assert asyncio.all_tasks() <= before


async def echo(request: Request) -> Response:
    """Say what was asked; a tunnel is none of our trade."""
    if request.method == "CONNECT":
        return text_response(405, "no\n")
    return text_response(200, f"{request.method} {request.target}\n")


async def large(_: Request) -> Response:
    """Answer 3 MB, made of one shared block: more than the buffers on the way hold."""
    return Response(200, body=[BLOCK] * 48)


async def blocks(request: Request) -> Response:
    """Answer as many blocks as the path says."""
    return Response(200, body=[BLOCK] * int(request.path[1:]))


def asking(method: str, target: str = "/", *headers: str, version: str = "1.1") -> bytes:
    lines = (f"{method} {target} HTTP/{version}", "host: x", *headers, "", "")
    return "\r\n".join(lines).encode("latin-1")


GET = asking("GET")


async def exchange(port: int, *pieces: bytes) -> bytes:
    """Send the pieces and that there are no more; return all that is answered until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with closing(writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.001)
        writer.write_eof()
        return await reader.read()


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def client_that_never_reads(port: int, request: bytes = GET) -> socket.socket:
    """Ask, with little room for the answer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    client.connect(("127.0.0.1", port))
    client.sendall(request)
    return client


def reset(client: socket.socket) -> None:
    """Break the connection."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()


async def read_all(client: socket.socket, *, wait: float = 0.0, at_once: int = 1 << 20) -> bytes:
    """Read until the end, waiting before each time; close."""
    client.setblocking(False)
    answer = bytearray()
    with client:
        while True:
            await asyncio.sleep(wait)
            data = await asyncio.get_running_loop().sock_recv(client, at_once)
            if not data:
                return bytes(answer)
            answer += data


async def test_get_and_head_have_the_same_headers_and_head_no_body() -> None:
    async with house(echo) as it:
        answers = [
            await exchange(it.port, asking(method, "/a", "connection: close"))
            for method in ("GET", "HEAD")
        ]
    assert statuses(answers[0]) == statuses(answers[1]) == [200]
    assert body_of(answers[0]) == b"GET /a\n"
    assert body_of(answers[1]) == b""
    get, head = (re.sub(rb"content-length: \d+|date: .*", b"", a) for a in answers)
    assert head == get.removesuffix(b"GET /a\n")


async def test_an_answer_has_a_date_and_a_reason() -> None:
    async with house(echo) as it:
        answer = await exchange(it.port, GET)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert re.search(rb"\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", answer)


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with house(echo) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            for target in ("/1", "/2", "/3"):
                writer.write(asking("GET", target))
                assert b"200" in await reader.readline()
                assert (await reader.readuntil(f"GET {target}\n".encode())).count(b"\r\n\r\n") == 1


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with house(echo) as it:
        answers = await exchange(it.port, b"".join(asking("GET", f"/{n}") for n in range(50)))
    assert re.findall(rb"GET /(\d+)\n", answers) == [str(n).encode() for n in range(50)]


async def test_pipelined_requests_let_others_run_in_between() -> None:
    """Asyncio's `drain` alone gives nobody a turn while the client reads."""
    turns: list[int] = []

    async def count() -> None:
        while True:
            turns.append(it.connections)
            await asyncio.sleep(0)

    async with house(echo) as it:
        counting = asyncio.create_task(count())
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            writer.write(GET * 200)
            before = len(turns)
            for _ in range(200):
                await reader.readuntil(b"GET /\n")
        counting.cancel()
    assert len(turns) - before >= 200


@pytest.mark.parametrize("end", ["connection: close", "version 1.0"])
async def test_the_connection_ends_after_the_answer_where_the_client_says_so(end: str) -> None:
    old = end == "version 1.0"
    request = asking("GET", "/", version="1.0") if old else asking("GET", "/", end)
    async with house(echo, replace(QUICK, idle=5.0)) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            writer.write(request + GET)
            answers = await asyncio.wait_for(reader.read(), QUICK.header)
    assert statuses(answers) == [200]
    assert b"connection: close" in answers.lower()


async def test_a_client_of_http_1_0_gets_a_long_body_without_chunks() -> None:
    async with house(large) as it:
        answer = await exchange(it.port, asking("GET", version="1.0"))
    assert b"transfer-encoding" not in answer
    assert body_of(answer) == BLOCK * 48


async def test_a_last_answer_arrives_whole_though_the_client_is_slow_to_read() -> None:
    """Of one of these sizes the kernel takes most, and asyncio holds the rest when we close."""
    sizes = range(1, 71)
    async with house(blocks, replace(QUICK, stall=5.0, requests=len(sizes))) as it:
        clients = [
            client_that_never_reads(it.port, asking("GET", f"/{size}", "connection: close"))
            for size in sizes
        ]
        await asyncio.sleep(QUICK.stall / 2)
        answers = await asyncio.gather(*(read_all(client) for client in clients))
    assert [answer.count(b"x") for answer in answers] == [size * len(BLOCK) for size in sizes]


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET / HTTP/1.1 \r\n",
        b"GET  / HTTP/1.1\r\n",
        b"GET /\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n",
        b"GET / HTTP/1.1\r\nspace : before colon\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\n",
        b"GET /\x00 HTTP/1.1\r\n",
        b"G\x80T / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n",
        b"GET / FTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_and_the_connection_ends(request_line: bytes) -> None:
    async with house(echo) as it:
        answer = await exchange(it.port, request_line + b"host: x\r\n\r\n" + GET)
    assert statuses(answer) == [400]
    assert b"connection: close" in answer.lower()


async def test_a_request_without_host_is_refused() -> None:
    async with house(echo) as it:
        assert statuses(await exchange(it.port, b"GET / HTTP/1.1\r\n\r\n")) == [400]


@pytest.mark.parametrize("size", [Limits().header_bytes * 2, 1_000_000])
async def test_headers_above_the_limit_are_refused(size: int) -> None:
    async with house(echo) as it:
        answer = await exchange(it.port, asking("GET", "/", f"x: {'y' * size}"))
    assert statuses(answer) == [431]


async def test_headers_that_never_end_are_refused_when_the_limit_is_passed() -> None:
    async with house(echo) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            writer.write(b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 4000)
            assert b"431" in await reader.readline()


async def test_headers_below_the_limit_are_not() -> None:
    async with house(echo) as it:
        request = asking("GET", "/", f"x: {'y' * (Limits().header_bytes - 1000)}")
        assert statuses(await exchange(it.port, request)) == [200]


async def test_a_header_folded_as_of_old_is_one_header() -> None:
    async def tell(request: Request) -> Response:
        return text_response(200, request.headers["x-long"])

    async with house(tell) as it:
        answer = await exchange(it.port, asking("GET", "/", "x-long: one", "  two"))
    assert body_of(answer) == b"one two"


async def test_equal_headers_are_joined_and_read_as_latin_1() -> None:
    async def tell(request: Request) -> Response:
        return text_response(200, request.headers["accept"])

    async with house(tell) as it:
        answer = await exchange(it.port, asking("GET", "/", "Accept: a;q=1", "ACCEPT: \xe9"))
    assert body_of(answer).decode() == "a;q=1, \xe9"


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "//",
        "//double//slash",
        "/%6d%00%ff",
        "/a?b=c&d=%zz#e",
        "*",
        "http://x/metrics",
        "http://[",
        "/:@!$&'()*+,;=~{}|^`\"<>[]\\",
        "/" + "a" * 8000,
    ],
)
async def test_any_target_of_visible_ascii_reaches_the_handler_as_sent(target: str) -> None:
    async def tell(request: Request) -> Response:
        return text_response(200, f"{request.path}\n{request.target}")

    async with house(tell) as it:
        answer = await exchange(it.port, asking("OPTIONS", target))
    assert statuses(answer) == [200]
    assert body_of(answer).decode().partition("\n")[2] == target


@pytest.mark.parametrize("framing", ["content-length: 5", "transfer-encoding: chunked"])
async def test_a_small_body_is_skipped_and_the_next_request_is_read(framing: str) -> None:
    body = b"hello" if "length" in framing else b"2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\nx: y\r\n\r\n"
    async with house(echo) as it:
        answers = await exchange(it.port, asking("POST", "/a", framing), body + GET)
    assert re.findall(rb"(?:POST|GET) /\w*\n", answers) == [b"POST /a\n", b"GET /\n"]


async def test_a_body_may_come_byte_by_byte() -> None:
    async with house(echo) as it:
        request = asking("POST", "/", "content-length: 5")
        assert statuses(await exchange(it.port, request, *(b"x" for _ in range(5)))) == [200]


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD"])
@pytest.mark.parametrize("framing", ["content-length: 2000000", "transfer-encoding: chunked"])
async def test_a_large_body_is_refused_and_the_refusal_arrives(method: str, framing: str) -> None:
    """The client goes on sending, reads afterwards, and its connection is not reset."""
    body = b"x" * 2_000_000
    if "chunked" in framing:
        body = b"1e8480\r\n" + body + b"\r\n0\r\n\r\n"
    async with house(echo) as it:
        answer = await exchange(it.port, asking(method, "/", framing), body)
    assert statuses(answer) == [413]
    assert body_of(answer) == b""


async def test_many_tiny_chunks_are_refused_before_they_cost_much() -> None:
    async with house(echo) as it:
        request = asking("POST", "/", "transfer-encoding: chunked") + b"1\r\nx\r\n" * 20_000
        start = asyncio.get_running_loop().time()
        assert statuses(await exchange(it.port, request)) == [413]
    assert asyncio.get_running_loop().time() - start < SLACK


async def test_who_expects_100_continue_gets_it_before_sending_the_body() -> None:
    async with house(echo) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            writer.write(asking("POST", "/", "content-length: 2", "expect: 100-continue"))
            assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
            assert await reader.readline() == b"\r\n"
            writer.write(b"ab" + GET)
            writer.write_eof()
            assert statuses(await reader.read()) == [200, 200]


@pytest.mark.parametrize(
    "headers",
    [
        ("content-length: 5", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 5"),
        ("content-length: 5", "content-length: 6"),
        ("content-length: 5, 6",),
        ("content-length: +5",),
        ("content-length: -5",),
        ("content-length: 0x5",),
        ("content-length: 5_0",),
        ("content-length:",),
        ("transfer-encoding : chunked",),
        ("transfer-encoding: \x0bchunked",),
        ("transfer-encoding: chunked, chunked",),
        ("transfer-encoding: chunked, identity",),
        ("transfer-encoding: xchunked",),
        ("host: y",),
    ],
)
async def test_a_request_that_two_parsers_may_cut_differently_is_refused(
    headers: tuple[str, ...],
) -> None:
    smuggled = b"0\r\n\r\n" + asking("GET", "/smuggled")
    async with house(echo) as it:
        answers = await exchange(it.port, asking("POST", "/", *headers) + smuggled)
    assert statuses(answers) in ([400], [501])
    assert b"smuggled" not in answers


@pytest.mark.parametrize(
    "chunk", [b"x\r\n", b"-1\r\n", b"0x5\r\nhello\r\n", b"5\r\nhelloXX0\r\n\r\n", b"f" * 21]
)
async def test_a_body_with_broken_chunks_is_refused(chunk: bytes) -> None:
    async with house(echo) as it:
        request = asking("POST", "/", "transfer-encoding: chunked") + chunk
        answers = await exchange(it.port, request + asking("GET", "/smuggled"))
    assert statuses(answers) == [400]


@pytest.mark.parametrize(
    "headers",
    [
        ("connection: upgrade", "upgrade: websocket"),
        ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"),
    ],
)
async def test_an_upgrade_is_ignored(headers: tuple[str, ...]) -> None:
    async with house(echo) as it:
        answers = await exchange(it.port, asking("GET", "/", *headers) + GET)
    assert statuses(answers)[0] == 200


async def test_what_a_client_without_knowledge_of_us_says_first_is_no_error_of_ours() -> None:
    async with house(echo) as it:
        for said in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\n\r\n", b""):
            assert all(status < 500 for status in statuses(await exchange(it.port, said)))


WORDS = [
    *(b"GET", b"HEAD", b"POST", b"CONNECT", b"OPTIONS", b" ", b"/", b"*", b"http://h/", b"?a=b"),
    *(b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\n", b"\r\n\r\n", b"host: h\r\n", b"Host: h\r\n"),
    *(b"content-length: 3\r\n", b"content-length: 99999999999999999999\r\n", b"abc"),
    *(b"transfer-encoding: chunked\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"fffffffffffffffff\r\n"),
    *(b"connection: close\r\n", b"expect: 100-continue\r\n", b"upgrade: x\r\n", b"x: y\r\n z\r\n"),
    *(GET, asking("HEAD"), asking("POST", "/", "transfer-encoding: chunked")),
    *(asking("POST", "/", "content-length: 3"), asking("CONNECT", "h:1")),
]
REQUESTS = st.lists(st.sampled_from(WORDS) | st.binary(max_size=20), max_size=30).map(b"".join)


@pytest.mark.hypothesis
async def test_whatever_bytes_come_the_answer_is_no_failure_and_the_server_goes_on() -> None:
    async with house(echo) as it:

        @given(REQUESTS | st.binary(max_size=500))
        def survives(data: bytes) -> None:
            goes_on_after(it.port, data)

        await asyncio.to_thread(survives)
        await eventually(lambda: it.connections == 0)


def goes_on_after(port: int, data: bytes) -> None:
    answers = sent_and_answered(port, data)
    assert answers == b"" or answers.startswith(b"HTTP/1.1 ")
    assert all(status < 500 or status == 501 for status in statuses(answers))
    assert statuses(sent_and_answered(port, GET)) == [200]


def sent_and_answered(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(1 << 16), b""))


async def seconds_until_dropped(reader: asyncio.StreamReader) -> float:
    """Wait until the server closes."""
    start = asyncio.get_running_loop().time()
    with suppress(ConnectionError):
        await reader.read()
    return asyncio.get_running_loop().time() - start


def test_what_is_not_a_whole_request_is_dropped_within_15_seconds_by_default() -> None:
    assert Limits().header <= 15
    assert Limits().stall <= 15


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HT",
        GET[:-2],
        asking("POST", "/", "content-length: 10") + b"half",
        asking("POST", "/", "transfer-encoding: chunked") + b"5\r\nha",
        asking("POST", "/", "content-length: 10", "expect: 100-continue"),
    ],
    ids=["nothing", "half a line", "no end", "half a body", "half a chunk", "waits for 100"],
)
async def test_a_client_that_stops_in_a_request_is_dropped(said: bytes) -> None:
    async with house(echo, QUICK) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            writer.write(said)
            assert QUICK.header * 0.9 < await seconds_until_dropped(reader) < QUICK.header + SLACK
        await eventually(lambda: it.connections == 0)


async def test_a_client_that_drips_is_dropped_though_it_never_stops() -> None:
    async def drip() -> None:
        with suppress(ConnectionError):
            for byte in asking("GET", "/", "x: " + "y" * 1000):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.01)

    async with house(echo, QUICK) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            dripping = asyncio.create_task(drip())
            assert await seconds_until_dropped(reader) < QUICK.header + SLACK
        dripping.cancel()


async def test_a_first_request_has_one_deadline_from_connecting_on() -> None:
    """Counted from its first byte it would be 1.8 s."""
    async with house(echo, replace(QUICK, header=1.0)) as it:
        start = asyncio.get_running_loop().time()
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            await asyncio.sleep(0.8)
            writer.write(b"GET /")
            await seconds_until_dropped(reader)
        assert 0.9 < asyncio.get_running_loop().time() - start < 1.7


async def test_an_idle_connection_outlives_the_header_deadline_but_not_its_own() -> None:
    async with house(echo, QUICK) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            for _ in range(2):
                writer.write(GET)
                await reader.readuntil(b"GET /\n")
                await asyncio.sleep(QUICK.header * 1.5)
            taken = await seconds_until_dropped(reader) + QUICK.header * 1.5
    assert QUICK.idle * 0.9 < taken < QUICK.idle + SLACK


@pytest.mark.parametrize("pipelined", [True, False])
async def test_a_later_request_has_the_header_deadline_from_its_first_byte(
    pipelined: bool,  # noqa: FBT001 -- a parametrised case
) -> None:
    limits = replace(QUICK, idle=5.0)
    async with house(echo, limits) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            writer.write(GET + b"GET /" if pipelined else GET)
            await reader.readuntil(b"GET /\n")
            if not pipelined:
                await asyncio.sleep(QUICK.header)
                writer.write(b"GET /")
            assert QUICK.header * 0.9 < await seconds_until_dropped(reader) < QUICK.header + SLACK


async def test_a_refused_client_that_goes_on_sending_is_dropped() -> None:
    async with house(echo, QUICK) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            writer.write(b"nonsense\r\n\r\n")
            assert statuses(await reader.read()) == [400]
            await eventually(lambda: it.connections == 0, within=QUICK.stall + SLACK)


async def test_a_slow_client_gets_its_whole_answer_though_its_place_went_to_somebody() -> None:
    limits = replace(QUICK, requests=1)
    async with house(large, limits) as it:
        slow = client_that_never_reads(it.port, asking("GET", "/", "connection: close"))
        reading = asyncio.create_task(read_all(slow, wait=0.005, at_once=128 * 1024))
        await asyncio.sleep(0.02)
        quick = await exchange(it.port, asking("HEAD"))
        assert not reading.done()
        answer = await reading
    assert statuses(quick) == [200]
    assert answer.endswith(b"0\r\n\r\n")
    assert answer.count(b"x") == len(BLOCK) * 48


async def test_a_client_that_reads_slower_than_the_kernel_buffers_is_not_taken_for_stalled() -> (
    None
):
    """A socket takes megabytes by itself, then nothing for as long as the client needs for them."""
    async with house(large, QUICK) as it:
        client = client_that_never_reads(it.port)
        client.setblocking(False)
        start = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - start < QUICK.stall * 2:
            await asyncio.get_running_loop().sock_recv(client, 32 * 1024)
            await asyncio.sleep(0.04)
        assert it.connections == 1
        client.close()


async def test_a_client_that_never_reads_is_cut() -> None:
    async with house(large, QUICK) as it:
        with client_that_never_reads(it.port):
            await eventually(lambda: it.connections == 1)
            start = asyncio.get_running_loop().time()
            await eventually(lambda: it.connections == 0)
            assert asyncio.get_running_loop().time() - start < QUICK.stall + SLACK


async def test_a_client_that_reads_for_ever_is_cut_however_steadily_it_reads() -> None:
    """Each piece is taken in time; still 800 of them would hold every connection for hours."""
    async with house(large, replace(QUICK, stall=5.0, response=0.3)) as it:
        client = client_that_never_reads(it.port)
        start = asyncio.get_running_loop().time()
        answer = await read_all(client, wait=0.02, at_once=32 * 1024)
        assert asyncio.get_running_loop().time() - start > QUICK.header
        assert not answer.endswith(b"0\r\n\r\n")
        assert it.connections == 0


async def test_a_handler_that_never_answers_is_given_up_and_its_place_is_free_again() -> None:
    async def hangs(request: Request) -> Response:
        if request.path == "/hang":
            await asyncio.Event().wait()
        return await echo(request)

    async with house(hangs, replace(QUICK, requests=1, response=0.3)) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            writer.write(asking("GET", "/hang"))
            assert 0.3 * 0.9 < await seconds_until_dropped(reader) < 0.3 + SLACK
        assert statuses(await exchange(it.port, GET)) == [200]


async def test_a_client_that_does_not_read_the_end_is_cut_before_the_deadline_for_idling() -> None:
    """Of one of these sizes the kernel takes most, and asyncio would hold the rest."""
    sizes = range(1, 71)
    async with house(blocks, replace(QUICK, idle=30.0, requests=len(sizes))) as it:
        clients = [client_that_never_reads(it.port, asking("GET", f"/{n}")) for n in sizes]
        await asyncio.sleep(QUICK.stall * 2)
        left = it.connections
    answers = [await read_all(client) for client in clients]
    assert left == sum(answer.endswith(b"0\r\n\r\n") for answer in answers)


async def test_a_handler_that_raises_is_answered_500_and_the_connection_goes_on() -> None:
    async def fails(request: Request) -> Response:
        if request.path == "/bad":
            raise RuntimeError("secret detail")
        return await echo(request)

    async with house(fails) as it:
        answers = await exchange(it.port, asking("GET", "/bad?q=1") + GET)
        line = it.logged()
    assert statuses(answers) == [500, 200]
    assert b"secret detail" not in answers
    assert (line["event"], line["path"], line["log_level"]) == ("request failed", "/bad", "error")


def breaks() -> Iterator[bytes]:
    yield BLOCK
    raise RuntimeError("in the middle")


@pytest.mark.parametrize(
    "response",
    [
        Response(200, body=breaks()),
        Response(200, body=(b"short",), length=10),
        Response(200, body=(b"long",), length=1),
        Response(200, headers={"x": "a\r\nb: c"}),
    ],
    ids=["raises", "too short", "too long", "bad header"],
)
async def test_an_answer_that_breaks_half_way_is_logged_and_does_not_look_whole(
    response: Response,
) -> None:
    async def handler(_: Request) -> Response:
        return response

    async with house(handler) as it:
        answer = await exchange(it.port, GET + GET)
        await eventually(lambda: it.logs)
        line = it.logged()
    assert (line["event"], line["log_level"]) == ("connection failed", "error")
    assert not answer.endswith(b"0\r\n\r\n")
    assert len(statuses(answer)) <= 1


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
async def test_a_client_that_leaves_while_the_handler_works_is_no_error(
    leave: Callable[[socket.socket], None],
) -> None:
    entered, finish = asyncio.Event(), asyncio.Event()

    async def works(_: Request) -> Response:
        entered.set()
        await finish.wait()
        return await large(_)

    async with house(works) as it:
        client = client_that_never_reads(it.port)
        await entered.wait()
        leave(client)
        await asyncio.sleep(0.02)
        finish.set()
        await eventually(lambda: it.connections == 0)


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
async def test_a_client_that_leaves_in_the_middle_of_an_answer_is_no_error(
    leave: Callable[[socket.socket], None],
) -> None:
    async with house(large, Limits(requests=1)) as it:
        client = client_that_never_reads(it.port)
        await asyncio.to_thread(client.recv, 1)
        leave(client)
        await eventually(lambda: it.connections == 0)
        assert statuses(await exchange(it.port, asking("HEAD"))) == [200]


@pytest.mark.parametrize("said", [b"", b"GET / HT", GET, asking("POST", "/", "content-length: 5")])
async def test_a_client_that_breaks_the_connection_is_no_error(said: bytes) -> None:
    async with house(echo) as it:
        client = client_that_never_reads(it.port, said)
        await eventually(lambda: it.connections == 1)
        reset(client)
        await eventually(lambda: it.connections == 0)


async def test_who_takes_a_connection_over_ends_it() -> None:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(b"whatever it likes")
        await writer.drain()

    async def handler(_: Request) -> Response:
        return Response(takeover=speak)

    async with house(handler) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            writer.write(GET)
            assert await reader.read() == b"whatever it likes"


async def test_bodies_in_pieces_of_one_byte_do_not_hold_the_event_loop() -> None:
    head = asking("POST", "/", "transfer-encoding: chunked")
    body = b"1\r\nx\r\n" * Limits().body_bytes + b"0\r\n\r\n"
    async with house(echo) as it:
        clients = [await asyncio.open_connection("127.0.0.1", it.port) for _ in range(8)]
        async with turns() as measured:
            for _, writer in clients:
                writer.write(head + body)
            for reader, _ in clients:
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        for _, writer in clients:
            writer.close()
            await writer.wait_closed()
    assert measured.longest < 0.1
