"""What is learned of an API that does otherwise than the simulated one."""

import json
from typing import Any

import pytest

from ncr_exporter.check_online.api_findings import api_findings
from ncr_exporter.check_online.observed import ObservedResponses
from ncr_exporter.recording.exchange import Exchange
from tests.support.api_client import tag
from tests.support.states import NOW

BASE = "/ncr/api/v2/repositories"
TAGS = f"{BASE}/reg/app/tags"


def exchange(path: str, body: object, *, page: int = 1, **fields: Any) -> Exchange:
    given = {
        "status": 200,
        "headers": {"content-type": "text/plain", "x-ncp-apigw-response-origin": "ENDPOINT"},
        "received": NOW,
        "request_headers": {},
    }
    target = f"{path}?page={page}&pagesize=100"
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(target, body=text, **{**given, **fields})


def page_of(results: list[Any], *, following: Any = None, count: Any = None) -> dict[str, Any]:
    count = len(results) if count is None else count
    return {"count": count, "next": following, "previous": None, "results": results}


def learned(*exchanges: Exchange) -> dict[str, str]:
    seen = ObservedResponses()
    for each in exchanges:
        seen.add(each)
    topics: dict[str, str] = {}
    for topic, finding in api_findings(seen):
        topics[topic] = f"{topics[topic]}\n{finding}" if topic in topics else finding
    return topics


def of_tags(*tags: dict[str, Any]) -> dict[str, str]:
    return learned(exchange(TAGS, page_of(list(tags))))


def test_nothing_is_learned_from_nothing() -> None:
    topics = learned()
    assert topics["responses"] == "none"
    assert topics["page size"].startswith("not learned")
    assert topics["count"] == "not learned: no list could be read to its end"
    assert "tag: not learned" in topics["fields"]


def test_answers_are_counted_by_status_and_origin() -> None:
    denied = exchange(
        BASE, b"no JSON", status=401, headers={"x-ncp-apigw-response-origin": "APIGW"}
    )
    topics = learned(exchange(TAGS, page_of([])), denied, denied)
    assert topics["responses"] == "HTTP 401 APIGW (2), HTTP 200 ENDPOINT (1)"
    assert topics["headers"].endswith("content type of pages: text/plain")


@pytest.mark.parametrize(
    ("held", "finding"),
    [
        (100, "honoured: 100 on all 1 pages that have a next one"),
        (20, "not honoured: 20 instead of 100 on pages that have a next one"),
        (150, "not honoured: 150 instead of 100 on pages that have a next one"),
    ],
)
def test_whether_the_page_size_is_honoured(held: int, finding: str) -> None:
    first = page_of([tag(f"v{n}") for n in range(held)], following=2, count=held + 1)
    last = page_of([tag("last")], count=held + 1)
    topics = learned(exchange(TAGS, first), exchange(TAGS, last, page=2))
    assert topics["page size"] == finding
    assert topics["next"] == "2 pages: a page number as int (1), null or missing (1)"
    assert topics["count"] == "equals the distinct names in 1 of 1 lists; 1 have several pages"


def test_a_count_of_something_else_is_told_in_numbers() -> None:
    topics = learned(exchange(TAGS, page_of([tag("v1"), tag("v1"), tag("v2")], count=7)))
    assert topics["count"] == (
        "equals the distinct names in 0 of 1 lists; 0 have several pages\n"
        "differs in a tag_list: count 7, records 3, distinct names 2"
    )


def test_a_list_that_was_read_twice_counts_as_read_last() -> None:
    topics = learned(
        exchange(TAGS, page_of([tag("v1")], count=2)),
        exchange(TAGS, page_of([tag("v1"), tag("v2")], count=2)),
    )
    assert topics["count"] == "equals the distinct names in 1 of 1 lists; 0 have several pages"


def test_a_list_that_was_cut_off_is_not_counted() -> None:
    topics = learned(exchange(TAGS, page_of([tag("v1")], following=2, count=200)))
    assert topics["count"].startswith("not learned")


@pytest.mark.parametrize(
    ("names", "updates", "finding"),
    [
        ("abc", (3, 2, 1), "name ascending and newest update first (1)"),
        ("cba", (1, 3, 2), "name descending (1)"),
        ("bca", (1, 2, 3), "oldest update first (1)"),
        ("bca", (1, 3, 2), "no order (1)"),
        ("bca", ("1", "2", "3"), "oldest update first (1)"),
        ("bca", ("x", "y", "z"), "no order (1)"),
    ],
)
def test_the_order_of_records(names: str, updates: tuple[Any, ...], finding: str) -> None:
    tags = [tag(n, last_updated=u) for n, u in zip(names, updates, strict=True)]
    assert of_tags(*tags)["order"].splitlines()[0] == (f"tag_list: {finding}")


