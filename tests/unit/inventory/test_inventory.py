"""What the tags of one listing amount to. Every edge that could mislead has its name here."""

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.inventory import (
    ImageSummary,
    Knowledge,
    Platform,
    Tag,
    records_pulls,
    summarize,
)
from tests.support.states import policy_with

DAY = 86_400_000
NOW = 1_760_000_000_000


def platform(**fields: Any) -> Platform:
    return Platform(**fields)


def summarized(
    *tags: Tag,
    pulls_recorded: bool = True,
    pull_count: int | None = None,
    now: int = NOW,
    **policy: Any,
) -> ImageSummary:
    knowledge = Knowledge(registry_records_pulls=pulls_recorded, pull_count=pull_count)
    return summarize(tags, policy_with(**policy), now, knowledge)


# --- sizes ---


def test_a_tags_size_is_its_largest_platforms_and_never_a_sum_of_platforms() -> None:
    tag = Tag("v1", full_size=50, platforms=(platform(size=50), platform(size=60)))
    assert tag.size == 60
    assert Tag("v1", full_size=70, platforms=tag.platforms).size == 70, "at least full_size"


def test_a_large_platform_beside_a_small_amd64_image_makes_the_tag_oversized() -> None:
    sizes = (300_000_000, 2_000_000_000)
    multi = Tag("v1", full_size=sizes[0], platforms=tuple(platform(size=size) for size in sizes))
    image = summarized(multi, tag_size_limit=1_000_000_000)
    assert (image.oversized_tags, image.largest_tag_size) == (1, sizes[1])
    assert image.newest_tag_size is None, "nothing tells when it was updated"


@pytest.mark.parametrize("full_size", [None, 0])
def test_without_a_full_size_the_largest_platform_stands_for_the_tag(full_size: int | None) -> None:
    tag = Tag("v1", full_size=full_size, platforms=(platform(size=50), platform(size=60)))
    assert tag.size == 60


@pytest.mark.parametrize("platforms", [(), (platform(size=0),), (platform(),)])
def test_a_size_that_nobody_knows_is_absent_and_not_0(platforms: tuple[Platform, ...]) -> None:
    assert Tag("v1", full_size=0, platforms=platforms).size is None


def test_an_images_bytes_count_each_platform_digest_once_over_all_tags() -> None:
    shared = platform(digest="sha256:a", size=100)
    image = summarized(
        Tag("latest", full_size=100, platforms=(shared,)),
        Tag("1.4.2", full_size=100, platforms=(shared, platform(digest="sha256:b", size=30))),
    )
    assert image.size == 130


def test_platforms_without_a_digest_count_each_by_themselves() -> None:
    image = summarized(
        Tag("a", platforms=(platform(size=10), platform(size=10))),
        Tag("b", platforms=(platform(size=10),)),
    )
    assert image.size == 30


def test_a_tag_without_platforms_counts_by_its_full_size() -> None:
    image = summarized(Tag("a", full_size=7), Tag("b", platforms=(platform(size=5),)))
    assert image.size == 12


@pytest.mark.parametrize("sizes", [(None, 9), (9, None), (5, 9), (9, 5), (0, 9), (9, 0)])
def test_a_digest_is_as_large_as_the_largest_record_of_it_says(
    sizes: tuple[int | None, ...],
) -> None:
    records = [platform(digest="sha256:a", size=size) for size in sizes]
    tags = [Tag(f"v{n}", platforms=(record,)) for n, record in enumerate(records)]
    assert summarized(*tags).size == 9


def test_an_image_whose_sizes_are_all_unknown_has_no_size() -> None:
    assert summarized(Tag("a"), Tag("b", platforms=(platform(),))).size is None


def test_an_image_without_tags_has_0_tags_and_0_bytes() -> None:
    image = summarized()
    assert (image.tags, image.size, image.never_pulled_tags) == (0, 0, 0)
    assert image.largest_tag_size is None
    assert image.newest_tag_size is None
    assert (image.pulled, image.updated, image.used) == (None, None, None)


def test_the_newest_tag_is_the_most_recently_updated_one() -> None:
    image = summarized(
        Tag("z", full_size=1, last_updated=NOW - DAY),
        Tag("a", full_size=2, last_updated=NOW),
        Tag("m", full_size=3),
    )
    assert image.newest_tag_size == 2
    assert image.largest_tag_size == 3


def test_without_any_update_time_no_tag_is_the_newest() -> None:
    assert summarized(Tag("a", full_size=5)).newest_tag_size is None


