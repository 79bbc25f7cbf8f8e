"""`relist_after`: polls that the image list answers, because nothing was pushed or pulled."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.typing import EventDict

from ncr_exporter.config import Api
from ncr_exporter.ncr.odd_counts import READINGS_DOUBTED
from ncr_exporter.simulator.faults import Fault, fault_named
from ncr_exporter.state.frames import image_frame, registry_frame
from ncr_exporter.state.saved import SavedState
from ncr_exporter.targets.targets import RegistryListTarget, Timing
from tests.support.api_client import tag
from tests.support.clock import ManualClock, passing
from tests.support.polling import INTERVAL, Polling, choosing, events, polling_of, published_of
from tests.support.states import ACCOUNT, read_frames, rule
from tests.support.versions import at, spoken

pytestmark = pytest.mark.usefixtures("version")

V3_ONLY = pytest.mark.parametrize("version", ["v3"], indirect=True)
"""For the last pull in the image list, which version 2 has not."""

DAY = 86_400.0
HOURS = 3_600_000


def every(relist_after: float | None = DAY, **policy: object) -> RegistryListTarget:
    """Return a target of all images, whose tags are listed once in `relist_after` seconds."""
    return choosing(rule("*", Timing(INTERVAL, 3 * DAY, relist_after), **policy))


async def begun(polling: Polling, target: RegistryListTarget) -> None:
    """Poll everything, and then until every image was listed under a list of before."""
    await polling.first_round(target)
    await polling.intervals(1)


def image_list() -> str:
    """Return what the target of a request for the image list contains, and no other has."""
    return at(spoken(), "my-registry?")


def list_requests(polling: Polling) -> list[str]:
    """Return the targets of all requests for the image list so far."""
    return [seen.target for seen in polling.registry.requests if image_list() in seen.target]


WITHOUT_PULLS = Fault(
    "without-pulls",
    "",
    relist=lambda records, _: [
        {key: value for key, value in record.items() if key != "lastPulledDateTime"}
        for record in records
    ],
)


async def quiet(polling: Polling, intervals: int) -> list[str]:
    """Let intervals pass and return the images whose tags were asked for meanwhile."""
    before = len(polling.asked)
    await polling.intervals(intervals)
    return polling.asked[before:]


async def test_what_nobody_pushed_or_pulled_is_not_listed_again(polling: Polling) -> None:
    await begun(polling, every())
    before = polling.state("app").unchanged
    assert await quiet(polling, 5) == []
    state = polling.state("app")
    assert (state.polls, state.unchanged - before, state.failures, state.up) == (7, 5, 0, True)
    assert published_of(polling, "app")["ncr_image_unchanged_polls_total"] == state.unchanged


MANY = {f"app-{number}": [tag("v1")] for number in range(8)}
"""Of these, some have their moment in the interval before that of the image list, some after."""


async def test_no_image_is_listed_again_because_the_next_list_has_not_come_yet() -> None:
    """Where a first round lasts longer than an interval, all images would be, round after round."""
    async with polling_of(images=MANY) as polling:
        await polling.first_round(every())
        await polling.clock.advance(INTERVAL / 10)
        assert sorted(polling.asked) == sorted(MANY)
        assert await quiet(polling, 4) == []
        assert {polling.state(image).polls for image in MANY} <= {5, 6}, "one each interval"


async def test_a_poll_put_off_for_the_list_is_answered_when_that_comes() -> None:
    async with polling_of(images=MANY) as polling:
        await polling.first_round(every())
        before = len(list_requests(polling))
        while len(list_requests(polling)) == before:
            assert not any(polling.state(image).unchanged for image in MANY)
            await polling.clock.advance(INTERVAL / 50)
        await polling.settled()
        answered = [image for image in MANY if polling.state(image).unchanged]
        assert 0 < len(answered) < len(MANY)
        assert polling.asked.count(answered[0]) == 1


async def test_tags_are_requested_at_each_poll_while_a_list_hangs() -> None:
    slow = Api(requests_per_second=10_000, timeout=20 * INTERVAL)
    async with polling_of(api=slow) as polling:
        await begun(polling, every())
        polling.registry.faults.add(fault_named("hang"), where=image_list())
        before, began = len(polling.asked), polling.clock.monotonic()

        def least_asked() -> int:
            asked = polling.asked[before:]
            return min(asked.count("app"), asked.count("web"))

        await passing(polling.clock, lambda: least_asked() >= 4, step=INTERVAL / 200)
        assert polling.clock.monotonic() - began < 7 * INTERVAL, "the first poll alone is put off"


async def test_an_image_polled_more_often_than_its_list_does_not_wait_for_that() -> None:
    often = choosing(rule("*", Timing(INTERVAL / 5, 3 * DAY, DAY)))
    async with polling_of() as polling:
        await polling.first_round(often)
        polls = polling.state("app").polls
        await polling.intervals(2)
        assert polling.state("app").polls - polls in (9, 10)


async def test_such_a_poll_is_as_old_as_the_list_that_answered_it(polling: Polling) -> None:
    await begun(polling, every())
    assert await quiet(polling, 2) == []
    lists = [round(seen.at, 3) for seen in polling.registry.requests if image_list() in seen.target]
    state = polling.state("app")
    assert state.last_success in lists[-2:]
    assert state.listed_at is not None
    assert state.listed_at < state.last_success < state.recent[0].at


@V3_ONLY
async def test_a_pull_that_is_not_counted_is_seen_by_its_time(polling: Polling) -> None:
    polling.fleet.counted["my-registry", "app"] = 77
    await begun(polling, every())
    polling.images["app"] = [tag("v1", pulled=1_759_000_000_001), tag("v2")]
    assert await quiet(polling, 3) == ["app"]


@V3_ONLY
async def test_no_recorded_pull_is_known_and_one_that_is_not_sent_is_not() -> None:
    async with polling_of(images={"app": [tag("v1", pulled=0)]}) as polling:
        await begun(polling, every())
        assert await quiet(polling, 3) == []
        polling.registry.faults.add(WITHOUT_PULLS, where=image_list())
        await quiet(polling, 2)
        assert await quiet(polling, 3) == ["app"] * 3


async def test_a_push_is_seen_at_the_next_poll(polling: Polling) -> None:
    await begun(polling, every())
    polling.images["app"] = [tag("v3", last_updated=1_758_000_000_001), *polling.images["app"]]
    assert await quiet(polling, 2) == ["app"]
    assert published_of(polling, "app")["ncr_image_tags"] == 3


async def test_a_pull_is_seen_at_the_next_poll(polling: Polling) -> None:
    await begun(polling, every())
    polling.fleet.counted["my-registry", "app"] = 77
    assert await quiet(polling, 3) == ["app"]


async def test_what_is_pushed_while_tags_are_listed_is_listed_twice_rather_than_never(
    polling: Polling,
) -> None:
    await polling.first_round(every())
    await polling.clock.advance(INTERVAL / 2)
    polling.images["app"] = [tag("v3", last_updated=1_758_000_000_001)]
    await polling.intervals(4)
    assert published_of(polling, "app")["ncr_image_tags"] == 1


async def test_after_relist_after_tags_are_listed_whatever_the_list_says(polling: Polling) -> None:
    await begun(polling, every(4 * INTERVAL))
    await quiet(polling, 8)
    asked = await quiet(polling, 12)
    assert [asked.count(image) for image in ("app", "web")] == [3, 3]


async def test_what_becomes_stale_meanwhile_is_stale() -> None:
    clock = ManualClock()
    pushed = round(clock.time() * 1000) - 22 * HOURS
    images = {"app": [tag(name, last_updated=pushed, pulled=pushed) for name in ("v1", "v2")]}
    async with polling_of(images=images, clock=clock) as polling:
        await begun(polling, every(10 * DAY, stale_after=DAY, keep_recent=0, keep_tags=()))
        assert published_of(polling, "app")["ncr_image_stale_tags"] == 0
        assert await quiet(polling, 12) == []
        assert published_of(polling, "app")["ncr_image_stale_tags"] == 2


async def test_a_named_image_is_listed_once_more_under_the_first_list(polling: Polling) -> None:
    timing = Timing(INTERVAL, 3 * DAY, DAY)
    await begun(polling, choosing(rule("app", timing)))
    assert len(await quiet(polling, 4)) <= 1


async def test_while_the_list_fails_tags_are_listed(polling: Polling) -> None:
    await polling.first_round(every())
    polling.registry.faults.add(fault_named("denied"), where=image_list())
    assert len(await quiet(polling, 3)) >= 4
    polling.registry.faults.clear()
    await quiet(polling, 2)
    assert await quiet(polling, 3) == []


@pytest.mark.parametrize("fault", ["count-lies", "wrong-types"])
async def test_a_list_that_contradicts_itself_answers_no_poll(polling: Polling, fault: str) -> None:
    await polling.first_round(every())
    polling.registry.faults.add(fault_named(fault), where=image_list())
    assert len(await quiet(polling, 3)) >= 4
    await polling.intervals(READINGS_DOUBTED)
    assert sorted(await quiet(polling, 2)) == ["app", "app", "web", "web"], "however often"


async def test_an_entry_without_a_time_answers_no_poll() -> None:
    images = {"app": [tag("v1", last_updated=None)], "web": [tag("v1")]}
    async with polling_of(images=images) as polling:
        await begun(polling, every())
        assert await quiet(polling, 3) == ["app"] * 3


async def test_without_the_key_tags_are_listed_at_each_poll(polling: Polling) -> None:
    await polling.first_round(every(None))
    assert sorted(await quiet(polling, 2)) == ["app", "app", "web", "web"]
    assert "ncr_image_unchanged_polls_total" not in published_of(polling, "app")


async def test_tags_that_change_and_no_list_tells_end_the_saving(
    polling: Polling, logs: list[EventDict]
) -> None:
    """A deletion of a tag may be such a change: nothing says that the list shows it."""
    await polling.first_round(every(2 * INTERVAL))
    polling.images["app"] = [tag("v1"), tag("v2", size=7)]  # the entry stays as it was
    await polling.intervals(4)
    assert polling.listed().unlisted_changes == 1
    assert ("warning", "tags changed and the image list did not tell") in events(logs)
    assert sorted(await quiet(polling, 2)) == ["app", "app", "web", "web"]


async def test_a_list_that_tells_late_keeps_its_credit(polling: Polling) -> None:
    await polling.first_round(every(2 * INTERVAL))
    polling.images["app"] = [tag("v1"), tag("v2", size=7)]
    while polling.asked.count("app") < 2:
        await polling.clock.advance(INTERVAL / 20)
        await polling.settled()
    polling.fleet.counted["my-registry", "app"] = 5
    await polling.intervals(4)
    assert polling.listed().unlisted_changes == 0


async def test_a_reload_turns_it_on_and_off(polling: Polling) -> None:
    await polling.first_round(every(None))
    await polling.poller.apply([every()])
    await quiet(polling, 2)
    assert await quiet(polling, 2) == []
    await polling.poller.apply([every(None)])
    assert sorted(await quiet(polling, 1)) == ["app", "web"]


async def test_an_expired_listing_is_listed_again(polling: Polling) -> None:
    await begun(polling, every())
    polling.store.expire(("my-registry", "app"))
    assert await quiet(polling, 1) == ["app"]


@asynccontextmanager
async def restarted(
    before: Polling, images: dict[str, list[dict[str, Any]]] | None = None
) -> AsyncIterator[Polling]:
    """Give what starts a minute later with the data of `before`, perhaps with other images."""
    clock = ManualClock(before.clock.time() + 60)
    frames = [
        *map(registry_frame, before.store.registries.values()),
        *map(image_frame, before.store.images.values()),
    ]
    saved = read_frames([frame for frame in frames if frame], clock.time())
    async with polling_of(images=images or before.images, saved=saved, clock=clock) as again:
        yield again


async def test_a_restart_asks_for_the_list_alone(polling: Polling) -> None:
    await begun(polling, every())
    async with restarted(polling) as again:
        await again.poller.apply([every()])
        await passing(again.clock, lambda: again.state("app").polls == 1)
        await again.intervals(2)
        assert again.asked == []
        assert again.state("app").unchanged >= 2


async def test_a_restart_without_its_list_asks_for_tags(polling: Polling) -> None:
    await polling.first_round(every())
    async with restarted(polling) as again:
        again.registry.faults.add(fault_named("denied"), where=image_list())
        await again.poller.apply([every()])
        await passing(again.clock, lambda: len(again.asked) == 2)


async def test_a_restart_after_a_push_asks_for_that_image(polling: Polling) -> None:
    await polling.first_round(every())
    pushed = {**polling.images, "app": [tag("v3", last_updated=1_758_000_000_001)]}
    async with restarted(polling, pushed) as again:
        await again.poller.apply([every()])
        await passing(again.clock, lambda: again.state("web").polls == 1)
        assert again.asked == ["app"]


async def test_a_restart_without_state_lists_the_tags(polling: Polling) -> None:
    await polling.first_round(every())
    async with polling_of(images=polling.images, saved=SavedState()) as again:
        await again.first_round(every())
        assert sorted(again.asked) == ["app", "web"]


async def test_the_plan_counts_what_is_asked_for(polling: Polling) -> None:
    await polling.first_round(every())
    full = polling.budget.planned(ACCOUNT)
    await quiet(polling, 2)
    saved = polling.budget.planned(ACCOUNT)
    assert full == pytest.approx(4 / INTERVAL)  # both lists, and two images
    assert saved == pytest.approx(2 / INTERVAL + 2 / DAY)
