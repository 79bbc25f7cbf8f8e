"""When a tag was last used: by its content, and by what can be known of its pulls."""

from typing import Any

import pytest

from ncr_exporter.inventory import (
    ImageSummary,
    Knowledge,
    Platform,
    Tag,
    is_platform,
    summarize,
)
from ncr_exporter.inventory.facts import pulls_by_content, sort_out
from ncr_exporter.inventory.records import RECORDED_SINCE
from tests.support.states import policy_with

DAY = 86_400_000
NOW = 1_795_824_000_000  # 2026-11-27
KEEP_NONE: dict[str, Any] = {"keep_recent": 0, "keep_tags": ()}


def tag(name: str, updated: int | None, *records: tuple[str | None, int | None]) -> Tag:
    """Return a tag with a record of 10 bytes per digest and pull."""
    platforms = tuple(Platform(digest=d, size=10, pulled=p) for d, p in records)
    return Tag(name, last_updated=updated, platforms=platforms)


def judged(
    *tags: Tag, registry_records_pulls: bool = True, pull_count: int | None = None, **policy: Any
) -> ImageSummary:
    knowledge = Knowledge(registry_records_pulls, pull_count)
    return summarize(tags, policy_with(**{**KEEP_NONE, **policy}), NOW, knowledge)


# --- by content ---


def test_neither_of_two_names_of_one_manifest_is_stale_when_one_was_pulled_yesterday() -> None:
    release = tag("1.4.2", NOW - 400 * DAY, ("sha256:a", 0))
    stable = tag("stable", NOW - 300 * DAY, ("sha256:a", NOW - DAY))
    image = judged(release, stable)
    assert image.stale == {"1.4.2": False, "stable": False}
    assert (image.stale_tags, image.reclaimable, image.never_pulled_tags) == (0, 0, 0)
    assert [fact.pulled for fact in image.exposed] == [NOW - DAY, NOW - DAY]


def test_one_shared_platform_is_enough() -> None:
    multi = tag("multi", NOW - 400 * DAY, ("sha256:a", 0), ("sha256:b", 0))
    arm = tag("arm", NOW - 400 * DAY, ("sha256:b", NOW - DAY))
    assert judged(multi, arm).stale_tags == 0


def test_a_tag_without_platforms_was_pulled_by_the_digest_it_has_in_common() -> None:
    bare = Tag("bare", digest="sha256:a", last_updated=NOW - 400 * DAY)
    other = tag("other", NOW - 400 * DAY, ("sha256:a", NOW - 100 * DAY))
    assert pulls_by_content([bare, other])["bare"] == NOW - 100 * DAY
    never = tag("other", NOW - 400 * DAY, ("sha256:a", 0))
    assert pulls_by_content([bare, never])["bare"] is None, "its own platforms tell nothing"


def test_records_without_a_digest_are_of_their_tags_digest() -> None:
    one = Tag("one", "sha256:a", last_updated=NOW, platforms=(Platform(pulled=0),))
    two = Tag("two", "sha256:a", last_updated=NOW, platforms=(Platform(pulled=NOW - DAY),))
    assert set(pulls_by_content([one, two]).values()) == {NOW - DAY}


def test_what_is_unknown_of_one_name_makes_never_unknown_for_the_other() -> None:
    known = tag("known", NOW - 400 * DAY, ("sha256:a", 0))
    unknown = tag("unknown", NOW - 400 * DAY, ("sha256:a", None))
    assert judged(known, unknown).stale == {}


def test_records_without_any_digest_share_nothing() -> None:
    assert pulls_by_content([tag("a", NOW, (None, 0)), tag("b", NOW, (None, NOW))]) == {
        "a": 0,
        "b": NOW,
    }


def test_ten_thousand_tags_of_one_digest_are_one_content() -> None:
    tags = [tag(f"v{n}", NOW - 400 * DAY, ("sha256:a", 0)) for n in range(10_000)]
    tags[5000] = tag("pulled", NOW - 400 * DAY, ("sha256:a", NOW - DAY))
    assert judged(*tags).stale_tags == 0
    assert judged(*tags[:5000]).stale_tags == 5000


# --- by bounds ---


def test_an_image_abandoned_before_pulls_were_recorded_is_stale_whatever_it_counts() -> None:
    old = tag("v1", RECORDED_SINCE - 300 * DAY, ("sha256:a", 0))
    image = judged(old, pull_count=500)
    assert (image.stale_tags, image.reclaimable) == (1, 10)
    assert image.never_pulled_tags == 0, "what nobody recorded may have been a pull"
    assert image.idle_since == RECORDED_SINCE


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("count", [None, 0, 500])
def test_an_image_pushed_a_minute_ago_has_0_stale_tags_whatever_is_known_of_pulls(
    count: int | None,
    recorded: bool,  # noqa: FBT001 -- a parametrised case
) -> None:
    fresh = tag("latest", NOW - 60_000, ("sha256:a", 0))
    image = judged(fresh, pull_count=count, registry_records_pulls=recorded)
    assert (image.stale_tags, image.reclaimable, image.stale) == (0, 0, {"latest": False})


