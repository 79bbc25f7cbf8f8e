"""Images as rows."""

from dataclasses import replace

import pytest

from ncr_exporter.inventory import Tag
from ncr_exporter.state.model import Failure, ImageState
from ncr_exporter.web.status.images import COLUMNS, ImageView, idle, matching_images, poll_status
from ncr_exporter.web.status.query import Query
from ncr_exporter.web.status.words import Span
from tests.support.scenes import DENIED, TIMED_OUT, House, outage, tags
from tests.support.states import DAY_MS, NOW, NOW_MS, platform, target

POLLED = NOW - 120
"""When the scenes' last poll was."""


def house_of(**outcomes: tuple[Tag, ...] | Failure) -> House:
    house = House()
    house.registry("my-registry")
    for name, outcome in outcomes.items():
        house.polled(target(name), outcome)
    return house


def names(house: House, query: Query) -> list[str]:
    return [state.target.name for state in matching_images(house.store.images.values(), query)]


def test_how_an_image_stands_in_a_word() -> None:
    house = house_of(good=tags(1), bad=DENIED)
    waiting = ImageState(target("waiting"))
    good, bad = house.store.images.values()
    states = (good, bad, waiting, bad.changed(gone=True), good.changed(gone=True))
    words = [poll_status(state) for state in states]
    assert words == ["working", "failing", "waiting", "missing", "gone"]


def test_idle_is_counted_up_to_the_last_good_poll() -> None:
    used = NOW_MS - 10 * DAY_MS
    house = house_of(app=(Tag("v1", platforms=(platform(pulled=used, updated=used),)),))
    (state,) = house.store.images.values()
    assert idle(state) == Span(POLLED - used / 1000)
    house.store.record_failure(state.target, TIMED_OUT, at=NOW + 1e6, duration=1.0)
    assert idle(house.store.images[state.target.key]) == Span(POLLED - used / 1000)


def idle_of(*listing: Tag) -> Span | None:
    house = house_of(app=listing)
    return idle(house.store.images["my-registry", "app"])


def test_where_nothing_is_known_of_pulls_nothing_is_called_unused() -> None:
    old = NOW_MS - 400 * DAY_MS
    assert idle_of(Tag("v1", last_updated=old, platforms=(platform(pulled=0),))) is None
    assert idle(ImageState(target("waiting"))) is None


def test_a_tag_of_unknown_use_does_not_hide_that_another_was_used_lately() -> None:
    """As in the demo: `runtime` is pulled every quarter of an hour, and has imports of old."""
    pulled = NOW_MS - 10 * DAY_MS
    used = Tag("1.4", platforms=(platform(pulled=pulled, updated=pulled),))
    unknown = Tag("0.1-import", last_updated=NOW_MS - 900 * DAY_MS)
    assert idle_of(used, unknown) == Span(POLLED - pulled / 1000, "up_to")


def test_of_an_image_from_before_pulls_were_recorded_only_a_bound_is_known() -> None:
    old = NOW_MS - 1800 * DAY_MS
    pulled = Tag("1.4", platforms=(platform(pulled=old, updated=old),))
    never = Tag("1.5", last_updated=old, platforms=(platform(pulled=0),))
    span = idle_of(pulled, never)
    assert span is not None
    assert span.bound == "at_least"
    assert span.seconds < 1800 * 86400


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
def test_every_column_sorts_what_is_known_and_what_is_not(column: object) -> None:
    house = house_of(small=tags(2, size=1), large=tags(40, idle=400.0), bad=DENIED)
    house.store.add(target("waiting"))
    key = next(each.key for each in COLUMNS if each is column)
    found = [names(house, Query(key, descending=down)) for down in (False, True)]
    assert sorted(found[0]) == sorted(found[1]) == ["bad", "large", "small", "waiting"]
    if key != "polled":  # all were polled at the same time
        known = [name for name in found[0] if name in {"small", "large"}]
        assert known == [name for name in found[1] if name in {"small", "large"}][::-1]
    assert found[1][-1] in {"waiting", "bad"}


