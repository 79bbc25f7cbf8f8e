"""Complete listings, or an error and nothing: paging against registries that page oddly."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.config import Api
from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.httpd.server import Server
from ncr_exporter.ncr.errors import (
    ApiError,
    DeniedError,
    MalformedError,
    NotFoundError,
    PagingError,
)
from ncr_exporter.ncr.listing import MAX_PAGES
from ncr_exporter.simulator.faults import Fault, fault_named
from ncr_exporter.simulator.responses import service_error
from tests.support.api_client import REGISTRY, Heard, client_of, simulated, source_of, tag
from tests.support.properties import share
from tests.support.versions import at, number_in, page_in, page_number, spoken

pytestmark = pytest.mark.usefixtures("version")

V2_ONLY = pytest.mark.parametrize("version", ["v2"], indirect=True)
"""For what a page says in version 2 alone; that of version 3 is in `test_envelope.py`."""
JSON = {"content-type": "text/plain"}  # as a 200 of the real service may carry


def page_of(names: list[str], **fields: Any) -> dict[str, Any]:
    return {"results": [tag(name) for name in names], **fields}


class Result:
    """What listing the image `app` gave, and what it took."""

    def __init__(self) -> None:
        self.names: list[str] | None = None
        self.error: ApiError | None = None
        self.pages: list[int] = []
        self.heard = Heard()


async def listing(answer: Callable[[int, int], dict[str, Any]], api: Api | None = None) -> Result:
    """List against a registry whose n-th request for page p is answered `answer(p, n)`.

    Pages count from 1, and answers are of version 2, in either version.
    """
    result = Result()

    async def handle(request: Request) -> Response:
        page = page_number(request.target)
        result.pages.append(page)
        content = page_in(spoken(), answer(page, len(result.pages)), page)
        return text_response(200, json.dumps(content), JSON)

    async with Server(handle) as server:
        port = await server.listen("127.0.0.1", 0)
        async with client_of(f"http://127.0.0.1:{port}", api=api) as (client, heard):
            result.heard = heard
            try:
                records = (await client.tags(REGISTRY, "app")).records
                result.names = [record.name for record in records]
            except ApiError as error:
                result.error = error
    return result


async def test_every_page_is_read_and_not_only_the_last() -> None:
    tags = [tag(f"v{i:03}") for i in range(250)]
    async with (
        simulated(source_of(app=tags)) as (registry, url),
        client_of(url) as (client, _),
    ):
        records = (await client.tags(REGISTRY, "app")).records
        assert [record.name for record in records] == [f"v{i:03}" for i in range(250)]
        assert len(registry.requests) == 3


async def test_a_list_that_did_not_change_is_not_read_into_records_again() -> None:
    tags = [tag(f"v{i:03}") for i in range(150)]
    async with (
        simulated(source_of(app=tags)) as (registry, url),
        client_of(url) as (client, _),
    ):
        first = await client.tags(REGISTRY, "app")
        assert await client.tags(REGISTRY, "app", first) is first
        assert len(registry.requests) == 4, "it is asked for all the same"
        tags[120]["full_size"] = 7
        third = await client.tags(REGISTRY, "app", first)
        sizes = [record.full_size for record in third.records]
        assert sizes[120] == 7
        recognised = third.pages[0].page is first.pages[0].page
        assert recognised, "the first page was not decoded again"


async def test_what_is_malformed_is_counted_at_each_reading() -> None:
    async with (
        simulated(source_of(app=[tag("v1", full_size="12 MB")])) as (_, url),
        client_of(url) as (client, heard),
    ):
        first = await client.tags(REGISTRY, "app")
        await client.tags(REGISTRY, "app", first)
        assert heard.malformed_records == 2


async def test_a_registry_that_gives_fewer_per_page_than_asked_is_read_to_its_end() -> None:
    tags = [tag(f"v{i}") for i in range(25)]
    async with (
        simulated(source_of(app=tags), largest_page=10) as (_, url),
        client_of(url) as (client, _heard),
    ):
        assert len((await client.tags(REGISTRY, "app")).records) == 25


async def test_an_image_without_tags_is_an_empty_listing() -> None:
    result = await listing(lambda *_: page_of([], count=0, next=None))
    assert (result.names, result.pages) == ([], [1])


@V2_ONLY
@pytest.mark.parametrize("end", [None, 0, ""])
async def test_next_null_0_or_empty_ends_the_list(end: object) -> None:
    result = await listing(lambda *_: page_of(["a"], next=end))
    assert (result.names, result.pages) == (["a"], [1])


async def test_a_tag_that_shifts_to_the_next_page_while_reading_is_one_tag() -> None:
    def answer(page: int, _: int) -> dict[str, Any]:
        names = [["a", "b"], ["b", "c"]][page - 1]
        return page_of(names, next=page + 1 if page < 2 else None)

    assert (await listing(answer)).names == ["a", "b", "c"]


async def test_of_two_records_of_one_tag_the_one_read_later_stands() -> None:
    def answer(page: int, _: int) -> dict[str, Any]:
        results = [tag("a", size=page), tag(f"only-{page}")]
        return {"results": results, "next": 2 if page == 1 else None}

    async def handle(request: Request) -> Response:
        page = page_number(request.target)
        return text_response(200, json.dumps(page_in(spoken(), answer(page, 0), page)))

    async with Server(handle) as server:
        port = await server.listen("127.0.0.1", 0)
        async with client_of(f"http://127.0.0.1:{port}") as (client, _):
            records = {r.name: r for r in (await client.tags(REGISTRY, "app")).records}
            assert records["a"].size == 2
            assert len(records) == 3


async def test_a_count_that_disagrees_is_read_once_more() -> None:
    def answer(_: int, request: int) -> dict[str, Any]:
        return page_of(["a"] if request == 1 else ["a", "b"], count=2)

    result = await listing(answer)
    assert result.names == ["a", "b"]
    assert result.heard.mismatches == 0


async def test_a_count_that_goes_on_disagreeing_is_believed_less_than_the_names_and_counted() -> (
    None
):
    result = await listing(lambda page, _: page_of(["a"] if page == 1 else [], count=7))
    assert result.names == ["a"]
    assert result.pages.count(1) == 2
    assert result.heard.mismatches == 1


async def test_records_without_a_name_count_towards_the_count() -> None:
    result = await listing(lambda *_: {"results": [tag("a"), {"name": None}], "count": 2})
    assert (result.names, result.pages) == (["a"], [1])
    assert result.heard.malformed_records == 1


@V2_ONLY
@pytest.mark.parametrize(
    ("following", "pages"),
    [
        ({1: 2, 2: 1}, [1, 2]),
        ({1: 1}, [1]),
        ({1: 2, 2: 3, 3: 2}, [1, 2, 3]),
        ({1: 5}, [1]),
    ],
    ids=["goes back", "names itself", "loops", "jumps"],
)
async def test_a_next_that_does_not_lead_on_is_an_error(
    following: dict[int, int], pages: list[int]
) -> None:
    result = await listing(lambda page, _: page_of([f"v{page}"], next=following[page]))
    assert isinstance(result.error, MalformedError)
    assert result.pages == pages
    assert result.heard.attempts[-1] == "malformed"


async def test_a_server_that_ignores_the_page_number_is_an_error_the_second_time() -> None:
    result = await listing(lambda page, _: page_of(["a", "b"], next=page + 1))
    assert isinstance(result.error, MalformedError)
    assert "repeats" in str(result.error)
    assert "changed while it was read" in result.error.remedy, "nobody is blamed for a race"
    assert result.pages == [1, 2, 1, 2]


async def test_the_only_tag_of_the_last_page_may_be_pushed_again_while_the_list_is_read() -> None:
    """It is on the first page then, and the last page holds what was on the one before."""
    before, after = [["a", "b"], ["c"]], [["c", "a"], ["b"]]

    def answer(page: int, request: int) -> dict[str, Any]:
        names = (before if request == 1 else after)[page - 1]
        return page_of(names, count=3, next=2 if page == 1 else None)

    result = await listing(answer)
    assert sorted(result.names or []) == ["a", "b", "c"]
    assert result.pages == [1, 2, 1, 2]


async def test_a_list_that_changes_each_time_it_is_read_is_read_twice_and_no_more() -> None:
    def answer(page: int, request: int) -> dict[str, Any]:
        return page_of(["a"] if request != 3 else ["b"], count=1, next=2 if page == 1 else None)

    result = await listing(answer)
    assert result.pages == [1, 2, 1, 2]
    assert result.names == ["b", "a"]
    assert result.heard.mismatches == 1


@pytest.mark.parametrize("status", [403, 404])
async def test_what_is_said_of_a_later_page_is_not_said_of_the_list(status: int) -> None:
    tags = [tag(f"v{i}") for i in range(150)]
    async with (
        simulated(source_of(app=tags)) as (registry, url),
        client_of(url) as (client, heard),
    ):
        where = at(spoken(), "page=2")
        registry.faults.add(refusal(status), where=where, times=1)
        assert len((await client.tags(REGISTRY, "app")).records) == 150, "read once more"
        registry.faults.add(refusal(status), where=where)
        said = f"page {number_in(spoken(), 2)} of the list: HTTP {status}"
        with pytest.raises(PagingError, match=said) as caught:
            await client.tags(REGISTRY, "app")
        assert caught.value.reason == "malformed"
        reasons = {404: "not_found", 403: "permission"}
        assert heard.attempts.count(reasons[status]) == 3, "each request has its own"


@pytest.mark.parametrize("status", [403, 404])
async def test_what_is_said_of_the_first_page_is_said_of_the_list(status: int) -> None:
    async with (
        simulated(source_of(app=[tag("v1")])) as (registry, url),
        client_of(url) as (client, _),
    ):
        registry.faults.add(refusal(status), where=at(spoken(), "page=1"))
        with pytest.raises(ApiError) as caught:
            await client.tags(REGISTRY, "app")
        assert isinstance(caught.value, NotFoundError | DeniedError)


def refusal(status: int) -> Fault:
    answer = service_error(status, "no")
    return Fault("refusal", "", lambda *_: answer)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"error": {"errorCode": "900", "message": "Unexpected Error"}}, "Unexpected Error"),
        ({"error": "busy"}, "busy"),
        ({"error": True}, "True"),
        ({"returnCode": "500", "returnMessage": "broken"}, "returnCode '500'"),
        ({"returnCode": 500}, "returnCode '500'"),
    ],
)
@pytest.mark.parametrize(
    "records",
    [[], [tag("a")], [tag("a", full_size={"x": 1})]],
    ids=["no records", "a record", "a record for the slower decoder"],
)
async def test_a_body_with_an_error_is_no_page(
    records: list[Any], fields: dict[str, Any], said: str
) -> None:
    result = await listing(lambda *_: {"results": records, **fields})
    assert isinstance(result.error, MalformedError)
    assert "an error with the status of a page" in str(result.error)
    assert said in str(result.error)


@pytest.mark.parametrize("error", [None, {}, "", False, []])
@pytest.mark.parametrize("code", [None, "0", 0, "200", 200, ""])
async def test_a_field_that_says_that_there_was_no_error_is_none(
    error: object, code: object
) -> None:
    result = await listing(lambda *_: page_of(["a"], error=error, returnCode=code))
    assert result.names == ["a"]


async def test_a_list_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_PAGES == 2000
    monkeypatch.setattr("ncr_exporter.ncr.listing.MAX_PAGES", 50)
    api = Api(requests_per_second=10_000, timeout=5.0)
    result = await listing(lambda page, _: page_of([f"v{page}"], next=page + 1), api)
    assert isinstance(result.error, MalformedError)
    assert result.pages[-1] == 50


async def test_a_listing_whose_second_page_fails_gives_nothing_of_the_first() -> None:
    tags = [tag(f"v{i}") for i in range(150)]
    async with (
        simulated(source_of(app=tags)) as (registry, url),
        client_of(url) as (client, _),
    ):
        registry.faults.add(fault_named("unavailable"), where=at(spoken(), "page=2"))
        with pytest.raises(ApiError) as caught:
            await client.tags(REGISTRY, "app")
        assert caught.value.reason == "server"


async def test_two_images_whose_names_need_encoding_are_found() -> None:
    odd = ["hello/world", "50%off", 'say "hi"', "이미지/앱", "a.b_c-d~e", "..hidden"]
    images = {name: [tag(f"tag-of-{i}")] for i, name in enumerate(odd)}
    async with (
        simulated(source_of(**images)) as (_, url),
        client_of(url) as (client, _heard),
    ):
        for i, name in enumerate(odd):
            (record,) = (await client.tags(REGISTRY, name)).records
            assert record.name == f"tag-of-{i}"


@share(1 / 4)
@given(st.integers(0, 60), st.integers(1, 25))
def test_however_long_the_list_and_its_pages_every_tag_is_found_once(
    tags: int, page_size: int
) -> None:
    def answer(page: int, _: int) -> dict[str, Any]:
        names = [f"v{i}" for i in range(tags)]
        some = names[(page - 1) * page_size : page * page_size]
        more = page * page_size < tags
        return page_of(some, count=tags, next=page + 1 if more else None)

    api = Api(requests_per_second=10_000, page_size=page_size)
    result = asyncio.run(listing(answer, api))
    assert result.names == [f"v{i}" for i in range(tags)]
    assert result.heard.mismatches == 0