def test_the_newest_tag_is_not_the_first_by_name_and_one_without_a_time_is_older_than_any() -> None:
    image = summarized(
        Tag("a", full_size=1, last_updated=NOW - DAY),
        Tag("b", full_size=2),
        Tag("c", full_size=3, last_updated=NOW),
    )
    assert image.newest_tag_size == 3


def test_a_record_that_tells_nothing_leaves_everything_unknown() -> None:
    assert Platform() == Platform(None, "", "", "", None, None, None)
    assert Tag("v1") == Tag("v1", None, None, None, ())


# --- times ---


def test_an_image_was_pulled_and_updated_when_one_of_its_tags_last_was() -> None:
    image = summarized(
        Tag("a", last_updated=NOW - 9 * DAY, platforms=(platform(pulled=NOW - 2 * DAY),)),
        Tag("b", last_updated=NOW - 3 * DAY, platforms=(platform(pulled=0),)),
        Tag("c"),
    )
    assert (image.pulled, image.updated) == (NOW - 2 * DAY, NOW - 3 * DAY)
    assert image.used == NOW - 2 * DAY


@pytest.mark.parametrize(
    ("pulled", "recorded", "known"),
    [(NOW, True, True), (NOW, False, True), (0, True, True), (0, False, False)],
    ids=["a time", "a time, the first of its registry", "never", "a 0 that may be anything"],
)
def test_how_long_an_image_is_unused_is_known_by_a_time_or_where_never_is_believed(
    pulled: int,
    recorded: bool,  # noqa: FBT001 -- a parametrised case
    known: bool,  # noqa: FBT001 -- likewise
) -> None:
    tag = Tag("v1", last_updated=NOW, platforms=(platform(pulled=pulled),))
    assert (summarized(tag, pulls_recorded=recorded).idle_since is not None) is known


def test_of_a_registry_and_an_image_that_nobody_told_of_nothing_is_believed() -> None:
    never = (Tag("v1", platforms=(platform(pulled=0),)),)
    assert not Knowledge().trusts(never)
    assert Knowledge(registry_records_pulls=True).trusts(never)


def test_an_image_that_was_pulled_and_has_no_tags_left_has_0_of_everything() -> None:
    image = summarized(pull_count=7)
    assert (image.never_pulled_tags, image.stale_tags, image.reclaimable) == (0, 0, 0)


def test_a_tag_was_pulled_when_its_last_pulled_platform_was() -> None:
    tag = Tag("v1", platforms=(platform(pulled=NOW - DAY), platform(pulled=NOW), platform()))
    assert tag.pulled == NOW


def test_a_tag_was_never_pulled_when_every_platform_says_so() -> None:
    assert Tag("v1", platforms=(platform(pulled=0), platform(pulled=0))).pulled == 0


@pytest.mark.parametrize(
    "platforms", [(), (platform(),), (platform(pulled=0), platform(pulled=None))]
)
def test_null_missing_and_no_platforms_are_unknown_and_not_never(
    platforms: tuple[Platform, ...],
) -> None:
    tag = Tag("v1", last_updated=NOW, platforms=platforms)
    assert tag.pulled is None
    assert summarized(tag).never_pulled_tags == 0


def test_a_missing_update_time_is_taken_from_the_platforms() -> None:
    tag = Tag("v1", platforms=(platform(updated=NOW - DAY), platform(updated=NOW)))
    assert tag.updated == NOW
    assert Tag("v1", last_updated=5 * DAY, platforms=tag.platforms).updated == 5 * DAY


def test_a_new_image_that_nobody_pulled_yet_was_used_when_it_was_pushed() -> None:
    image = summarized(Tag("v1", last_updated=NOW, platforms=(platform(pulled=0),)))
    assert image.pulled is None
    assert image.used == NOW


def test_never_means_never_only_where_the_registry_records_pulls() -> None:
    record = platform(pulled=0, updated=NOW)
    tags = (Tag("v1", platforms=(record,)), Tag("v2", platforms=(record,)))
    assert summarized(*tags, pulls_recorded=True).never_pulled_tags == 2
    assert summarized(*tags, pulls_recorded=False).never_pulled_tags is None


def test_a_registry_records_pulls_once_some_record_has_a_time() -> None:
    assert not records_pulls([Tag("v1", platforms=(platform(pulled=0), platform()))])
    assert records_pulls([Tag("v1"), Tag("v2", platforms=(platform(pulled=NOW),))])


# --- which tags get series ---

FLEET = [
    Tag(
        f"v{i:03}",
        full_size=1000 - i,
        last_updated=NOW - i * DAY,
        platforms=(platform(pulled=NOW - i * DAY),),
    )
    for i in range(100)
]


