"""The simulated registry in version 3: records, pages, errors and faults, as in version 2."""

import json
from typing import Any

import pytest

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.ncr.signing import signed_headers
from ncr_exporter.ncr.vocabulary import RECORD_FIELDS
from ncr_exporter.simulator.data import FixedSource, GeneratedSource, Source, tags
from ncr_exporter.simulator.faults import FAULTS
from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY, DEMO_SECRET_KEY, SimulatedRegistry
from ncr_exporter.simulator.v3 import ENVELOPES, date_time
from tests.support.api_client import tag
from tests.support.faulty_api import NOW, StoppedClock

REGISTRIES = "/api/v3/registries"
IMAGES = f"{REGISTRIES}/demo-registry/images"
TAGS = f"{IMAGES}/web%2Ffrontend/tags"
NUMBERED = FixedSource("r", {"i": [tag(f"v{number:02}") for number in range(45)]})
PAGES = f"{REGISTRIES}/r/images/i/tags"


def simulated(source: Source | None = None) -> SimulatedRegistry:
    keys = {DEMO_ACCESS_KEY: DEMO_SECRET_KEY}
    return SimulatedRegistry(source or GeneratedSource(), keys=keys, clock=StoppedClock())


async def ask(registry: SimulatedRegistry, target: str, **headers: str) -> Response:
    signed = signed_headers(
        "GET",
        target,
        timestamp_ms=int(NOW * 1000),
        access_key=DEMO_ACCESS_KEY,
        secret_key=DEMO_SECRET_KEY,
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await registry.handle(Request("GET", target, {**signed, **named}))


def content(answer: Response) -> Any:
    return json.loads(b"".join(answer.body))


async def page(target: str, source: Source | None = None, fault: str = "") -> Any:
    registry = simulated(source)
    registry.fault = FAULTS[fault] if fault else None
    answer = await ask(registry, target)
    assert answer.status == 200
    return content(answer)


def names(found: Any) -> list[str]:
    return [record["name"] for record in found["content"]]


@pytest.mark.parametrize(
    ("target", "kind"), [(REGISTRIES, "registry"), (IMAGES, "image"), (TAGS, "tag")]
)
async def test_records_have_the_documented_fields_and_no_others(target: str, kind: str) -> None:
    for record in (await page(target))["content"]:
        documented = set(RECORD_FIELDS["v3"][kind]) - {"storageTypeCode"}
        assert set(record) == documented
        for platform in record.get("images", ()):
            assert set(platform) == set(RECORD_FIELDS["v3"]["platform"])


async def test_the_tags_are_those_of_version_2() -> None:
    listed = tags("demo-registry", "web/frontend", NOW * 1000)
    found = (await page(f"{TAGS}?pageSize=1000"))["content"]
    assert [record["name"] for record in found] == [record["name"] for record in listed]
    for new, old in zip(found, listed, strict=True):
        assert (new["digest"], new["fullSize"]) == (old["digest"], old["full_size"])
        pulls = [platform["lastPulledDateTime"] for platform in new["images"]]
        assert [pull is None for pull in pulls] == [
            platform["latest_pulled"] == 0 for platform in old["images"]
        ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_787_555_553_000, "2026-08-24T07:12:33Z"),
        (1_787_555_553_120, "2026-08-24T07:12:33.120Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (0, None),
        (None, None),
        (10**16, "+318857-01-01T00:00:00Z"),
        ("soon", "soon"),
        (True, True),
    ],
)
def test_times_are_written_as_documented(value: object, expected: object) -> None:
    assert date_time(value) == expected


async def test_pages_are_counted_from_0_and_say_what_they_are() -> None:
    first = await page(PAGES, NUMBERED)
    assert len(names(first)) == 20
    totals = {"totalElements": 45, "totalPages": 3, "pageNo": 0, "pageSize": 20}
    assert first["page"] == totals
    last = await page(f"{PAGES}?pageNo=2&pageSize=20", NUMBERED)
    assert names(last) == ["v40", "v41", "v42", "v43", "v44"]
    assert last["page"] == {**totals, "pageNo": 2}
    beyond = await page(f"{PAGES}?pageNo=3", NUMBERED)
    assert names(beyond) == []


