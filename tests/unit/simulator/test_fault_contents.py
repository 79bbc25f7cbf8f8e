"""Faults of bodies, records, pages and surroundings do what their help says, over sockets."""

import asyncio
import json
import struct
import time
import zlib
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from ncr_exporter.config import parse
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.httpd.server import Server
from ncr_exporter.simulator.data import GeneratedSource
from ncr_exporter.simulator.faults import FAULTS, fault_named
from ncr_exporter.simulator.faults import connections as sockets
from ncr_exporter.simulator.key_rotation import HANDED_OUT_AFTER, key_file
from ncr_exporter.simulator.registry import (
    DEMO_ACCESS_KEY,
    DEMO_SECRET_KEY,
    ROTATED_SECRET_KEY,
    SimulatedRegistry,
)
from ncr_exporter.simulator.run import KEY, demo_config
from ncr_exporter.simulator.run import simulated_registry as demo_registry
from tests.support.clock import ManualClock, passing
from tests.support.faulty_api import (
    LISTED,
    NOW,
    PREFIX,
    TAGS,
    answer_to,
    asking,
    simulated,
    spoiled,
)

SECOND = f"{PREFIX}/demo-registry/app/tags?page=2&pagesize=10"
FIRST = SECOND.replace("page=2", "page=1", 1)
NAMES = [record["name"] for record in LISTED]


async def page(name: str, target: str = TAGS) -> dict[str, Any]:
    answer = await answer_to(name, target)
    assert answer.status_code == 200
    content: dict[str, Any] = json.loads(answer.content)
    return content


def numbers(records: object, *keys: str) -> Iterator[Any]:
    """Yield the values of these keys, at any depth."""
    if isinstance(records, list):
        for item in records:
            yield from numbers(item, *keys)
    elif isinstance(records, dict):
        yield from (value for key, value in records.items() if key in keys and value is not None)
        yield from numbers(list(records.values()), *keys)


SIZES, TIMES = ("full_size", "size"), ("last_updated", "latest_pulled", "updated", "created")


class TestBodies:
    """Whole answers that are not what they seem."""

    async def test_a_wrong_content_type_leaves_the_answer_right(self) -> None:
        answer = await answer_to("wrong-content-type")
        assert answer.headers["content-type"] == "image/png"
        assert answer.json()["results"] == LISTED

    async def test_utf_16_has_a_byte_order_mark(self) -> None:
        answer = await answer_to("utf-16")
        assert answer.content[:2] in {b"\xff\xfe", b"\xfe\xff"}
        assert json.loads(answer.content.decode("utf-16"))["results"] == LISTED

    async def test_latin_1_is_no_utf_8(self) -> None:
        body = (await answer_to("latin-1")).content
        with pytest.raises(UnicodeDecodeError):
            body.decode()
        assert [r["name"] for r in json.loads(body.decode("latin-1"))["results"]] == [
            f"é{name}" for name in NAMES
        ]

    async def test_nested_is_too_deep_for_a_decoder(self) -> None:
        with pytest.raises(RecursionError):
            (await answer_to("nested")).json()

    def test_a_bomb_is_small_until_it_is_inflated(self) -> None:
        body = FAULTS["gzip-bomb"].apply(Request("GET", TAGS), Response()).body
        packed = b"".join(body)
        assert len(packed) < 2_000_000
        assert struct.unpack("<I", packed[-4:])[0] > 10**9, "what gzip says it inflates to"
        beginning = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(packed, 2**24)
        assert beginning == b'{"results": [' + b" " * (2**24 - 13)