def names(*tags: Tag, **policy: Any) -> list[str]:
    return [tag.name for tag in summarized(*tags, **policy).exposed]


def test_the_newest_and_the_longest_unused_tags_get_series() -> None:
    assert names(*FLEET, tag_series=2) == ["v000", "v001", "v098", "v099"]
    assert summarized(*FLEET, tag_series=2).tags_without_series == 96


def test_the_largest_tags_get_series_when_asked_for() -> None:
    assert names(*reversed(FLEET), tag_series=3, tag_series_by=("size",)) == [
        "v000",
        "v001",
        "v002",
    ]


def test_names_do_not_decide_which_tags_are_newest_or_largest() -> None:
    tags = [
        Tag("a", full_size=10, last_updated=NOW - 2 * DAY),
        Tag("b", full_size=30, last_updated=NOW - DAY),
        Tag("c", full_size=20, last_updated=NOW),
    ]
    assert names(*tags, tag_series=1, tag_series_by=("updated",)) == ["c"]
    assert names(*tags, tag_series=1, tag_series_by=("size",)) == ["b"]


def test_a_tag_of_unknown_size_or_update_pushes_out_none_of_those_that_are_known() -> None:
    unknown, known = Tag("a"), Tag("b", full_size=1, last_updated=DAY)
    assert names(unknown, known, tag_series=1, tag_series_by=("updated",)) == ["b"]
    assert names(unknown, known, tag_series=1, tag_series_by=("size",)) == ["b"]


def test_a_cap_of_0_exposes_no_tag_and_no_cap_exposes_all() -> None:
    assert names(*FLEET, tag_series=0) == []
    assert names(*FLEET, tag_series=None) == [tag.name for tag in FLEET]
    assert summarized(*FLEET, tag_series=None).tags_without_series == 0


def test_a_tag_chosen_twice_is_exposed_once() -> None:
    assert names(FLEET[0], tag_series=5) == ["v000"]


def test_tags_whose_use_is_unknown_do_not_push_out_the_longest_unused() -> None:
    unknown = [Tag(f"u{i}", last_updated=NOW - 400 * DAY) for i in range(5)]
    assert names(*unknown, *FLEET, tag_series=1, tag_series_by=("idle",)) == ["v099"]


def test_a_never_pulled_tag_is_idle_since_its_push() -> None:
    pushed = Tag("new", last_updated=NOW, platforms=(platform(pulled=0),))
    old = Tag("old", last_updated=NOW - DAY, platforms=(platform(pulled=0),))
    assert names(pushed, old, tag_series=1, tag_series_by=("idle",)) == ["old"]


platforms = st.builds(
    Platform,
    digest=st.none() | st.sampled_from(["sha256:a", "sha256:b", "sha256:c"]),
    size=st.none() | st.integers(0, 100),
    pulled=st.none() | st.just(0) | st.integers(1, 100),
    updated=st.none() | st.integers(1, 100),
)
tags_strategy = st.lists(
    st.builds(
        Tag,
        name=st.text("abcdef", min_size=1, max_size=3),
        full_size=st.none() | st.integers(0, 100),
        last_updated=st.none() | st.integers(1, 100),
        platforms=st.lists(platforms, max_size=3).map(tuple),
    ),
    max_size=8,
    unique_by=lambda tag: tag.name,
)


@given(tags_strategy, st.randoms(use_true_random=False))
def test_the_order_of_a_listing_changes_nothing(tags: list[Tag], random: Any) -> None:
    shuffled = tags.copy()
    random.shuffle(shuffled)
    assert summarized(*tags, tag_series=2) == summarized(*shuffled, tag_series=2)


@given(tags_strategy)
def test_an_image_is_never_smaller_than_its_largest_platform_nor_larger_than_all(
    tags: list[Tag],
) -> None:
    image = summarized(*tags)
    records = [p.size for t in tags for p in t.platforms if p.size is not None]
    records += [t.full_size for t in tags if not t.platforms and t.full_size is not None]
    assert (image.size or 0) <= sum(records)
    assert (image.size or 0) >= max(records, default=0)


# --- staleness ---


def aged(name: str, days: float, *, pulled_days: float | None = None, **fields: Any) -> Tag:
    """Return a tag updated, and where given pulled, so many days ago; else never pulled."""
    pulled = 0 if pulled_days is None else NOW - round(pulled_days * DAY)
    record = platform(digest=f"sha256:{name}", size=10, pulled=pulled)
    given = {"full_size": 10, "last_updated": NOW - round(days * DAY), "platforms": (record,)}
    return Tag(name, **{**given, **fields})


