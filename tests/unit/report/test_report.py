"""The rows of the report: what each says, which come first, and how they are written."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from ncr_exporter.inventory import Platform, Tag
from ncr_exporter.report import files, table
from ncr_exporter.report.rows import ImageRow, Report, age_text, size_text
from ncr_exporter.report.terminal import Terminal
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.state.model import Failure, ImageState
from ncr_exporter.state.store import Store
from tests.support.states import DAY_MS, NOW, NOW_MS, Recorder, target

FAILURE = Failure("not_found", "HTTP 404 =cmd", "check the name")


def one_tag(name: str, size: int, pulled: int | None, updated: int) -> Tag:
    platform = Platform(f"sha256:{name}", "linux", "amd64", "", size, pulled, updated)
    return Tag(name, f"sha256:{name}", size, updated, (platform,))


def aged(days: int, *, size: int = 1000, pulled: bool = True, name: str = "") -> Tag:
    """Return a tag last used so many days ago."""
    moment = NOW_MS - days * DAY_MS
    return one_tag(name or f"d{days}", size, moment if pulled else 0, moment)


def report_of(failures: Any = None, **images: Any) -> Report:
    """Return the report of images: tags, a failure, or None where nothing was polled yet."""
    store = Store(Recorder())
    for name, content in images.items():
        wanted = target(name.replace("__", "/"), keep_recent=0, keep_tags=())
        store.add(wanted)
        if isinstance(content, Failure):
            store.record_failure(wanted, content, at=NOW, duration=0.1)
        elif content is not None:
            store.commit(wanted, tuple(content), at=NOW, duration=0.1)
            exhaust(store.review_pulls("my-registry"))
    return Report(store.images.values(), NOW, failures or {})


def names(report: Report) -> list[str]:
    return [row.image for row in report.images]


def test_most_to_reclaim_first_then_longest_unused_then_by_name() -> None:
    report = report_of(
        new=[aged(1)],
        failed=FAILURE,
        older=[aged(5)],
        little=[aged(100, size=10)],
        much=[aged(99, size=1000)],
        also_new=[aged(1)],
        untried=None,
    )
    assert names(report) == ["much", "little", "older", "also_new", "new", "failed", "untried"]


def test_a_row_says_what_the_image_holds() -> None:
    tags = [aged(2), aged(120, size=70), aged(130, size=30, pulled=False)]
    (row,) = report_of(app=tags).images
    assert (row.tags, row.size, row.stale_tags, row.reclaimable) == (3, 1100, 2, 100)
    assert (row.never_pulled_tags, row.unused, row.up) == (1, 2 * 86400, True)
    assert row.pulled == row.updated == NOW_MS - 2 * DAY_MS


def test_what_is_not_known_is_none() -> None:
    (unknown,) = report_of(app=[one_tag("v1", 5, None, NOW_MS - 100 * DAY_MS)]).images
    assert (unknown.stale_tags, unknown.reclaimable, unknown.unused) == (None, None, None)
    assert unknown.updated is not None
    (failed,) = report_of(app=FAILURE).images
    assert (failed.up, failed.tags, failed.size, failed.failure) == (False, None, None, FAILURE)


def test_the_report_is_as_of_now_and_staleness_as_of_the_poll() -> None:
    report = report_of(app=[aged(89), aged(100, size=7)])
    later = replace(report, now=NOW + 5 * 86400)
    assert [row.tag for row in later.stale_tags] == ["d100"], "d89 was no stale tag when polled"
    assert later.stale_tags[0].unused == 105 * 86400


def test_stale_tags_are_the_largest_first_then_the_longest_unused() -> None:
    report = report_of(
        a=[aged(1), aged(100), aged(200), aged(150, size=5000)], b=[aged(300, pulled=False)]
    )
    assert [(row.image, row.tag) for row in report.stale_tags] == [
        ("a", "d150"),
        ("b", "d300"),
        ("a", "d200"),
        ("a", "d100"),
    ]
    assert report.stale_tags[1].pulled == 0


def read_csv(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(files.images_as_csv(report)), newline="")))


def test_csv_has_bytes_and_each_time_twice() -> None:
    (row,) = read_csv(report_of(team__app=[aged(1)]))
    assert row["registry"] == "my-registry"
    assert row["image"] == "team/app"
    assert row["size_bytes"] == "1000"
    assert row["last_pulled"] == "2025-10-08T08:53:20Z"
    assert row["last_pulled_timestamp_seconds"] == "1759913600.0"
    assert (row["up"], row["failure"], row["pulls"]) == ("true", "", "")


@pytest.mark.parametrize(
    "start", [*"=+-@\uff1d\uff0b\uff0d\uff20", "\t", "\r", "\n", " =", "\xa0="]
)
def test_no_cell_from_outside_is_a_formula(start: str) -> None:
    failure = Failure("other", f"{start}HYPERLINK(1)", "")
    (row,) = read_csv(report_of(app=failure))
    assert row["failure"] == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize("before", ["a;", "a; ", 'a;"', "a;'", "a;b;", "a\t", "a\n"])
@pytest.mark.parametrize("start", "=+-@\uff1d\uff0b\uff0d\uff20")
def test_no_part_of_a_cell_is_a_formula_where_semicolons_separate_cells(
    before: str, start: str
) -> None:
    (row,) = read_csv(report_of(app=Failure("other", f"{before}{start}HYPERLINK(1)", "")))
    assert row["failure"] == f"{before}'{start}HYPERLINK(1)"


@pytest.mark.parametrize("text", ["1.4-rc1", "a=b", "team/app@sha256:0", "a; b", "me@example.org"])
def test_what_is_no_formula_is_shown_as_it_is(text: str) -> None:
    (row,) = read_csv(report_of(app=Failure("other", text, "")))
    assert row["failure"] == text


def test_a_cell_with_separators_is_one_cell() -> None:
    (row,) = read_csv(report_of(app=Failure("other", 'a,b "c"\nd', "")))
    assert row["failure"] == 'a,b "c"\nd'


def test_csv_and_json_have_the_same_documented_fields() -> None:
    report = report_of(app=[aged(1), aged(100)])
    header = next(iter(files.images_as_csv(report))).strip().split(",")
    (image,) = json.loads("".join(files.images_as_json(report)))["images"]
    assert list(image) == header
    tags_header = next(iter(files.stale_tags_as_csv(report))).strip().split(",")
    (tag,) = json.loads("".join(files.stale_tags_as_json(report)))["stale_tags"]
    assert list(tag) == tags_header


@pytest.mark.parametrize("images", [{}, {"a": [aged(1)]}, {"a": [aged(1), aged(2)], "b": []}])
@pytest.mark.parametrize("failures", [{}, {"my-registry": FAILURE, "a\nb": FAILURE}])
def test_json_is_written_row_by_row_as_if_all_were_written_at_once(
    images: dict[str, Any], failures: dict[str, Failure]
) -> None:
    report = report_of(failures, **images)
    for form in (files.images_as_json, files.stale_tags_as_json, files.tags_as_json):
        text = "".join(form(report))
        assert text == json.dumps(json.loads(text), indent=2) + "\n"


def test_rows_of_tags_are_made_as_they_are_written() -> None:
    """All at once, those of half a million tags took 2 GB."""
    text = files.tags_as_json(report_of(a=[aged(day) for day in range(3)]))
    longest = max(map(len, text))
    assert longest < 2 * len("".join(files.tags_as_json(report_of(a=[aged(1)]))))


def test_json_holds_null_for_unknown_and_names_failures_of_registries() -> None:
    report = report_of({"my-registry": FAILURE}, app=FAILURE)
    content = json.loads("".join(files.images_as_json(report)))
    assert content["generated"] == "2025-10-09T08:53:20Z"
    assert content["images"][0]["size_bytes"] is None
    assert content["failures"] == [
        {
            "place": "my-registry",
            "reason": "not_found",
            "failure": "HTTP 404 =cmd",
            "remedy": "check the name",
        }
    ]


def test_an_empty_report_has_its_header() -> None:
    assert next(iter(files.images_as_csv(report_of()))).startswith("registry,image,")
    assert next(iter(files.stale_tags_as_csv(report_of()))).startswith("registry,image,tag,")


def drawn(report: Report, width: int) -> list[str]:
    terminal = Terminal(io.StringIO())
    terminal.width = width
    return "".join(table.images_as_table(terminal, report)).splitlines()


TWO = {"app": [aged(2), aged(120, size=70)], "a-very-long-name__of-an-image": [aged(1)]}


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (100, "IMAGE TAGS SIZE STALE RECLAIMABLE UNUSED LAST PULL"),
        (80, "IMAGE TAGS SIZE STALE RECLAIMABLE UNUSED"),
        (58, "IMAGE SIZE RECLAIMABLE UNUSED"),
        (45, "IMAGE RECLAIMABLE"),
    ],
)
def test_the_table_fits_its_terminal_and_loses_no_name(width: int, columns: str) -> None:
    lines = drawn(report_of(**TWO), width)
    assert " ".join(lines[0].split()) == columns
    assert max(map(len, lines[: lines.index("")])) <= width
    assert "my-registry/a-very-long-name/of-an-image" in "".join(
        line.split("  ")[0] for line in lines[2:4]
    )


def test_the_table_sums_up() -> None:
    lines = drawn(report_of(**TWO), 100)
    assert lines[1].split()[:6] == ["my-registry/app", "2", "1.07", "kB", "1", "70"]
    assert lines[4:6] == ["2 images, 3 tags, 2.07 kB", "1 stale tag, 70 B that only they refer to"]


def test_unknown_is_a_question_mark_and_never_is_never() -> None:
    unknown = drawn(report_of(app=[one_tag("v1", 5, None, NOW_MS - 100 * DAY_MS)]), 100)
    assert unknown[1].split() == ["my-registry/app", "1", "5", "B", "?", "?", "?", "?"]
    never = drawn(report_of(app=[aged(1, pulled=False)], other=[aged(1)]), 100)
    assert any(line.split()[-1] == "never" for line in never if "my-registry/app" in line)


def test_a_signed_image_that_nobody_pulled_was_never_pulled() -> None:
    signature = one_tag(f"sha256-{HEX}.sig", 2, 0, NOW_MS - DAY_MS)
    report = report_of(app=[aged(1, pulled=False), signature], other=[aged(1)])
    (line,) = [line for line in drawn(report, 100) if "my-registry/app" in line]
    assert line.split()[-1] == "never"


def test_wide_characters_keep_the_columns_straight() -> None:
    lines = drawn(report_of(이미지=[aged(1)], app=[aged(1)]), 100)
    narrow, wide = sorted(line.index("1.00 kB") for line in lines[1:3])
    assert wide - narrow == 3, "each of three characters takes two columns"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_500, "1.00 MB"),
        (1_234_567_890, "1.23 GB"),
        (5 * 10**18, "5000 PB"),
    ],
)
def test_sizes_have_three_digits(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (3661, "1h 1m"),
        (86400 * 3, "3d"),
        (86400 * (4 * 365 + 61), "4y 61d"),
    ],
)
def test_ages_have_two_units(seconds: float, text: str) -> None:
    assert age_text(seconds) == text


def test_rows_need_no_more_than_names() -> None:
    assert ImageRow("a", "b").tags is None
    assert isinstance(next(iter(report_of(app=None).states)), ImageState)


HEX = "ab" * 32


def signed_report() -> Report:
    old, new = aged(100, name=HEX), aged(1)
    names = (f"sha256-{HEX}.sig", f"sha256-{HEX}.att")
    attached = [one_tag(name, 2, None, NOW_MS - 100 * DAY_MS) for name in names]
    return report_of(app=[new, old, *attached])


def test_every_tag_is_reported_with_its_verdict() -> None:
    rows = list(csv.DictReader(io.StringIO("".join(files.tags_as_csv(signed_report())))))
    assert [(row["tag"], row["stale"], row["verdict"], row["attached"]) for row in rows] == [
        ("d1", "false", "used", "false"),
        (HEX, "true", "stale", "false"),
        (f"sha256-{HEX}.att", "true", f"stale: attestation of {HEX}", "true"),
        (f"sha256-{HEX}.sig", "true", f"stale: signature of {HEX}", "true"),
    ]


def test_a_table_of_tags_shortens_the_digests_in_names_and_counts_them_apart() -> None:
    lines = "".join(table.tags_as_table(Terminal(io.StringIO()), signed_report())).splitlines()
    assert lines[3].split()[1:4] == ["sha256-abababab….att", "2", "B"]
    assert "4 tags, 1 stale tag, and 2 attached to them, 1.00 kB that only they refer to" in lines
    assert any("--in-use=FILE spares what runs" in line for line in lines)


def test_names_of_the_same_content_stand_beside_a_stale_tag() -> None:
    first = aged(100, name="v1")
    (row, other) = report_of(app=[first, structs.replace(first, name="v2")]).stale_tags
    assert (row.tag, row.aliases) == ("v1", ("v2",))
    assert (other.tag, other.aliases) == ("v2", ("v1",))


def test_there_is_a_column_of_owners_where_an_image_has_one() -> None:
    store = Store(Recorder())
    for name, owner in (("a", "데이터팀"), ("b", None)):
        wanted = target(name, owner=owner)
        store.add(wanted)
        store.commit(wanted, (aged(1),), at=NOW, duration=0.1)
    lines = drawn(Report(store.images.values(), NOW), 100)
    assert lines[0].split()[:2] == ["IMAGE", "OWNER"]
    assert sorted(line.split()[1] for line in lines[1:3]) == ["1", "데이터팀"]