class TestRecords:
    """Pages whose fields or names are wrong."""

    async def test_numbers_are_written_as_strings(self) -> None:
        records = await spoiled("strings")
        assert all(isinstance(value, str) for value in numbers(records, *SIZES, *TIMES))
        assert list(map(int, numbers(records, *SIZES))) == list(numbers(LISTED, *SIZES))

    async def test_every_size_is_negative(self) -> None:
        assert all(value < 0 for value in numbers(await spoiled("negative-sizes"), *SIZES))

    async def test_times_are_in_seconds(self) -> None:
        right = [value // 1000 for value in numbers(LISTED, *TIMES)]
        assert list(numbers(await spoiled("seconds"), *TIMES)) == right

    async def test_times_are_far_away(self) -> None:
        distant = [value for value in numbers(await spoiled("far-times"), *TIMES) if value]
        assert min(distant) > 10_000 * 365 * 86_400_000

    @pytest.mark.parametrize(
        ("name", "holds"),
        [("surrogates", "\ud800"), ("control", "\n"), ("long-names", "x" * 10**5)],
    )
    async def test_names_but_the_first_are_unusable(self, name: str, holds: str) -> None:
        first, *others = [record["name"] for record in (await page(name))["results"]]
        assert first == NAMES[0]
        assert others
        assert all(holds in other for other in others)

    async def test_no_answer_of_the_large_ones_is_beyond_the_cap(self) -> None:
        assert len((await answer_to("long-names")).content) < 16 * 2**20


class TestPaging:
    """Lists that lead astray."""

    async def test_every_record_comes_twice(self) -> None:
        content = await page("duplicates")
        assert content["results"] == LISTED * 2
        assert content["count"] == len(LISTED)

    @pytest.mark.parametrize(
        ("name", "following"),
        [("next-loops", [1, 2]), ("next-back", [2, 1]), ("next-jumps", [3, 4])],
    )
    async def test_next_leads_astray(self, name: str, following: list[int]) -> None:
        assert [(await page(name, target))["next"] for target in (FIRST, SECOND)] == following

    async def test_count_lies(self) -> None:
        assert (await page("count-lies"))["count"] == len(LISTED) + 7

    async def test_between_two_pages_something_is_pushed(self) -> None:
        first, second = await page("shifting", FIRST), await page("shifting", SECOND)
        assert second["results"][0] == first["results"][-1]
        assert second["count"] == first["count"] + 1


class TestSurroundings:
    """Clocks, keys, certificates, and answers that take their time."""

    @pytest.mark.parametrize(("name", "status"), [("clock-ahead", 401), ("clock-behind", 401)])
    async def test_a_clock_that_is_off_shows_in_date_and_refuses_our_time(
        self, name: str, status: int
    ) -> None:
        answer = await answer_to(name)
        moment = parsedate_to_datetime(answer.headers["date"]).timestamp()
        assert moment - NOW == FAULTS[name].clock_offset
        assert abs(moment - NOW) == 600
        assert answer.status_code == status

    async def test_a_key_is_rotated_in_the_middle_of_a_list(self) -> None:
        registry = simulated()
        registry.fault = fault_named("rotated-key")
        async with asking(registry) as get:
            statuses = [(await get(target)).status_code for target in (FIRST, SECOND, FIRST)]
        assert statuses == [200, 401, 401]
        assert set(registry.keys.values()) == {ROTATED_SECRET_KEY}

    async def test_the_owner_of_the_demos_account_hands_a_rotated_key_out_after_a_while(
        self,
    ) -> None:
        clock, registry = ManualClock(), simulated()
        async with key_file(registry, clock) as path:
            await clock.advance(60)
            assert path.read_text() == DEMO_SECRET_KEY
            assert path.stat().st_mode & 0o077 == 0
            registry.keys = {DEMO_ACCESS_KEY: ROTATED_SECRET_KEY}
            await clock.advance(HANDED_OUT_AFTER - 1)
            assert path.read_text() == DEMO_SECRET_KEY, "polls fail for a while"
            await passing(clock, lambda: path.read_text() == ROTATED_SECRET_KEY)
        assert not path.exists()

    @pytest.mark.parametrize("name", ["expired-tls", "self-signed-tls"])
    def test_a_demo_with_a_bad_certificate_asks_by_https(self, name: str) -> None:
        registry, config_of = demo_registry(None, name)
        assert registry.fault is FAULTS[name]
        trusted = parse(config_of("https://127.0.0.1:1", KEY), "demo", {}).api.ca_file
        assert (trusted is not None) == (name == "expired-tls")
        assert "ca_file" not in demo_config("http://127.0.0.1:1", GeneratedSource())

    async def test_a_drip_sends_a_byte_per_second(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sockets, "_DRIP", 0.1)
        registry = simulated()
        registry.fault = fault_named("drip")
        started = time.monotonic()
        body = await beginning(registry, 3)
        assert body == b'{"e', "an error, since this request is not signed"
        assert time.monotonic() - started >= 0.3

    async def test_an_endless_answer_goes_on_until_the_client_leaves(self) -> None:
        registry = simulated()
        registry.fault = fault_named("endless")
        assert await beginning(registry, 2**20) == b"{" + b" " * (2**20 - 1)


async def beginning(registry: SimulatedRegistry, size: int) -> bytes:
    """Return the first `size` bytes of a body."""
    async with Server(registry.handle) as server:
        port = await server.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(size)
        writer.close()
        return body