KEEP_NONE: dict[str, Any] = {"keep_recent": 0, "keep_tags": ()}


def stale_names(*tags: Tag, **options: Any) -> set[str]:
    image = summarized(*tags, **{**KEEP_NONE, "tag_series": None, **options})
    stale = {name for name, is_stale in image.stale.items() if is_stale}
    assert image.stale_tags == len(stale)
    return stale


def test_a_tag_neither_pulled_nor_updated_for_long_is_stale() -> None:
    assert stale_names(aged("old", 91), aged("fresh", 89)) == {"old"}


def test_exactly_the_threshold_is_not_yet_stale() -> None:
    edge = aged("edge", 90)
    assert stale_names(edge) == set()
    assert stale_names(edge, now=NOW + 1) == {"edge"}


def test_an_old_tag_that_was_pulled_lately_is_not_stale() -> None:
    assert stale_names(aged("old", 400, pulled_days=5)) == set()


def test_a_tag_pushed_yesterday_and_never_pulled_is_not_stale() -> None:
    assert stale_names(aged("new", 1)) == set()


def test_an_old_tag_that_was_never_pulled_is_stale() -> None:
    assert stale_names(aged("forgotten", 400)) == {"forgotten"}


@pytest.mark.parametrize(
    "platforms", [(), (platform(pulled=None),), (platform(pulled=0), platform(pulled=None))]
)
def test_a_tag_whose_pulls_are_unknown_is_not_stale_and_nothing_is_said_of_it(
    platforms: tuple[Platform, ...],
) -> None:
    tag = Tag("unknown", last_updated=NOW - 400 * DAY, platforms=platforms)
    image = summarized(tag, **KEEP_NONE)
    assert (image.stale_tags, image.reclaimable, image.stale) == (0, 0, {})


def test_a_tag_without_any_time_is_unknown() -> None:
    tag = Tag("timeless", platforms=(platform(pulled=0),))
    image = summarized(tag, **KEEP_NONE)
    assert (image.stale_tags, image.stale) == (0, {})


def test_one_platform_pulled_lately_keeps_the_tag() -> None:
    records = (platform(pulled=0), platform(pulled=NOW - 5 * DAY))
    tag = Tag("multi", last_updated=NOW - 400 * DAY, platforms=records)
    assert stale_names(tag) == set()


def test_an_unknown_platform_beside_one_pulled_long_ago_does_not_hide_the_age() -> None:
    records = (platform(pulled=None), platform(pulled=NOW - 300 * DAY))
    tag = Tag("multi", last_updated=NOW - 400 * DAY, platforms=records)
    assert stale_names(tag) == {"multi"}


def test_the_most_recently_updated_tags_are_kept_however_old() -> None:
    tags = [aged(f"v{i}", 400 + i) for i in range(5)]
    assert stale_names(*tags, keep_recent=3) == {"v3", "v4"}
    assert stale_names(*tags, keep_recent=9) == set()


def test_tags_that_keep_tags_names_are_kept() -> None:
    tags = [aged("latest", 400), aged("release-1", 400), aged("Release-2", 400), aged("x", 400)]
    assert stale_names(*tags, keep_tags=("latest", "release-*")) == {"Release-2", "x"}


def test_a_kept_tag_is_shown_as_not_stale() -> None:
    image = summarized(aged("latest", 400), keep_recent=0, keep_tags=("latest",))
    assert image.stale == {"latest": False}


def test_never_turns_staleness_off_and_publishes_none_of_it() -> None:
    image = summarized(aged("old", 400), **KEEP_NONE, stale_after=inf)
    assert (image.stale_tags, image.reclaimable, image.stale) == (None, None, {})
    assert image.never_pulled_tags == 1, "what nobody pulled is known all the same"


def test_where_the_registry_records_no_pull_nothing_is_called_stale() -> None:
    image = summarized(aged("old", 400), **KEEP_NONE, pulls_recorded=False)
    assert (image.never_pulled_tags, image.stale_tags, image.reclaimable) == (None, None, None)
    assert image.stale == {}


def test_where_the_image_was_pulled_but_no_tag_shows_it_nothing_is_called_stale() -> None:
    image = summarized(aged("old", 400), **KEEP_NONE, pull_count=7)
    assert (image.never_pulled_tags, image.stale_tags, image.reclaimable) == (None, None, None)
    assert summarized(aged("old", 400), **KEEP_NONE, pull_count=0).stale_tags == 1
    assert summarized(aged("old", 400), **KEEP_NONE, pull_count=None).stale_tags == 1
    pulled = aged("pulled", 400, pulled_days=300)
    assert summarized(aged("old", 400), pulled, **KEEP_NONE, pull_count=7).stale_tags == 2


