"""Whatever bytes answer a request: clean records, or an error of ours with its reason."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ncr_exporter.config import Api
from ncr_exporter.metrics.families.exporter import REASONS
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.errors import ApiError, MalformedError
from ncr_exporter.ncr.http import ClientPool, client_pool
from ncr_exporter.ncr.limiter import Limiter
from ncr_exporter.ncr.listing import Listing
from ncr_exporter.ncr.pages import decode_page
from ncr_exporter.ncr.paths import OPERATIONS, Operation
from ncr_exporter.ncr.transport import Transport
from ncr_exporter.ncr.versions import VERSIONS, gateway_of
from ncr_exporter.ncr.vocabulary import TOTALS
from ncr_exporter.simulator.v3 import record_of
from tests.support.api_client import KR, REGISTRY, Heard, HurriedClock, keys
from tests.support.properties import share
from tests.support.states import NOW_MS
from tests.unit.ncr.test_pages import JSON_VALUES, WILD_TAGS

API = Api(requests_per_second=100_000, timeout=1.0, page_size=2)
FIELDS = [
    *("name", "pull_count", "end_point", "end_point_enabled", "public_reg_status"),
    *("pullCount", "publicEndpointHost", "publicEndpointEnabled", "publicRegistryEnabled"),
    "lastPulledDateTime",
]
WILD_RECORDS = st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES)
FEW_NAMES = st.fixed_dictionaries({"name": st.sampled_from(["v1", "v2", "v3"])})


def in_v3(records: list[Any]) -> list[Any]:
    return [record_of("tag_list", record) for record in records]


RECORDS = st.lists(FEW_NAMES | WILD_TAGS | WILD_RECORDS | JSON_VALUES, max_size=4)
OF_V2 = st.fixed_dictionaries(
    {"results": st.lists(FEW_NAMES, min_size=1, max_size=4) | RECORDS},
    optional={"count": st.integers(-1, 5) | JSON_VALUES, "next": st.integers(-1, 4) | JSON_VALUES},
)
OF_V3 = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(["content", "rows"], RECORDS.map(in_v3) | JSON_VALUES),
        **dict.fromkeys(TOTALS, st.integers(-1, 5) | JSON_VALUES),
        "page": st.dictionaries(st.sampled_from(TOTALS), st.integers(0, 3)) | JSON_VALUES,
    },
)
PAGES = (OF_V2 | OF_V3).map(lambda page: json.dumps(page).encode())


@given(PAGES | st.binary(max_size=200))
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_any_bytes_are_a_page_of_any_list_or_malformed(
    version: str, operation: Operation, body: bytes
) -> None:
    wire = VERSIONS[version].wire
    try:
        page = decode_page(operation, body, NOW_MS, wire)
    except MalformedError:
        return
    assert wire.decode_raw(operation, body).item_count == page.held
    assert page.malformed >= page.left_out
    assert all(record.name and is_clean(record) for record in page.records)


def is_clean(value: object) -> bool:
    """Return whether a record, and whatever it holds, can be published."""
    if isinstance(value, msgspec.Struct):
        return all(map(is_clean, msgspec.structs.astuple(value)))
    if isinstance(value, tuple):
        return all(map(is_clean, value))
    if isinstance(value, str):
        return value.isprintable()
    return value is None or (isinstance(value, int) and 0 <= value <= 2**53)


# Over a socket: right in most respects, else no example would come far


def coded(body: bytes) -> st.SearchStrategy[tuple[bytes, bytes]]:
    """Draw a body as sent, and the header that tells how; the header may lie."""
    ways = [
        *[(b"", body)] * 5,
        (b"content-encoding: gzip\r\n", gzip.compress(body, 1)),
        (b"content-encoding: gzip\r\n", gzip.compress(body, 1)[:-5]),
        (b"content-encoding: gzip\r\n", body),
        (b"content-encoding: deflate\r\n", zlib.compress(body)),
        (b"content-encoding: gzip, gzip\r\n", gzip.compress(gzip.compress(body))),
        (b"content-encoding: \xff\r\n", body),
    ]
    return st.sampled_from(ways)


def framed(sent: bytes) -> st.SearchStrategy[bytes]:
    """Draw the end of a head and a body after it; the framing may lie."""
    length, chunk = b"content-length: %d\r\n", b"%x\r\n%s\r\n0\r\n\r\n"
    ways = [
        *[length % len(sent) + b"\r\n" + sent] * 8,
        length % (len(sent) + 3) + b"\r\n" + sent,
        length % max(0, len(sent) - 3) + b"\r\n" + sent,
        b"content-length: -1\r\n\r\n" + sent,
        b"\r\n" + sent,
        b"transfer-encoding: chunked\r\n\r\n" + chunk % (len(sent), sent),
        b"transfer-encoding: chunked\r\n\r\n" + sent,
        b"",
    ]
    return st.sampled_from(ways)


STATUSES = st.just(200) | st.sampled_from([401, 403, 404, 429, 500]) | st.integers(0, 999)
ODD_VALUES = st.sampled_from(
    [
        *(b"", b"0", b"-1", b"1e999", b"9" * 400, b"\xff", b"Thu, 01 Jan 1970 00:00:00 GMT"),
        *(b"Fri, 31 Dec 9999 23:59:59 GMT", b"Mon, 01 Jan 0001 00:00:00 +2359", b"tomorrow"),
        *(b"Thu, 09 Oct 2025 08:53:20 -0000", b"Thu, 09 Oct 99999 08:53:20 GMT", b"\xd9\xa3"),
    ]
)
NAMES = ["date", "retry-after", "location", "x-ncp-trace-id", "set-cookie", "content-type"]
HEADERS = st.lists(st.tuples(st.sampled_from(NAMES), ODD_VALUES), max_size=3).map(
    lambda pairs: b"".join(b"%s: %s\r\n" % (name.encode(), value) for name, value in pairs)
)
WORDS = st.text(st.sampled_from("a\n\0\x1b\u202e\ud800é한")) | st.just("x" * 5000) | JSON_VALUES
FIELD_ERRORS = st.lists(st.fixed_dictionaries({"field": WORDS, "message": WORDS}) | WORDS)
OF_GATEWAY = st.fixed_dictionaries(
    {"errorCode": WORDS | st.sampled_from(["InvalidParameter", "NotFound", 210, 210.0])},
    optional={
        **dict.fromkeys(["message", "details", "detail"], WORDS),
        "fieldErrors": FIELD_ERRORS | WORDS,
    },
)
ERRORS = st.one_of(
    st.fixed_dictionaries({"error": OF_GATEWAY}),
    st.fixed_dictionaries({"returnCode": WORDS, "returnMessage": WORDS}),
    st.dictionaries(st.sampled_from(["error", "returnCode"]), JSON_VALUES),
).map(lambda body: json.dumps(body).encode())


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Draw an answer that is nearly one."""
    status, headers = draw(STATUSES), draw(HEADERS)
    usual = PAGES if status == HTTPStatus.OK else ERRORS
    encoding, sent = draw(coded(draw(usual | usual | st.binary(max_size=50))))
    return b"HTTP/1.1 %03d x\r\n" % status + headers + encoding + draw(framed(sent))


