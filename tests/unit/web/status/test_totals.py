"""Sums over everything."""

from dataclasses import replace

from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.web.status.totals import failing_first, totals_of
from tests.support.scenes import DENIED, TIMED_OUT, House, empty, tags
from tests.support.states import registry_target, target


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
    assert (totals.staleness_is_known, totals.images_with_stale_tags) == (True, 1)
    assert totals.poll_statuses == {"working": 2, "failing": 1, "waiting": 1}
    assert totals.polled == {"one": 2, "two": 2}


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
    assert (totals.images, totals.listed, totals.staleness_is_known, totals.failures_by_images) == (
        0,
        0,
        False,
        [],
    )
    assert totals_of([ImageState(target("waiting"))]).staleness_is_known is False


def test_registries_that_cannot_be_listed_come_first() -> None:
    states = [RegistryState(registry_target(name)) for name in ("c", "a", "b")]
    states[0] = replace(states[0], failure=DENIED)
    assert [state.target.label for state in failing_first(states)] == ["c", "a", "b"]