def test_what_a_tags_digest_is() -> None:
    own = tag("v1", digest="sha256:v1")
    index = tag("v2", digest="sha256:sha256:index")
    index["images"] = [*index["images"], {**index["images"][0], "digest": "sha256:arm"}]
    assert of_tags(own, index, tag("v3", digest=None))["tag digest"].splitlines() == [
        "tags with one platform: the digest is a platform's in 1 of 1",
        "tags with several platforms: the digest is a platform's in 0 of 1",
        "tags with several platforms: it is that of none of them (1)",
        "missing in 1 of 3 tags; `sha256:` doubled in 1",
    ]


@pytest.mark.parametrize(
    ("full_size", "finding"),
    [
        (10, "the first platform's (1)"),
        (30, "the largest platform's (1)"),
        (40, "the sum of platforms (1)"),
        ("40", "the sum of platforms (1)"),
        (7, "something else (1)"),
        (0, "0 or missing (1)"),
        (None, "0 or missing (1)"),
    ],
)
def test_what_full_size_is(full_size: Any, finding: str) -> None:
    several = tag("v1", full_size=full_size, images=[{"size": 10}, {"size": 30}])
    assert of_tags(several)["tag size"].splitlines()[1] == (
        f"1 tags with several platforms: {finding}"
    )


def test_what_latest_pulled_holds() -> None:
    values: list[Any] = [0, "0", None, 1_759_000_000_000, "1759000000000", True, "never"]
    platforms = [{"latest_pulled": value} for value in values]
    assert of_tags(tag("v1", images=[*platforms, {}]))["last pull"] == (
        "8 platforms: 0 (2), a time (2), something else (2), null (1), missing (1)"
    )


def test_zeros_are_compared_with_pull_counts() -> None:
    images = [
        {"name": "app", "pull_count": 5},
        {"name": "team/web", "pull_count": 3},
        {"name": "new", "pull_count": 0},
    ]
    topics = learned(
        exchange(f"{BASE}/reg", page_of(images)),
        exchange(TAGS, page_of([tag("v1", pulled=0)])),
        exchange(f"{BASE}/reg/team%2Fweb/tags", page_of([tag("v1")])),
        exchange(f"{BASE}/reg/new/tags", page_of([tag("v1")])),
    )
    assert topics["zeros"].splitlines() == [
        "images with pull_count above 0: 1 of 2 have no pull time",
        "images with pull_count 0: 1 of 1 have a pull time",
    ]


def test_how_times_are_written() -> None:
    updates: list[Any] = [1_758_000_000_000, 1_758_000_000, "1758000000000", None, 0, "x", 7]
    tags = [tag(f"v{n}", last_updated=value) for n, value in enumerate(updates)]
    (line,) = [
        line for line in of_tags(*tags)["times"].splitlines() if line.startswith("tag last_upd")
    ]
    assert line == (
        "tag last_updated: milliseconds (1), seconds (1), milliseconds as text (1), null (1), "
        "0 (1), str that is no number (1), out of range (1)"
    )


def test_fields_that_nobody_documented_are_named_and_cannot_spoil_a_terminal() -> None:
    finding = of_tags({"name": "v1", "brand_new": 1, "\x1b[31mred": 2})["fields"]
    assert "undocumented '\\x1b[31mred', brand_new" in finding
    assert "tag: missing creator, digest, full_size, id" in finding


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b'{"results": 5}', b'{"results": [1, null]}', b"[" * 100_000, b"\xff\xfe"],
    ids=["html", "array", "no list", "no records", "deep", "no text"],
)
def test_what_is_no_page_teaches_nothing(body: bytes) -> None:
    topics = learned(exchange(TAGS, body))
    assert topics["responses"] == "HTTP 200 ENDPOINT (1)"
    assert "tag: not learned" in topics["fields"]


def test_a_path_that_is_no_list_teaches_nothing() -> None:
    assert learned(exchange("/elsewhere", page_of([])))["count"].startswith("not learned")


def test_two_accounts_that_read_one_path_at_a_time_are_told_apart() -> None:
    one, other = ({"x-ncp-iam-access-key": key} for key in ("a", "b"))
    first = page_of([tag("v1")], following=2, count=2)
    last = page_of([tag("v2")], count=2)
    topics = learned(
        exchange(TAGS, first, request_headers=one),
        exchange(TAGS, first, request_headers=other),
        exchange(TAGS, last, page=2, request_headers=one),
        exchange(TAGS, last, page=2, request_headers=other),
    )
    assert topics["count"] == "equals the distinct names in 2 of 2 lists; 2 have several pages"
