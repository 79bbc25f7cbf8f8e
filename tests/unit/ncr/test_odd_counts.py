"""Lists whose count is not the number of their names: when one is read twice, and when once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.typing import EventDict

from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.listing import Listing
from ncr_exporter.ncr.odd_counts import (
    CHANGES_DOUBTED,
    LISTINGS_PER_CHECK,
    NOT_ODD,
    READINGS_DOUBTED,
)
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.ncr.versions import V2
from ncr_exporter.simulator.api_records import JsonRecord
from ncr_exporter.simulator.registry import SimulatedRegistry
from tests.support.api_client import KR, REGISTRY, Heard, client_of, simulated, source_of, tag
from tests.support.http_server import served
from tests.support.miscounting import miscounting, readings, taken
from tests.support.polling import events
from tests.support.properties import share
from tests.support.versions import page_in, page_number, spoken

pytestmark = pytest.mark.usefixtures("version")

List = Callable[[Client, Listing[Any] | None], Coroutine[Any, Any, Listing[Any]]]
LISTS: dict[Operation, List] = {
    "tag_list": lambda client, known: client.tags(REGISTRY, "app", known),
    "image_list": lambda client, known: client.images(REGISTRY, odd_count_of(known)),
    "registry_list": lambda client, known: client.registries("r", KR, odd_count_of(known)),
}
EACH_LIST = pytest.mark.parametrize("operation", LISTS)
BELIEVED = 3
"""A difference that never changes."""


def odd_count_of(known: Listing[Any] | None) -> Any:
    return known.odd_count if known else NOT_ODD


class OddList:
    """A list of any kind whose count is `difference` too high, listed again and again."""

    def __init__(
        self, operation: Operation, registry: SimulatedRegistry, client: Client, heard: Heard
    ) -> None:
        self.operation = operation
        self.registry = registry
        self.client = client
        self.heard = heard
        self.known: Listing[Any] | None = None
        self.difference = BELIEVED
        self.hidden: Iterator[int] = iter(())
        """How many records each of the next pages leaves out, though it counts them."""
        self.pushed: Iterator[int] = iter(())
        """How many records are not pushed yet, in each of the next pages."""
        self._uncounted = 0

    def relist(self, records: list[JsonRecord], _page: int) -> list[JsonRecord]:
        hidden, unpushed = next(self.hidden, 0), next(self.pushed, 0)
        self._uncounted = hidden
        return records[: len(records) - hidden - unpushed]

    def added(self) -> int:
        """Return what the last page's count is too high by."""
        return self.difference + self._uncounted

    async def read(self) -> int:
        """List once, and return the number of readings that it took."""
        taken(self.registry)
        self.known = await LISTS[self.operation](self.client, self.known)
        requests = taken(self.registry)
        assert self.known.requests == len(requests)
        return readings(requests)

    async def listed(self, times: int) -> list[int]:
        """List some times, and return the readings of each."""
        return [await self.read() for _ in range(times)]

    @property
    def names(self) -> list[str]:
        assert self.known is not None
        return sorted(record.name for record in self.known.records)

    async def believed(self) -> None:
        """List until one reading is enough, and will be for a while."""
        assert await self.listed(READINGS_DOUBTED) == [2] * READINGS_DOUBTED
        while await self.read() == 1:
            pass  # until the check


@asynccontextmanager
async def odd_list(operation: Operation = "tag_list") -> AsyncIterator[OddList]:
    source = source_of(app=[tag("v1"), tag("v2")], web=[tag("v1")])
    async with simulated(source) as (registry, url), client_of(url) as (client, heard):
        listed = OddList(operation, registry, client, heard)
        registry.faults.add(miscounting(listed.added, listed.relist))
        yield listed


@EACH_LIST
async def test_a_count_that_is_right_is_read_once_and_nothing_is_kept_of_it(
    operation: Operation,
) -> None:
    async with odd_list(operation) as listed:
        listed.difference = 0
        assert await listed.listed(3) == [1, 1, 1]
        assert listed.known is not None
        assert listed.known.odd_count is NOT_ODD
        assert listed.heard.mismatches == 0


@EACH_LIST
async def test_a_count_that_differs_once_is_read_twice_and_forgotten(operation: Operation) -> None:
    async with odd_list(operation) as listed:
        listed.difference = 1
        assert await listed.read() == 2
        listed.difference = 0
        assert await listed.read() == 1
        assert listed.known is not None
        assert listed.known.odd_count is NOT_ODD
        listed.difference = 1
        assert await listed.listed(READINGS_DOUBTED) == [2] * READINGS_DOUBTED


