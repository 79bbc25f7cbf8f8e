"""Bytes of one page → records: lenient where documents differ, strict where a metric would lie."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.inventory import Platform, Tag
from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.pages import Page, decode_page
from ncr_exporter.ncr.versions import V2
from ncr_exporter.simulator.v3 import record_of
from tests.support.versions import page_in, spoken

pytestmark = pytest.mark.usefixtures("version")
V2_ONLY = pytest.mark.parametrize("version", ["v2"], indirect=True)
"""For what version 2 alone has; the times of version 3 are in `test_datetimes.py`."""

NOW_MS = 1_760_000_000_000.0
HOUR = 3_600_000
GOOD_TIME = 1_711_928_488_000
DIGEST = "sha256:" + "a1" * 32

# The vendor's own example, digest and all.
DOCUMENTED: dict[str, Any] = {
    "creator": "xxxxxxxx",
    "digest": "sha256:a180",
    "full_size": 83518086,
    "id": 730606,
    "image_id": 322122,
    "images": [
        {
            "architecture": "amd64",
            "created": GOOD_TIME,
            "digest": "sha256:sha256:a180",
            "features": "",
            "latest_pulled": 0,
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "os": "linux",
            "os_features": "",
            "os_version": None,
            "size": 83518086,
            "updated": GOOD_TIME,
            "variant": None,
        }
    ],
    "last_updated": GOOD_TIME,
    "last_updater": "xxxxxxxx",
    "name": "ncpdocker",
    "repository": 5976,
    "v2": True,
}


def page(*records: object, count: object = None, following: object = None) -> bytes:
    body = {"count": count, "next": following, "previous": None, "results": list(records)}
    return json.dumps(page_in(spoken(), body)).encode()


def tag_page(body: bytes, now_ms: float) -> Page[Tag]:
    return decode_page("tag_list", body, now_ms, spoken().wire)


def read(*records: object, **rest: object) -> Page[Tag]:
    return tag_page(page(*records, **rest), NOW_MS)


def tag(**fields: object) -> Tag:
    (record,) = read({"name": "v1", **fields}).records
    return record


def test_the_documented_example_is_read_whole() -> None:
    result = read(DOCUMENTED, count=1)
    assert list(result.records) == [
        Tag(
            name="ncpdocker",
            digest="sha256:a180",
            full_size=83518086,
            last_updated=GOOD_TIME,
            platforms=(
                Platform(
                    digest="sha256:a180",
                    os="linux",
                    architecture="amd64",
                    size=83518086,
                    pulled=0,
                    updated=GOOD_TIME,
                ),
            ),
        )
    ]
    assert (result.count, result.next, result.malformed) == (1, None, 0)


@V2_ONLY
@pytest.mark.parametrize("value", [GOOD_TIME, str(GOOD_TIME), float(GOOD_TIME)])
def test_a_time_may_come_as_number_or_text(value: object) -> None:
    assert tag(last_updated=value).last_updated == GOOD_TIME


BAD_TIMES = [
    GOOD_TIME // 1000,  # seconds
    NOW_MS + 48 * HOUR,  # the day after tomorrow
    -1,
    "yesterday",
    True,
    [],
    {},
    1.5,
    10**30,
    -62135596800000,  # year 1
]


@pytest.mark.parametrize("value", BAD_TIMES)
def test_a_time_that_cannot_be_is_unknown_and_counted(value: object) -> None:
    result = read({"name": "v1", "last_updated": value, "full_size": 5})
    assert list(result.records) == [Tag("v1", full_size=5)]
    assert result.malformed == 1


BAD_SIZES = [-1, "big", 1.5, True, [1], {"a": 1}, 2**60, float("inf"), float("nan"), "-3", "1e3"]


@pytest.mark.parametrize("value", BAD_SIZES)
def test_a_size_that_cannot_be_is_unknown_and_counted(value: object) -> None:
    result = read({"name": "v1", "full_size": value, "last_updated": GOOD_TIME})
    assert list(result.records) == [Tag("v1", last_updated=GOOD_TIME)]
    assert result.malformed == 1


def test_a_number_too_large_for_a_float_spoils_only_its_own_field() -> None:
    body = page({"name": "a", "full_size": 999_999}, {"name": "b", "full_size": 7})
    body = body.replace(b"999999", b"1e999")
    result = tag_page(body, NOW_MS)
    assert list(result.records) == [Tag("a"), Tag("b", full_size=7)]
    assert result.malformed == 1


@pytest.mark.parametrize("field", ["digest", "full_size", "last_updated", "images"])
def test_null_and_missing_are_unknown_and_no_fault(field: str) -> None:
    result = read({"name": "v1", field: None}, {"name": "v2"})
    assert list(result.records) == [Tag("v1"), Tag("v2")]
    assert result.malformed == 0


def test_null_everywhere_in_a_platform_is_unknown_and_no_fault() -> None:
    nulls = dict.fromkeys(["architecture", "digest", "latest_pulled", "os", "size", "updated"])
    result = read({"name": "v1", "images": [nulls]})
    assert list(result.records) == [Tag("v1", platforms=(Platform(),))]
    assert result.malformed == 0


def test_a_tag_without_platforms_is_a_tag() -> None:
    assert tag(images=[]).platforms == ()


def test_never_pulled_and_unknown_are_told_apart() -> None:
    platforms = [{"latest_pulled": 0}, {"latest_pulled": None}, {}]
    assert [p.pulled for p in tag(images=platforms).platforms] == [0, None, None]


@V2_ONLY
def test_never_pulled_may_be_written_as_text() -> None:
    assert [p.pulled for p in tag(images=[{"latest_pulled": "0"}]).platforms] == [0]


def test_an_update_at_0_is_unknown() -> None:
    assert tag(last_updated=0).last_updated is None


@pytest.mark.parametrize("images", ["linux", 7, {"os": "linux"}, [7], ["linux"], [None]])
def test_platforms_that_are_no_records_are_left_out_and_counted(images: object) -> None:
    result = read({"name": "v1", "images": images})
    assert list(result.records) == [Tag("v1")]
    assert result.malformed == 1


BAD_NAMES: list[object] = [
    None,
    "",
    7,
    [],
    "a\nb",
    "a\x00b",
    "\ud800",
    "x" * 600,
    ".",
    "..",
    "a\u2028b",
    True,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_record_without_a_usable_name_is_left_out_and_counted(name: object) -> None:
    result = read({"name": name, "full_size": 5}, {"name": "good"})
    assert list(result.records) == [Tag("good")]
    assert (result.left_out, result.malformed) == (1, 1)


@pytest.mark.parametrize("record", [None, 7, "tag", [], True])
def test_a_record_that_is_no_object_is_left_out_and_counted(record: object) -> None:
    result = read(record, {"name": "good"})
    assert list(result.records) == [Tag("good")]
    assert (result.left_out, result.malformed) == (1, 1)


def test_a_page_without_one_usable_record_is_malformed() -> None:
    with pytest.raises(MalformedError, match="none of the 2 records"):
        read({"name": None}, {"name": 7})


def test_an_empty_page_is_a_page() -> None:
    assert list(read(count=0).records) == []


@V2_ONLY
@pytest.mark.parametrize(
    ("following", "expected"), [(None, None), (0, None), (2, 2), ("2", 2), ("", None), (2.0, 2)]
)
def test_next_is_a_page_number_or_nothing(following: object, expected: int | None) -> None:
    assert read({"name": "v1"}, following=following).next == expected


@V2_ONLY
@pytest.mark.parametrize("following", ["https://elsewhere/?page=2", -1, [2], {}, True, 1.5])
def test_a_next_that_is_no_page_number_is_malformed(following: object) -> None:
    with pytest.raises(MalformedError):
        read({"name": "v1"}, following=following)


@pytest.mark.parametrize("count", [-1, "many", [], 1.5, True])
def test_an_odd_count_is_only_a_hint_lost(count: object) -> None:
    assert read({"name": "v1"}, count=count).count is None


@V2_ONLY
@pytest.mark.parametrize(
    ("fields", "activity"),
    [
        ({}, (12, GOOD_TIME)),
        ({"pull_count": 0}, (0, GOOD_TIME)),
        ({"pull_count": None}, None),
        ({"last_updated": None}, None),
        ({"last_updated": "soon"}, None),
        ({"lastPulledDateTime": "2025-09-01T00:00:00Z"}, (12, GOOD_TIME)),
    ],
)
def test_a_pull_or_push_of_an_image_shows_in_its_record(
    fields: dict[str, Any], activity: tuple[int, ...] | None
) -> None:
    body = page({"name": "app", "pull_count": 12, "last_updated": GOOD_TIME, **fields})
    (image,) = decode_page("image_list", body, NOW_MS).records
    assert image.activity == activity


NOT_PAGES = {
    "empty": b"",
    "spaces": b"  \n",
    "html": b"<html><body>Login</body></html>",
    "text": b"Service Unavailable",
    "truncated": page({"name": "v1"})[:-9],
    "null": b"null",
    "no results": b'{"count": 0}',
    "results null": b'{"results": null}',
    "results an object": b'{"results": {}}',
    "not UTF-8": b'{"results": [{"name": "\xff\xfe"}]}',
    "nested deeply": b'{"results": ' + b"[" * 200_000,
    "a number too long": b'{"results": [' + b"9" * 10_000 + b"]}",
}


@pytest.mark.parametrize("case", NOT_PAGES)
def test_what_is_no_page_is_malformed(case: str) -> None:
    with pytest.raises(MalformedError):
        tag_page(NOT_PAGES[case], NOW_MS)


@pytest.mark.parametrize("body", [b'{"error": {"message": "busy"}}', b'{"returnCode": "busy"}'])
def test_the_message_says_when_an_error_came_instead(body: bytes) -> None:
    with pytest.raises(MalformedError, match=r"an error with the status of a page: .*busy"):
        tag_page(body, NOW_MS)


def test_the_message_says_when_html_came_instead() -> None:
    with pytest.raises(MalformedError, match="HTML"):
        tag_page(NOT_PAGES["html"], NOW_MS)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b'{"results": [{"name": "\xe9tude"}]}',
            r"""the answer is not text in UTF-8: at byte 23, 'esults": [{"name": "étude"}]}'""",
        ),
        ('{"results": [{"name": "é'.encode()[:-1], "not JSON, or cut short"),
        ('{"results": [{"name": "é'.encode("utf-16")[:-1], "not JSON, or cut short"),
    ],
    ids=["Latin-1", "UTF-8 cut within a letter", "UTF-16 cut within a letter"],
)
def test_the_message_tells_a_wrong_encoding_from_an_answer_cut_short(
    body: bytes, words: str
) -> None:
    with pytest.raises(MalformedError) as raised:
        tag_page(body, NOW_MS)
    assert words in str(raised.value)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
WILD_PLATFORMS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(["digest", "os", "size", "latest_pulled", "updated"], JSON_VALUES),
)
WILD_TAGS = st.fixed_dictionaries(
    {"name": JSON_VALUES | st.text(min_size=1)},
    optional={
        "digest": JSON_VALUES,
        "full_size": JSON_VALUES,
        "last_updated": JSON_VALUES,
        "images": JSON_VALUES | st.lists(WILD_PLATFORMS | JSON_VALUES, max_size=3),
    },
)


@given(st.lists(WILD_TAGS, max_size=4), JSON_VALUES, JSON_VALUES)
def test_whatever_the_fields_hold_the_records_are_clean(
    records: list[Any], count: object, following: object
) -> None:
    if spoken() is V2:
        content: Any = {"results": records, "count": count, "next": following}
    else:
        items = [record_of("tag_list", record) for record in records]
        content = {"items": items, "totalElements": count, "totalPages": following}
    body = json.dumps(content).encode()
    try:
        result = tag_page(body, NOW_MS)
    except MalformedError:
        return
    for record in result.records:
        assert record.name.isprintable()
        assert record.name
        record.name.encode()
        assert record.full_size is None or 0 <= record.full_size <= 2**53
        for moment in (record.last_updated, *(p.pulled for p in record.platforms)):
            assert moment is None or moment == 0 or 946_684_800_000 <= moment <= NOW_MS + 24 * HOUR
