"""Sums over everything."""

from dataclasses import replace

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.pages import ListedImage
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.state.model import Description, ImageState, RegistryState
from ncr_exporter.web.status.totals import RegistryView, Totals, registry_views, totals_of
from tests.support.scenes import (
    DENIED,
    NOT_FOUND,
    TIMED_OUT,
    House,
    empty,
    outage,
    registries,
    tags,
)
from tests.support.states import NOW, platform, registry_target, target


def test_what_is_known_is_summed_and_what_is_not_is_left_out() -> None:
    house = House()
    for registry in ("one", "two"):
        house.registry(registry)
    house.polled(target("new", "one"), tags(4, size=100))
    house.polled(target("old", "one"), tags(9, idle=400.0, size=1000))
    house.polled(target("bad", "two"), DENIED)
    house.store.add(target("waiting", "two"))
    states = list(house.store.images.values())
    totals = totals_of(states)
    known = [state.image for state in states if state.image]
    assert (totals.images, totals.listed, totals.tags) == (4, 2, 13)
    assert totals.size == sum(image.size or 0 for image in known)
    assert totals.stale_tags == sum(image.stale_tags or 0 for image in known) > 0
    assert totals.reclaimable == sum(image.reclaimable or 0 for image in known) > 0
    assert totals.images_with_stale_tags == 1
    assert totals.poll_statuses == {"working": 2, "failing": 1, "waiting": 1}
    assert {label: each.polled for label, each in totals.registries.items()} == {"one": 2, "two": 2}


def test_failures_are_put_together_by_their_reason_the_commonest_first() -> None:
    house = House()
    house.registry("my-registry")
    other = replace(DENIED, message="HTTP 403")
    for name, failure in (("a", TIMED_OUT), ("b", DENIED), ("c", other)):
        house.polled(target(name), failure)
    failures_by_images = totals_of(house.store.images.values()).failures_by_images
    assert [(group.failure, group.images) for group in failures_by_images] == [
        (DENIED, 2),
        (TIMED_OUT, 1),
    ]


def test_nothing_adds_up_to_nothing() -> None:
    totals = totals_of(empty().store.images.values())
    assert (totals.images, totals.listed, totals.failures_by_images) == (0, 0, [])


def test_a_sum_of_which_nothing_is_known_is_unknown_and_not_0() -> None:
    for totals in (totals_of([]), totals_of([ImageState(target("waiting"))])):
        sums = (totals.tags, totals.size, totals.stale_tags, totals.reclaimable)
        assert sums == (None, None, None, None)
    house = House()
    house.registry("my-registry")
    house.polled(target("app", keep_recent=0), (Tag("v1", platforms=(platform(pulled=None),)),))
    totals = totals_of(house.store.images.values())
    assert (totals.tags, totals.size, totals.stale_tags) == (1, None, None)


def test_failing_missing_and_gone_add_up_to_what_cannot_be_polled() -> None:
    totals = totals_of(outage().store.images.values())
    assert totals.poll_statuses == {"failing": 3, "missing": 1, "gone": 1, "waiting": 1}
    assert totals.broken == 5
    groups = [(group.only, group.images) for group in totals.failures_by_images]
    assert groups == [("connection", 3), ("gone", 1), ("missing", 1)]
    assert sum(images for _, images in groups) == totals.broken


# Registries


def views_of(house: House) -> dict[str, RegistryView]:
    totals = totals_of(house.store.images.values())
    views = registry_views(house.store.registries.values(), totals)
    return {view.state.target.label: view for view in views}


def test_registries_that_cannot_be_listed_come_first() -> None:
    states = [RegistryState(registry_target(name)) for name in ("c", "a", "b")]
    states[0] = replace(states[0], failure=DENIED)
    views = registry_views(states, Totals())
    assert [view.state.target.label for view in views] == ["c", "a", "b"]


def test_of_what_a_registry_lists_only_listed_images_count_as_polled() -> None:
    view = views_of(outage())["my-registry"]
    assert (view.polled_of, view.totals.listed, view.totals.polled) == (5, 4, 6)


def test_before_a_list_has_told_of_every_image_none_is_counted_of_it() -> None:
    house = House()
    house.registry("my-registry", images=3)
    house.store.add(target("app"))
    assert views_of(house)["my-registry"].polled_of is None
    exhaust(house.store.record_image_list("my-registry", {"app": ListedImage("app")}, at=NOW))
    assert views_of(house)["my-registry"].polled_of == 1
    exhaust(house.store.record_image_list("my-registry", {}, at=NOW))
    assert views_of(house)["my-registry"].polled_of is None, "an empty list is not believed yet"


def test_a_registry_that_is_not_known_to_exist_has_no_host() -> None:
    house = House()
    house.registry("my-registry")
    assert views_of(house)["my-registry"].hosts == ()
    house.store.record_list_failure("my-registry", DENIED)
    assert views_of(house)["my-registry"].hosts == ()
    house.polled(target("app"), tags(1))
    assert views_of(house)["my-registry"].host == "my-registry.kr.ncr.ntruss.com"
    assert views_of(outage())["my-registri"].host is None


def test_a_list_that_is_not_found_any_more_takes_the_host_away() -> None:
    house = House()
    house.registry("my-registry", images=1)
    assert views_of(house)["my-registry"].host == "my-registry.kr.ncr.ntruss.com"
    house.store.record_list_failure("my-registry", NOT_FOUND)
    assert views_of(house)["my-registry"].hosts == ()


def test_references_use_the_public_host_where_there_is_one() -> None:
    house = House()
    house.registry("my-registry", images=1)
    for hosts, host in (
        ((("private.example", "private"), ("public.example", "public")), "public.example"),
        ((("private.example", "private"),), "private.example"),
    ):
        house.store.record_description("my-registry", Description(NOW, hosts, public=False))
        assert views_of(house)["my-registry"].host == host


def test_patterns_that_match_nothing_are_named() -> None:
    view = views_of(registries())["mistyped"]
    assert [idle.pattern for idle in view.idle_globs] == ["shpo/*"]
    assert [idle.pattern for idle in view.idle_excludes] == ["*/cahce"]