def test_equal_values_are_in_the_order_of_their_names_in_either_direction() -> None:
    house = house_of(b=tags(3), a=tags(3), c=tags(3))
    assert (
        names(house, Query("tags"))
        == names(house, Query("tags", descending=True))
        == ["a", "b", "c"]
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query("name", text="MY-REG"), ["bad", "good", "old", "slow", "waiting"]),
        (Query("name", text="/o"), ["old"]),
        (Query("name", text="-registry/o"), ["old"]),
        (Query("name", text="nothing"), []),
        (Query("name", only="failing"), ["bad", "slow"]),
        (Query("name", only="permission"), ["bad"]),
        (Query("name", only="waiting"), ["waiting"]),
        (Query("name", only="missing"), []),
        (Query("name", only="gone"), []),
        (Query("name", only="stale"), ["old"]),
        (Query("name", only="nonsense"), []),
    ],
)
def test_finding(query: Query, found: list[str]) -> None:
    house = house_of(good=tags(2), old=tags(9, idle=400.0), bad=DENIED, slow=TIMED_OUT)
    house.store.add(target("waiting"))
    assert names(house, query) == found


def test_never_pulled_is_said_only_where_it_is_known() -> None:
    never = (Tag("v1", last_updated=NOW_MS, platforms=(platform(pulled=0),)),)
    house = house_of(app=never)
    (alone,) = house.store.images.values()
    assert ImageView(alone, None).never_pulled is False
    house.polled(target("web"), tags(2))
    assert ImageView(house.store.images["my-registry", "app"], None).never_pulled is True
    assert ImageView(house.store.images["my-registry", "web"], None).never_pulled is False


def test_a_row_holds_few_tags_whole_and_of_many_the_longest_unused() -> None:
    house = house_of(few=tags(10), many=tags(11), masses=tags(1001))
    shown = {
        name: [tag.name for tag in ImageView(house.store.images["my-registry", name], None).tags]
        for name in ("few", "many", "masses")
    }
    assert len(shown["few"]) == 10
    assert shown["few"][0] == "latest"
    assert len(shown["many"]) == 10
    assert "latest" not in shown["many"]
    assert shown["masses"] == []


def test_an_image_that_does_not_exist_is_found_by_its_own_word_alone() -> None:
    states = outage().store.images
    for only, found in (("missing", ["helo/world"]), ("gone", ["shop/old"]), ("not_found", [])):
        matching = matching_images(states.values(), Query("name", only=only))
        assert [state.target.name for state in matching] == found


def test_values_are_old_where_the_last_poll_has_brought_none() -> None:
    house = house_of(good=tags(1), bad=DENIED)
    house.polled(target("worse"), tags(1), DENIED)
    old = {
        state.target.name: ImageView(state, None).values_are_old
        for state in house.store.images.values()
    }
    assert old == {"good": False, "bad": False, "worse": True}


def test_what_to_pull_is_the_newest_tag_that_is_no_signature() -> None:
    signature = Tag(f"sha256-{'a' * 64}.sig", last_updated=NOW_MS, platforms=())
    house = house_of(app=(*tags(3), signature))
    state = house.store.images["my-registry", "app"]
    view = ImageView(state, None, "my-registry.example")
    assert view.reference() == "my-registry.example/app:latest"
    assert view.reference("1.298.0") == "my-registry.example/app:1.298.0"
    assert ImageView(state, None).reference() is None
    assert ImageView(ImageState(target("app")), None, "my-registry.example").reference() is None


def test_the_link_of_a_row_holds_any_name() -> None:
    row = ImageView(ImageState(target("a/b&c d?", "x#y")), None)
    assert row.href == "?registry=x%23y&image=a%2Fb%26c%20d%3F"
    assert replace(row, base=(("lang", "ko"),)).href == f"{row.href}&lang=ko"