async def test_tags_come_in_the_order_that_is_asked_for() -> None:
    query = "pageNo=0&pageSize=1000"
    ascending = names(await page(f"{TAGS}?{query}&sort=name,asc"))
    assert ascending == sorted(ascending)
    assert names(await page(f"{TAGS}?{query}&sort=name,desc")) == ascending[::-1]
    assert names(await page(f"{TAGS}?{query}")) != ascending


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("pageNo=-1", "pageNo"),
        ("pageNo=1000000001", "pageNo"),
        ("pageNo=", "pageNo"),
        ("pageSize=0", "pageSize"),
        ("pageSize=1001", "pageSize"),
        ("pageSize=many", "pageSize"),
        ("sort=size,asc", "sort"),
        ("sort=name,up", "sort"),
        ("sort=name", "sort"),
    ],
)
async def test_a_parameter_out_of_range_is_refused_by_name(query: str, field: str) -> None:
    answer = await ask(simulated(), f"{TAGS}?{query}")
    assert answer.status == 400
    assert answer.headers["x-ncp-apigw-response-origin"] == "ENDPOINT"
    error = content(answer)["error"]
    assert error["errorCode"] == "InvalidParameter"
    assert [each["field"] for each in error["fieldErrors"]] == [field]


@pytest.mark.parametrize("target", [f"{REGISTRIES}/nowhere/images", f"{IMAGES}/nothing/tags"])
async def test_what_is_missing_is_said_in_a_word_and_in_the_language_of_the_request(
    target: str,
) -> None:
    registry = simulated()
    answer = await ask(registry, target)
    assert answer.status == 404
    assert content(answer)["error"]["errorCode"] == "NotFound"
    assert answer.headers["x-ncp-request-id"] == "demo-00000001"
    korean = content(await ask(registry, target, x_ncp_lang="ko-KR"))["error"]
    assert korean["message"] == content(answer)["error"]["message"]
    assert korean["detail"] == "요청을 처리할 수 없습니다."


@pytest.mark.parametrize("path", ["/api/v3", "/api/v3/repositories", f"{REGISTRIES}/r", "/api/v4"])
async def test_any_other_path_is_unknown_to_the_gateway(path: str) -> None:
    answer = await ask(simulated(), path)
    assert (answer.status, content(answer)["error"]["errorCode"]) == (404, "300")


async def test_each_envelope_holds_the_items() -> None:
    registry = simulated(NUMBERED)
    for envelope in ENVELOPES:
        registry.envelope = envelope
        assert "v07" in json.dumps(content(await ask(registry, PAGES)))


# Faults of pages, which say in version 3 which page they are


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [("next-loops", [0, 0]), ("next-back", [0, 0]), ("next-jumps", [0, 2])],
)
async def test_a_page_leads_astray_by_its_number(fault: str, numbers: list[int]) -> None:
    targets = [f"{PAGES}?pageNo={number}" for number in (0, 1)]
    found = [(await page(target, NUMBERED, fault))["page"]["pageNo"] for target in targets]
    assert found == numbers


async def test_the_count_lies() -> None:
    assert (await page(PAGES, NUMBERED, "count-lies"))["page"]["totalElements"] == 45 + 7


async def test_times_are_numbers_of_seconds_or_far_away() -> None:
    seconds = await page(PAGES, NUMBERED, "seconds")
    assert {record["updatedDateTime"] for record in seconds["content"]} == {1_758_000_000}
    distant = await page(PAGES, NUMBERED, "far-times")
    years = {record["updatedDateTime"][:4] for record in distant["content"]}
    assert years == {"+057"}


async def test_sizes_are_below_zero_or_no_numbers() -> None:
    below = await page(PAGES, NUMBERED, "negative-sizes")
    assert all(record["fullSize"] < 0 for record in below["content"])
    registry = simulated(NUMBERED)
    registry.fault = FAULTS["nan"]
    body = b"".join((await ask(registry, PAGES)).body)
    assert b'"fullSize": NaN' in body
    assert b'"size": 1e999' in body