@EACH_LIST
async def test_a_count_that_always_differs_is_read_twice_a_few_times_and_then_once_in_a_hundred(
    operation: Operation,
) -> None:
    async with odd_list(operation) as listed:
        assert await listed.listed(READINGS_DOUBTED) == [2] * READINGS_DOUBTED
        first = await listed.listed(LISTINGS_PER_CHECK)
        assert sorted(first) == [1] * (LISTINGS_PER_CHECK - 1) + [2]
        assert await listed.listed(LISTINGS_PER_CHECK) == first, "the check has its turn"
        assert listed.heard.mismatches == READINGS_DOUBTED + 2 * LISTINGS_PER_CHECK


async def test_checks_of_many_lists_are_spread() -> None:
    async with odd_list() as listed:
        turns = []
        for name in ("app", "web"):
            known, requests = None, []
            for _ in range(READINGS_DOUBTED + LISTINGS_PER_CHECK):
                known = await listed.client.tags(REGISTRY, name, known)
                requests.append(known.requests)
            turns.append(requests.index(max(requests), READINGS_DOUBTED))
        assert turns[0] != turns[1]


async def test_a_difference_that_changes_is_read_twice_and_then_known() -> None:
    async with odd_list() as listed:
        await listed.believed()
        listed.difference = 7
        assert await listed.listed(3) == [2, 1, 1]


async def test_names_that_are_missing_for_once_are_found_and_the_list_is_doubted_again() -> None:
    async with odd_list() as listed:
        await listed.believed()
        listed.hidden = iter([1])
        assert await listed.read() == 2
        assert listed.names == ["v1", "v2"]
        assert await listed.listed(READINGS_DOUBTED + 1) == [2] * READINGS_DOUBTED + [1]


async def test_a_push_between_two_readings_is_no_reason_to_doubt_a_list() -> None:
    async with odd_list() as listed:
        one_page = 1 if spoken() is V2 else 2  # version 3 is asked for the rest
        listed.pushed = iter([1] * one_page + [0] * one_page)
        assert await listed.listed(READINGS_DOUBTED + 1) == [2] * READINGS_DOUBTED + [1]


async def test_a_count_that_moves_by_itself_is_believed_in_the_end() -> None:
    async with odd_list() as listed:
        await listed.believed()
        readings = []
        for difference in range(10, 10 + CHANGES_DOUBTED + 3):
            listed.difference = difference
            readings.append(await listed.read())
        assert readings == [2] * CHANGES_DOUBTED + [1] * 3


async def test_a_count_that_is_right_again_is_doubted_the_next_time_it_differs() -> None:
    async with odd_list() as listed:
        await listed.believed()
        listed.difference = 0
        assert await listed.read() == 1
        listed.difference = BELIEVED
        assert await listed.listed(READINGS_DOUBTED) == [2] * READINGS_DOUBTED


async def test_one_line_says_that_a_registrys_lists_are_read_once(logs: list[EventDict]) -> None:
    async with odd_list() as listed:
        for operation in ("tag_list", "image_list"):
            listed.operation, listed.known = operation, None
            await listed.listed(READINGS_DOUBTED + 2)
            listed.known = None
            await listed.listed(READINGS_DOUBTED + 2)
    event = "the count of a list is of something else; its names are believed after one reading"
    assert events(logs) == [("info", event)] * 2
    of_tags, of_images = (entry for entry in logs if entry["event"] == event)
    assert (of_tags["registry"], of_tags["count"], of_tags["names"]) == ("my-registry", 5, 2)
    assert of_tags["remedy"].startswith("one in 100 listings is still read twice")
    assert "relist_after" in of_images["remedy"]
    assert "relist_after" not in of_tags["remedy"]


Reading = tuple[list[str], int]
"""The names of a reading, and how far its count is off."""
READINGS = st.tuples(
    st.lists(st.sampled_from("abcde"), unique=True), st.sampled_from([0, 0, -1, 1, 3])
)


@share(1 / 4)
@given(st.lists(READINGS, min_size=1, max_size=30))
def test_whatever_the_counts_a_list_is_read_once_or_twice_and_has_the_names_of_one_reading(
    series: list[Reading],
) -> None:
    asyncio.run(_check_series(series))


async def _check_series(series: list[Reading]) -> None:
    started: list[Reading] = []

    async def answer(request: Request) -> Response:
        page = page_number(request.target)
        if page == 1:
            started.append(series[min(len(started), len(series) - 1)])
        names, off = started[-1]
        some = names[2 * page - 2 : 2 * page]
        following = page + 1 if 2 * page < len(names) else None
        count = max(0, len(names) + off)
        content = {"results": [tag(name) for name in some], "count": count, "next": following}
        return text_response(200, json.dumps(page_in(spoken(), content, page)))

    async with served(answer) as url, client_of(url) as (client, _):
        known = None
        while len(started) < len(series):
            before = len(started)
            known = await client.tags(REGISTRY, "app", known)
            assert len(started) - before in {1, 2}
            assert [record.name for record in known.records] == started[-1][0]
