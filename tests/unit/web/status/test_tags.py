"""Tags as rows."""

from typing import Any

from ncr_exporter.inventory import Platform, Tag
from ncr_exporter.report.verdicts import verdict_text
from ncr_exporter.state.model import ImageState
from ncr_exporter.web.status.query import Query
from ncr_exporter.web.status.tags import TagView, longest_unused, matching_tags, tag_views
from ncr_exporter.web.status.words import Span
from tests.support.states import DAY_MS, NOW, NOW_MS, platform, recorder, target

PULLED = Tag(
    "pulled",
    "sha256:aa",
    7,
    NOW_MS - 9 * DAY_MS,
    (
        platform(pulled=NOW_MS - 2 * DAY_MS),
        Platform(os="linux", architecture="arm64", variant="v8"),
    ),
)
NEVER = Tag("never", None, 5, NOW_MS - 400 * DAY_MS, (platform(pulled=0),))
UNKNOWN = Tag("unknown")


def rows_of(*tags: Tag, keep_recent: int = 0, **policy: Any) -> list[TagView]:
    store, _ = recorder()
    image = target("app", keep_recent=keep_recent, **policy)
    store.add(image)
    store.commit(image, tags, at=NOW, duration=0.1)
    return tag_views(store.images[image.key])


def named(rows: list[TagView]) -> list[str]:
    return [row.name for row in rows]


def test_a_row_tells_what_is_known_of_a_tag_as_of_the_last_good_poll() -> None:
    pulled, never, unknown = rows_of(NEVER, UNKNOWN, PULLED)
    assert (pulled.name, pulled.size, pulled.digest) == ("pulled", 7, "sha256:aa")
    assert (pulled.pulled, pulled.updated) == (NOW_MS - 2 * DAY_MS, NOW_MS - 9 * DAY_MS)
    assert (pulled.never_pulled, pulled.stale) == (False, False)
    assert pulled.idle == Span(2 * 86400.0)
    assert (verdict_text(pulled.verdict), pulled.is_plainly_used) == ("used", True)
    assert pulled.platforms == ("linux/amd64", "linux/arm64/v8")
    assert (never.never_pulled, never.stale, never.idle) == (True, True, Span(400 * 86400.0))
    assert (unknown.pulled, unknown.never_pulled, unknown.idle) == (None, False, None)
    assert (unknown.stale, unknown.is_plainly_used) == (None, False)


def test_a_never_is_not_believed_where_no_pull_was_ever_seen() -> None:
    (row,) = rows_of(NEVER)
    assert (row.never_pulled, row.idle, row.stale) == (False, None, None)


def test_with_stale_after_never_no_tag_is_judged() -> None:
    rows = rows_of(NEVER, PULLED, stale_after=float("inf"))
    assert [row.stale for row in rows] == [None, None]
    assert [row.idle for row in rows] == [Span(2 * 86400.0), Span(400 * 86400.0)]


def test_before_the_first_poll_there_is_none() -> None:
    assert tag_views(ImageState(target("app"))) == []


def test_the_newest_come_first_unless_one_asks_otherwise() -> None:
    rows = rows_of(NEVER, UNKNOWN, PULLED)
    assert named(rows) == ["pulled", "never", "unknown"]
    assert named(matching_tags(rows, Query("size"))) == ["never", "pulled", "unknown"]
    assert named(matching_tags(rows, Query("tag"))) == ["never", "pulled", "unknown"]
    assert named(matching_tags(rows, Query("idle", descending=True))) == [
        "never",
        "pulled",
        "unknown",
    ]


def test_finding_by_name_and_by_staleness() -> None:
    rows = rows_of(NEVER, UNKNOWN, PULLED)
    assert named(matching_tags(rows, Query("tag", text="N"))) == ["never", "unknown"]
    assert named(matching_tags(rows, Query("tag", only="stale"))) == ["never"]


def test_the_longest_unused_of_many() -> None:
    rows = rows_of(NEVER, UNKNOWN, PULLED)
    assert named(longest_unused(rows, 3)) == ["pulled", "never", "unknown"]
    assert named(longest_unused(rows, 2)) == ["never", "pulled"]
