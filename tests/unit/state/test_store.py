"""The images in force: replaced whole, and never by less than a complete listing."""

from dataclasses import replace

from ncr_exporter.inventory import Tag
from ncr_exporter.metrics.rendering import render
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.state.model import Failure
from ncr_exporter.state.store import Store
from tests.support.states import NOW, NOW_MS, platform, recorder, target

APP = target("app")
FAILURE = Failure("server", "HTTP 500", "wait")


def pulled(at: int) -> tuple[Tag, ...]:
    return (Tag("v1", last_updated=NOW_MS, platforms=(platform(pulled=at),)),)


def test_before_the_first_poll_nothing_is_known() -> None:
    store, _ = recorder()
    store.add(APP)
    state = store.images[APP.key]
    assert (state.up, state.image, state.last_success, state.polls) == (None, None, None, 0)


def test_a_success_puts_the_whole_listing_in_force_at_once() -> None:
    store, told = recorder()
    store.add(APP)
    store.commit(APP, pulled(NOW_MS), at=NOW, duration=0.5)
    state = told.images[-1]
    assert (state.up, state.last_success, state.duration, state.polls) == (True, NOW, 0.5, 1)
    assert state.image is not None
    assert state.image.pulled == NOW_MS
    assert len(told.images) == 2


def test_a_failure_leaves_the_last_good_listing_standing() -> None:
    store, _ = recorder()
    store.add(APP)
    store.commit(APP, pulled(NOW_MS), at=NOW, duration=0.5)
    good = store.images[APP.key]
    store.record_failure(APP, FAILURE, at=NOW + 60, duration=2.0)
    bad = store.images[APP.key]
    assert bad.image is good.image
    assert (bad.up, bad.last_success, bad.failure) == (False, NOW, FAILURE)
    assert (bad.polls, bad.failures) == (2, 1)


def test_a_success_after_failures_heals() -> None:
    store, _ = recorder()
    store.add(APP)
    store.record_failure(APP, FAILURE, at=NOW + 60, duration=2.0)
    store.commit(APP, pulled(NOW_MS), at=NOW, duration=0.5)
    state = store.images[APP.key]
    assert (state.up, state.failure, state.polls, state.failures) == (True, None, 2, 1)


def test_a_failure_before_any_success_publishes_no_listing() -> None:
    store, _ = recorder()
    store.add(APP)
    store.record_failure(APP, FAILURE, at=NOW + 60, duration=2.0)
    assert store.images[APP.key].image is None


def never_pulled(store: Store, image: str, registry: str = "my-registry") -> int | None:
    state = store.images[registry, image]
    return state.image.never_pulled_tags if state.image else None


def test_never_is_believed_of_all_images_once_one_of_the_registry_shows_a_pull() -> None:
    store, told = recorder()
    for image in ("app", "web"):
        store.add(target(image))
    store.commit(APP, pulled(0), at=NOW, duration=0.1)
    assert never_pulled(store, "app") is None
    store.commit(target("web"), pulled(NOW_MS), at=NOW, duration=0.1)
    exhaust(store.review_pulls("my-registry"))
    assert never_pulled(store, "app") == 1
    assert told.images[-1].target == APP, "what changed is told"


def test_pulls_of_one_registry_say_nothing_of_another() -> None:
    store, _ = recorder()
    other = target("app", registry="other")
    store.add(APP)
    store.add(other)
    store.commit(APP, pulled(NOW_MS), at=NOW, duration=0.1)
    store.commit(other, pulled(0), at=NOW, duration=0.1)
    assert never_pulled(store, "app", "other") is None


def test_judging_an_image_anew_is_no_poll() -> None:
    store, _ = recorder()
    store.add(APP)
    store.add(target("web"))
    store.commit(APP, pulled(0), at=NOW, duration=0.1)
    before = store.images[APP.key]
    store.commit(target("web"), pulled(NOW_MS), at=NOW + 60, duration=0.1)
    exhaust(store.review_pulls("my-registry"))
    after = store.images[APP.key]
    assert (after.polls, after.last_success) == (before.polls, before.last_success)


def test_the_last_five_polls_are_remembered_the_newest_first() -> None:
    store, _ = recorder()
    store.add(APP)
    for number in range(7):
        if number % 2:
            store.record_failure(APP, FAILURE, at=NOW + number, duration=2.0)
        else:
            store.commit(APP, pulled(NOW_MS), at=NOW + number, duration=0.5)
    recent = store.images[APP.key].recent
    assert [poll.at - NOW for poll in recent] == [6, 5, 4, 3, 2]
    assert [poll.duration for poll in recent] == [0.5, 2.0, 0.5, 2.0, 0.5]
    assert [poll.failure for poll in recent] == [None, FAILURE, None, FAILURE, None]


def test_a_failure_that_repeats_itself_is_kept_once() -> None:
    store, _ = recorder()
    store.add(APP)
    for number in range(3):
        store.record_failure(APP, replace(FAILURE), at=NOW + number, duration=2.0)
    assert len({id(poll.failure) for poll in store.images[APP.key].recent}) == 1


def test_a_successful_poll_of_the_same_listing_changes_no_value_but_its_own() -> None:
    store, told = recorder()
    store.add(APP)
    for number in range(2):
        store.commit(APP, pulled(NOW_MS), at=NOW + number, duration=0.5)
    first, second = (b"".join(exhaust(render(state)).blocks).decode() for state in told.images[-2:])
    differing = {
        before.split("{")[0]
        for before, after in zip(first.splitlines(), second.splitlines(), strict=True)
        if before != after
    }
    assert differing == {"ncr_image_polls_total", "ncr_image_last_success_timestamp_seconds"}