def test_where_records_contradict_the_count_after_that_day_the_rest_stays_unknown() -> None:
    old = tag("old", NOW - 400 * DAY, ("sha256:a", 0))
    fresh = tag("fresh", NOW - DAY, ("sha256:b", 0))
    image = judged(old, fresh, pull_count=7)
    assert image.stale == {"fresh": False}
    assert (image.stale_tags, image.reclaimable, image.never_pulled_tags) == (None, None, None)


@pytest.mark.parametrize(
    ("updated", "never"),
    [(RECORDED_SINCE - 1, 0), (RECORDED_SINCE, 1), (RECORDED_SINCE + 1, 1), (None, 0)],
)
def test_only_a_tag_of_after_that_day_is_known_never_to_have_been_pulled(
    updated: int | None, never: int
) -> None:
    assert judged(tag("v1", updated, ("sha256:a", 0))).never_pulled_tags == never


@pytest.mark.parametrize(
    ("updated", "pulled", "stale"),
    [
        (NOW - 90 * DAY, 0, False),
        (NOW - 90 * DAY - 1, 0, True),
        (NOW - 90 * DAY - 1, None, None),
        (NOW - 90 * DAY, None, False),
        (NOW - 400 * DAY, NOW - 90 * DAY, False),
        (NOW - 400 * DAY, NOW - 90 * DAY - 1, True),
        (None, 0, None),
        (None, NOW - 90 * DAY, False),
        (None, NOW - 91 * DAY, True),
        (RECORDED_SINCE - DAY, 0, True),
    ],
)
def test_stale_where_even_the_latest_use_is_too_old_and_not_where_the_earliest_is_young(
    updated: int | None,
    pulled: int | None,
    stale: bool | None,  # noqa: FBT001 -- a parametrised case
) -> None:
    image = judged(tag("v1", updated, ("sha256:a", pulled)))
    assert image.stale == ({} if stale is None else {"v1": stale})


def test_a_tag_of_long_before_that_day_is_not_yet_stale_on_the_day_after() -> None:
    old = tag("v1", RECORDED_SINCE - 1000 * DAY, ("sha256:a", 0))
    soon = RECORDED_SINCE + 30 * DAY
    image = summarize([old], policy_with(**KEEP_NONE), soon, Knowledge(registry_records_pulls=True))
    assert image.stale == {}


def test_a_kept_tag_is_not_stale_though_its_pulls_are_unknown() -> None:
    unknown = tag("latest", NOW - 400 * DAY, ("sha256:a", None))
    assert judged(unknown, keep_tags=("latest",)).stale == {"latest": False}


def test_a_pull_count_that_falls_to_0_contradicts_nothing() -> None:
    old = tag("old", NOW - 400 * DAY, ("sha256:a", 0))
    assert judged(old, pull_count=7).stale_tags is None
    assert judged(old, pull_count=0).stale_tags == 1


# --- what decides nothing ---


def test_manifests_of_unknown_are_no_platforms() -> None:
    assert not is_platform("unknown")
    assert is_platform("linux")
    assert is_platform(""), "an old answer that names none"


def test_ignored_tags_count_in_tags_and_size_and_are_otherwise_not_judged() -> None:
    cache = tag("buildcache", NOW, ("sha256:c", NOW))
    release = tag("v1", NOW - 400 * DAY, ("sha256:a", 0))
    image = judged(release, cache, ignore_tags=("*cache",), tag_size_limit=5, keep_recent=1)
    assert (image.tags, image.size) == (2, 20)
    assert (image.oversized_tags, image.stale_tags, image.tags_without_series) == (1, 0, 0)
    assert (image.updated, image.pulled) == (NOW - 400 * DAY, None)
    assert [fact.name for fact in image.exposed] == ["v1"], "and it takes no place of keep_recent"


def test_what_an_ignored_tag_refers_to_is_not_reclaimable() -> None:
    cache = tag("cache", NOW - 400 * DAY, ("sha256:a", 0))
    release = tag("v1", NOW - 400 * DAY, ("sha256:a", 0), ("sha256:b", 0))
    assert judged(release, cache, ignore_tags=("cache",)).reclaimable == 10


def test_the_use_of_an_ignored_name_is_use_of_the_content() -> None:
    cache = tag("cache", NOW, ("sha256:a", NOW))
    release = tag("v1", NOW - 400 * DAY, ("sha256:a", 0))
    found = sort_out([cache, release], ["cache"], believed=True)
    assert [fact.pulled for fact in found.judged] == [NOW]
