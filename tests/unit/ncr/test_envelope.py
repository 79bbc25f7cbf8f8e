"""Version 3: pages in any likely envelope, read to their end; parameters that it refuses."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.typing import EventDict

from ncr_exporter.config import Api
from ncr_exporter.config.zones import Endpoint
from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.ncr.errors import ApiError, MalformedError, OtherError
from ncr_exporter.ncr.pages import ListedRegistry, decode_page
from ncr_exporter.ncr.paging import next_of_v3
from ncr_exporter.ncr.paths import OPERATIONS, Operation
from ncr_exporter.ncr.versions import V3, Gateway
from ncr_exporter.simulator.api_records import registry_record
from ncr_exporter.simulator.v3 import ENVELOPES, record_of, service_error_to
from tests.support.api_client import (
    REGISTRY,
    Heard,
    client_of,
    simulated,
    source_of,
    tag,
)
from tests.support.http_server import served
from tests.support.states import NOW_MS

SMALL = Api(version="v3", requests_per_second=10_000, timeout=2.0, page_size=10)
PLATFORM = {"os": "linux", "architecture": "amd64", "lastPulledDateTime": None}
ITEM = {"name": "v1", "fullSize": 7, "images": [PLATFORM]}

# The vendor's own example of a tag.
DOCUMENTED = {
    "name": "1.0.0",
    "digest": "sha256:a180",
    "fullSize": 27891234,
    "updatedDateTime": "2025-08-24T07:12:33Z",
    "images": [
        {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 27891234,
            "architecture": "amd64",
            "digest": "sha256:a180",
            "variant": None,
            "os": "linux",
            "createdDateTime": "2025-08-24T07:12:33Z",
            "updatedDateTime": "2025-08-24T07:12:33Z",
            "lastPulledDateTime": "2025-09-01T00:00:00Z",
        },
        {"size": 26473918, "architecture": "arm64", "os": "linux", "lastPulledDateTime": None},
    ],
}


def read(content: object, operation: Operation = "tag_list") -> Any:
    return decode_page(operation, json.dumps(content).encode(), NOW_MS, V3.wire)


def shape(content: object) -> str:
    return V3.wire.decode_raw("tag_list", json.dumps(content).encode()).shape


def test_the_documented_example_is_read_whole() -> None:
    page = read({"content": [DOCUMENTED], "page": {"totalElements": 1, "totalPages": 1}})
    (record,) = page.records
    assert (record.name, record.digest, record.full_size) == ("1.0.0", "sha256:a180", 27891234)
    assert record.last_updated == 1_756_019_553_000
    assert [each.pulled for each in record.platforms] == [1_756_684_800_000, 0]
    assert [each.size for each in record.platforms] == [27891234, 26473918]
    assert (page.count, page.pages, page.malformed) == (1, 1, 0)


def test_a_registry_is_the_one_that_version_2_describes() -> None:
    record = record_of("registry_list", registry_record("reg", public=True))
    page = read({"registries": [record]}, "registry_list")
    (found,) = page.records
    assert found == ListedRegistry(
        "reg", "reg.kr.ncr.ntruss.com", found.private_host, public=True, scan_on_push=False
    )
    assert found.private_host.endswith(".kr.private-ncr.ntruss.com")
    off = {**record, "publicEndpointEnabled": False}
    assert read([off], "registry_list").records[0].public_host is None


def test_an_image_has_its_pulls() -> None:
    page = read({"images": [{"name": "a/b", "pullCount": 12}]}, "image_list")
    assert [(image.name, image.pull_count) for image in page.records] == [("a/b", 12)]


IMAGE = {"name": "a/b", "pullCount": 12, "lastPushedDateTime": "2025-08-24T07:12:33Z"}
PULL = {"lastPulledDateTime": "2025-09-01T00:00:00Z"}
PUSHED, PULLED = 1_756_019_553_000, 1_756_684_800_000


@pytest.mark.parametrize(
    ("fields", "activity"),
    [
        (PULL, (12, PUSHED, PULLED)),
        ({"lastPulledDateTime": None}, (12, PUSHED, 0)),
        ({}, None),
        ({"lastPulledDateTime": "soon"}, None),
        ({"lastPulledDateTime": {"odd": 1}}, None),
        ({**PULL, "lastPushedDateTime": None}, None),
        ({**PULL, "pullCount": None}, None),
        ({**PULL, "pullCount": 0}, (0, PUSHED, PULLED)),
        ({**PULL, "description": ["odd"]}, (12, PUSHED, PULLED)),
    ],
)
def test_a_pull_or_push_of_an_image_shows_in_its_record(
    fields: dict[str, Any], activity: tuple[int, ...] | None
) -> None:
    (image,) = read({"images": [{**IMAGE, **fields}]}, "image_list").records
    assert image.activity == activity


# Where the items and the totals stand

TOTALS = {"totalElements": 1, "totalPages": 1, "pageNo": 0, "pageSize": 20}
ALL = "`totalElements`, `totalPages`, `pageNo`, `pageSize`"
SHAPES: dict[str, tuple[object, str]] = {
    "page": ({"content": [ITEM], "page": TOTALS}, f"items in `content`, {ALL} in `page`"),
    "flat": ({"items": [ITEM], **TOTALS}, f"items in `items`, {ALL}"),
    "plural": ({"tags": [ITEM], "x": TOTALS}, f"items in `tags`, {ALL} in `x`"),
    "any name": ({"rows": [ITEM], "m": TOTALS}, f"items in `rows`, {ALL} in `m`"),
    "beside an array of words": (
        {"sort": ["name"], "rows": [ITEM]},
        "items in `rows`, no totals",
    ),
    "wrapped": (
        {"code": 0, "body": {"content": [ITEM], **TOTALS}},
        f"items in `body.content`, {ALL}",
    ),
    "bare": ([ITEM], "a bare array"),
    "no error": (
        {"error": None, "returnCode": "0", "content": [ITEM]},
        "items in `content`, no totals",
    ),
    "no error around": (
        {"error": {}, "body": {"returnCode": 200, "rows": [ITEM]}},
        "items in `body.rows`, no totals",
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_items_are_found_and_it_is_told_where(name: str) -> None:
    content, told = SHAPES[name]
    page = read(content)
    assert [record.name for record in page.records] == ["v1"]
    assert page.count == (None if "no totals" in told or name == "bare" else 1)
    assert shape(content) == told


def test_a_name_of_the_api_cannot_spoil_a_terminal() -> None:
    assert shape({"\x1b[31m": [ITEM]}) == r"items in `'\x1b[31m'`, no totals"


NO_PAGES = {
    "no array": {"content": {"name": "v1"}},
    "two arrays of objects": {"left": [ITEM], "right": [ITEM]},
    "two wrapped": {"a": {"content": [ITEM]}, "b": {"content": [ITEM]}},
    "an error beside items": {"error": {"errorCode": "NotFound"}, "content": [ITEM]},
    "a code beside items": {"returnCode": "500", "content": [ITEM]},
    "an error beside items of any name": {"error": True, "rows": [ITEM]},
    "a code beside items of any name": {"returnCode": 500, "rows": [ITEM]},
    "an error around items": {"error": "busy", "body": {"content": [ITEM]}},
    "an error with wrapped items": {"code": 0, "body": {"error": "busy", "content": [ITEM]}},
    "a code with wrapped items": {"code": 0, "body": {"returnCode": "500", "content": [ITEM]}},
    "an error with fields": {"error": {"errorCode": "x", "fieldErrors": [{"field": "a"}]}},
    "a word": "v1",
    "null": None,
}


@pytest.mark.parametrize("name", NO_PAGES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_may_be_anything_is_no_page(name: str, operation: Operation) -> None:
    with pytest.raises(MalformedError):
        read(NO_PAGES[name], operation)
    with pytest.raises(MalformedError):
        V3.wire.decode_raw(operation, json.dumps(NO_PAGES[name]).encode())


@pytest.mark.parametrize("field", ["fullSize", "updatedDateTime", "images"])
def test_one_malformed_field_costs_nothing_else(field: str) -> None:
    page = read({"content": [{**ITEM, field: {"odd": 1}}, ITEM], "page": TOTALS})
    assert [record.name for record in page.records] == ["v1", "v1"]
    assert page.malformed == 1
    assert page.records[1].platforms[0].pulled == 0


def test_a_pull_that_is_not_sent_is_unknown_in_either_decoder() -> None:
    bare = {"os": "linux"}
    for spoilt in ({}, {"fullSize": "much"}):
        page = read({"content": [{"name": "v1", "images": [bare, PLATFORM], **spoilt}]})
        assert [each.pulled for each in page.records[0].platforms] == [None, 0]


def test_an_empty_list_is_empty_whatever_else_is_empty() -> None:
    assert read({"sort": [], "rows": [], "words": ["x"], "m": TOTALS}).records == ()


# Where a list goes on


def pages(*given: tuple[int, dict[str, Any]]) -> int | None:
    """Return where a list goes on after pages with these numbers of records and these totals."""
    listed = [
        read({"content": [{"name": f"{i}-{n}"} for n in range(held)], "page": totals})
        for i, (held, totals) in enumerate(given)
    ]
    return next_of_v3(listed)


@pytest.mark.parametrize(
    ("read_so_far", "following"),
    [
        ([(10, {"totalPages": 3})], 1),
        ([(10, {"totalPages": 1})], None),
        ([(0, {"totalPages": 0, "totalElements": 0})], None),
        ([(10, {"totalElements": 25})], 1),
        ([(10, {"totalElements": 25}), (10, {"totalElements": 25})], 2),
        ([(10, {"totalElements": 25})] * 2 + [(5, {"totalElements": 25})], None),
        ([(10, {"totalElements": 25, "totalPages": 1})], 1),
        ([(10, {"totalElements": 5, "totalPages": 3})], 1),
        ([(10, {"totalElements": 12}), (0, {"totalElements": 12})], None),
        ([(10, {"totalElements": "many", "totalPages": "2"})], 1),
        ([(10, {})], 1),
        ([(10, {}), (10, {})], 2),
        ([(10, {}), (3, {})], None),
        ([(3, {}), (0, {})], None),
        ([(0, {})], None),
    ],
)
def test_a_list_goes_on_as_long_as_anything_says_so(
    read_so_far: list[tuple[int, dict[str, Any]]], following: int | None
) -> None:
    assert pages(*read_so_far) == following


@pytest.mark.parametrize("first", [0, 1])
def test_pages_may_be_called_from_0_or_1_if_only_in_a_row(first: int) -> None:
    totals: list[dict[str, Any]] = [{"pageNo": first + n, "totalPages": 3} for n in range(3)]
    assert pages(*((1, each) for each in totals[:2])) == 2
    assert pages(*((1, each) for each in totals)) is None
    for wrong in (0, 2, 7):
        if wrong != first + 1:
            with pytest.raises(MalformedError, match=f"page 1 was asked for, and page {wrong}"):
                pages((1, totals[0]), (1, {**totals[1], "pageNo": wrong}))


def test_a_first_page_far_into_the_list_is_not_the_one_that_was_asked_for() -> None:
    with pytest.raises(MalformedError, match="page 0 was asked for, and page 2 came"):
        pages((1, {"pageNo": 2, "totalPages": 3}))


def test_an_empty_page_before_the_last_hides_records() -> None:
    with pytest.raises(MalformedError, match="page 1 is empty, though there are 3"):
        pages((10, {"totalPages": 3}), (0, {"totalPages": 3}))


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("largest", [10, 4])
@pytest.mark.parametrize("tags", [0, 1, 4, 8, 10, 25])
async def test_every_tag_is_listed_whatever_the_envelope_and_the_pages(
    envelope: str, largest: int, tags: int
) -> None:
    source = source_of(app=[tag(f"v{n:02}") for n in range(tags)])
    async with (
        simulated(source, largest_page=largest) as (registry, url),
        client_of(url, api=SMALL) as (client, heard),
    ):
        registry.envelope = envelope
        listed = (await client.tags(REGISTRY, "app")).records
        assert [record.name for record in listed] == [f"v{n:02}" for n in range(tags)]
        assert [image.name for image in (await client.images(REGISTRY)).records] == ["app"]
        found = await client.registries("my-registry", "kr")
        assert [each.name for each in found.records] == ["my-registry"]
        assert heard.mismatches == 0


@given(st.integers(0, 40), st.integers(1, 12), st.sets(st.sampled_from(sorted(TOTALS))))
def test_however_many_records_and_whichever_totals_none_is_left_out(
    records: int, size: int, sent: set[str]
) -> None:
    found = []
    listed: list[Any] = []
    number: int | None = 0
    while number is not None:
        names = [f"v{n}" for n in range(number * size, min(records, (number + 1) * size))]
        totals = {
            "totalElements": records,
            "totalPages": -(-records // size),
            "pageNo": number,
            "pageSize": size,
        }
        page = read(
            {
                "content": [{"name": name} for name in names],
                "page": {key: value for key, value in totals.items() if key in sent},
            }
        )
        listed.append(page)
        found += [record.name for record in page.records]
        number = next_of_v3(listed)
    assert found == [f"v{n}" for n in range(records)]


# Hosts


async def test_each_region_is_asked_at_its_own_host() -> None:
    async with (
        simulated(source_of(app=[tag("of-korea")])) as (korea, in_korea),
        simulated(source_of(app=[tag("of-japan")])) as (japan, in_japan),
        client_of(in_korea, api=SMALL) as (client, _),
    ):
        hosts = {"kr": Endpoint(in_korea, "/api/v3"), "jpn": Endpoint(in_japan, "/api/v3")}
        client.gateway = Gateway(V3, hosts)
        for region, name in (("kr", "of-korea"), ("jpn", "of-japan")) * 2:
            listed = await client.tags(replace(REGISTRY, region=region), "app")
            assert [record.name for record in listed.records] == [name]
        assert len(korea.requests) == len(japan.requests) == 2


# What the API refuses


Answer = Callable[[Request], Response]
NAMED = {"pageSize": "must be at most 5"}


def refusing(*parameters: str, wrong: dict[str, str] | None = None) -> Answer:
    """Return an API that knows none of these parameters, and says so in words or by fields."""

    def answer(request: Request) -> Response:
        asked = [name for name in parameters if name in request.query]
        if asked:
            named = dict.fromkeys(asked, "unknown") if wrong is None else wrong
            return service_error_to(request, 400, "Invalid parameter", named)
        number = int(request.query["pageNo"])
        items = [{"name": f"v{number}"}] if number < 3 else []
        return text_response(200, json.dumps({"tags": items}))

    return answer


async def listed_twice(answer: Answer) -> tuple[list[str] | ApiError, list[str], Heard]:
    """Return the names in the second of two listings, or its error, and the queries of both."""
    queries = []

    async def handle(request: Request) -> Response:
        queries.append(request.target.partition("?")[2])
        return answer(request)

    async with served(handle) as url, client_of(url, api=SMALL) as (client, heard):
        outcome: list[str] | ApiError = []
        for _ in range(2):
            try:
                outcome = [tag.name for tag in (await client.tags(REGISTRY, "app")).records]
            except ApiError as error:
                outcome = error
        return outcome, queries, heard


def asked(*numbers: int, **parameters: object) -> Iterator[str]:
    for number in numbers:
        rest = "".join(f"&{name}={value}" for name, value in parameters.items())
        yield f"pageNo={number}{rest}"


BOTH = {"pageSize": 10, "sort": "name,asc"}


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (refusing("sort"), {"pageSize": 10}),
        (refusing("pageSize"), {"sort": "name,asc"}),
        (refusing("sort", "pageSize"), {}),
        (refusing("sort", wrong={}), {}),
    ],
    ids=["the order", "the page size", "both", "it does not say which"],
)
async def test_what_is_refused_is_left_out_once_and_for_all(
    answer: Answer, left: dict[str, Any], logs: list[EventDict]
) -> None:
    names, queries, heard = await listed_twice(answer)
    assert names == ["v0", "v1", "v2"]
    once = [*asked(0, 1, 2, 3, **left)]
    assert queries == [*asked(0, **BOTH), *once, *once]
    assert heard.attempts == ["other", *["ok"] * 8]
    assert heard.retries == 0
    (said,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert said["parameters"] == sorted(BOTH.keys() - left.keys())


async def test_a_refusal_of_something_else_is_an_error_and_nothing_is_left_out() -> None:
    def answer(request: Request) -> Response:
        return service_error_to(request, 400, "Invalid parameter", {"registryName": "too long"})

    error, queries, _ = await listed_twice(answer)
    assert isinstance(error, OtherError)
    assert "HTTP 400/InvalidParameter Invalid parameter" in str(error)
    assert "registryName: too long" in str(error)
    assert queries == [*asked(0, **BOTH)] * 2


async def test_what_is_refused_with_and_without_is_asked_for_again_in_full() -> None:
    def answer(request: Request) -> Response:
        return service_error_to(request, 400, "Invalid parameter")

    error, queries, _ = await listed_twice(answer)
    assert isinstance(error, OtherError)
    assert queries == [*asked(0, **BOTH), *asked(0)] * 2


async def test_in_the_middle_of_a_list_nothing_is_left_out_for_pages_would_not_fit() -> None:
    def answer(request: Request) -> Response:
        if request.query["pageNo"] == "1":
            return service_error_to(request, 400, "Invalid parameter", NAMED)
        return text_response(200, json.dumps({"tags": [{"name": "a"}]}))

    error, queries, _ = await listed_twice(answer)
    assert isinstance(error, OtherError)
    assert queries == [*asked(0, 1, **BOTH)] * 2