def test_a_clock_behind_the_registrys_makes_nothing_stale() -> None:
    assert stale_names(aged("old", 100), now=NOW - 500 * DAY) == set()


# --- reclaimable ---


def test_reclaimable_are_the_bytes_that_only_stale_tags_refer_to() -> None:
    image = summarized(aged("old", 400), aged("fresh", 1), **KEEP_NONE)
    assert (image.size, image.reclaimable) == (20, 10)


def test_a_platform_shared_by_a_stale_and_a_live_tag_is_not_reclaimable() -> None:
    shared = (platform(digest="sha256:shared", size=10, pulled=0),)
    image = summarized(
        aged("old", 400, platforms=shared), aged("fresh", 1, platforms=shared), **KEEP_NONE
    )
    assert (image.stale_tags, image.reclaimable) == (1, 0)


def test_a_platform_shared_with_a_tag_of_unknown_use_is_not_reclaimable() -> None:
    shared = platform(digest="sha256:shared", size=10, pulled=0)
    unknown = Tag("unknown", platforms=(shared, platform(pulled=None)))
    image = summarized(aged("old", 400, platforms=(shared,)), unknown, **KEEP_NONE)
    assert (image.stale_tags, image.reclaimable) == (1, 0)


def test_a_platform_shared_by_stale_tags_is_reclaimable_once() -> None:
    shared = (platform(digest="sha256:shared", size=10, pulled=0),)
    tags = [aged(name, 400, platforms=shared) for name in ("a", "b")]
    assert summarized(*tags, **KEEP_NONE).reclaimable == 10


def test_records_without_a_digest_are_reclaimable_each() -> None:
    loose = (platform(size=10, pulled=0), platform(size=5, pulled=0))
    assert summarized(aged("old", 400, platforms=loose), **KEEP_NONE).reclaimable == 15


def test_a_record_without_a_digest_is_reclaimable_beside_one_of_a_live_tag() -> None:
    stale = aged("old", 400, platforms=(platform(size=10, pulled=0),))
    live = aged("fresh", 1, platforms=(platform(size=5, pulled=0),))
    assert summarized(stale, live, **KEEP_NONE).reclaimable == 10


def test_nothing_stale_makes_0_bytes_reclaimable() -> None:
    assert summarized(aged("fresh", 1), **KEEP_NONE).reclaimable == 0


def test_stale_tags_without_a_known_size_leave_reclaimable_unknown() -> None:
    unsized = (platform(digest="sha256:a", pulled=0),)
    assert summarized(aged("old", 400, platforms=unsized), **KEEP_NONE).reclaimable is None


@given(tags_strategy)
def test_reclaimable_is_never_more_than_the_image(tags: list[Tag]) -> None:
    image = summarized(*tags, **KEEP_NONE, stale_after=0.01)
    assert (image.reclaimable or 0) <= (image.size or 0)


SIZES = {"sha256:a": 10, "sha256:b": 20, "sha256:c": 40, "sha256:d": 80}
sized_tags = st.lists(
    st.builds(
        Tag,
        name=st.text("abcdef", min_size=1, max_size=3),
        last_updated=st.none() | st.integers(1, 100),
        platforms=st.lists(
            st.builds(
                lambda digest, pulled: platform(digest=digest, size=SIZES[digest], pulled=pulled),
                st.sampled_from(sorted(SIZES)),
                st.none() | st.just(0) | st.integers(1, 100),
            ),
            max_size=3,
        ).map(tuple),
    ),
    max_size=8,
    unique_by=lambda tag: tag.name,
)


@given(sized_tags)
def test_deleting_the_stale_tags_would_free_what_is_called_reclaimable(tags: list[Tag]) -> None:
    image = summarized(*tags, **KEEP_NONE, stale_after=0.05, now=100, tag_series=None)
    left = [tag for tag in tags if not image.stale.get(tag.name)]
    assert (image.size or 0) - (summarized(*left).size or 0) == image.reclaimable


# --- limits ---


def test_tags_larger_than_the_limit_are_oversized() -> None:
    tags = [Tag("small", full_size=10), Tag("large", full_size=11), Tag("unknown")]
    assert summarized(*tags, tag_size_limit=10).oversized_tags == 1
    assert summarized(*tags).oversized_tags is None


def test_a_tag_of_unknown_size_is_oversized_by_no_limit() -> None:
    assert summarized(Tag("unknown"), tag_size_limit=0).oversized_tags == 0