class Mouth:
    """A server that says what it is told to, whatever it is asked, and hangs up."""

    def __init__(self) -> None:
        self.says: Sequence[bytes] = ()
        self._said = 0
        self.port = 0

    def will_say(self, says: Sequence[bytes]) -> None:
        """Say these, one a connection, and the last again and again."""
        self.says, self._said = says, 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.says[min(self._said, len(self.says) - 1)])
            self._said += 1
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def mouth() -> AsyncIterator[Mouth]:
    it = Mouth()
    async with await asyncio.start_server(it.answer, "127.0.0.1", 0) as server:
        it.port = server.sockets[0].getsockname()[1]
        yield it


def new_client(clients: ClientPool, port: int, version: str) -> tuple[Client, Heard]:
    """Return a client that nothing was answered yet: a 429 before would make it pause."""
    clock, heard = HurriedClock(), Heard()
    transport = Transport(
        client_pool=clients,
        credentials=keys(),
        limiter=Limiter(API.requests_per_second, API.max_concurrency, clock),
        timeout=API.timeout,
        clock=clock,
        metrics=heard,
    )
    gateway = gateway_of(replace(API, base_url=f"http://127.0.0.1:{port}"), API.zone, version)
    client = Client(transport, gateway=gateway, page_size=API.page_size, metrics=heard)
    return client, heard


async def outcome_of(listing: Awaitable[Listing[Any]]) -> Listing[Any] | ApiError:
    try:
        return await listing
    except ApiError as error:
        return error


Lists = Callable[[Client], Awaitable[Listing[Any]]]
LISTS: list[Lists] = [
    lambda client: client.tags(REGISTRY, "app"),
    lambda client: client.images(REGISTRY),
    lambda client: client.registries("my-registry", KR),
]
RAW = st.binary(min_size=1, max_size=300)
GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s"
PAGE = json.dumps({"results": [{"name": "v1"}], "count": 1, "next": None}).encode()
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n"
NO_MORE = b'{"results": []}'


@pytest.mark.hypothesis
async def test_any_answer_over_a_socket_is_a_listing_or_an_error_of_ours() -> None:
    """One event loop and one server for all examples; each has its own client."""
    loop = asyncio.get_running_loop()
    async with mouth() as it, aclosing(client_pool(API, Path())) as clients:

        @share(1)
        @given(
            st.sampled_from(LISTS),
            st.lists(answers() | RAW, min_size=1, max_size=3),
            st.sampled_from(list(VERSIONS)),
        )
        @example(LISTS[0], [b""], "v2")
        @example(LISTS[0], [GOOD % (len(PAGE), PAGE)], "v2")
        @example(LISTS[0], [GOOD % (len(PAGE), PAGE), GOOD % (len(NO_MORE), NO_MORE)], "v3")
        @example(LISTS[0], [b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000], "v2")
        @example(LISTS[1], [b"HTTP/1.1 100 Continue\r\n\r\n" * 50], "v2")
        @example(LISTS[1], [SWITCHED + PAGE], "v2")
        @example(LISTS[2], [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 x\r\n\r\n"], "v2")
        def answered(listed: Lists, says: list[bytes], version: str) -> None:
            asyncio.run_coroutine_threadsafe(asked(listed, says, version), loop).result(30)

        async def asked(listed: Lists, says: list[bytes], version: str) -> None:
            it.will_say(says)
            client, heard = new_client(clients, it.port, version)
            outcome = await outcome_of(listed(client))
            if isinstance(outcome, ApiError):
                assert outcome.reason in REASONS
                assert str(outcome).isprintable()
                assert len(str(outcome)) < 2000
                assert heard.attempts[-1] == outcome.reason
            else:
                names = [record.name for record in outcome.records]
                assert len(set(names)) == len(names)
                assert all(map(is_clean, outcome.records))

        await asyncio.to_thread(answered)
