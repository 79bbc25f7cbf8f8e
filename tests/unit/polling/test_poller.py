"""When images are polled, and what one poll can do to another: real sockets, a moved clock."""

import asyncio
from itertools import pairwise

import pytest
from structlog.typing import EventDict

from ncr_exporter.config import Api
from ncr_exporter.polling.scheduler import phase_of
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.targets.targets import Timing
from tests.support.api_client import tag
from tests.support.clock import passing, settle
from tests.support.polling import INTERVAL, Polling, choosing, events, naming, polling_of
from tests.support.states import list_target_of, registry_target, rule


async def test_the_first_round_asks_for_every_image_at_once(polling: Polling) -> None:
    await polling.first_round()
    assert sorted(polling.asked) == ["app", "web"]
    assert polling.clock.monotonic() - polling.began < 1


async def test_image_lists_go_before_the_tag_lists(polling: Polling) -> None:
    await polling.first_round()
    targets = [seen.target for seen in polling.registry.requests]
    assert ["/tags?" in target for target in targets] == [False, False, True, True]


async def test_afterwards_each_image_is_polled_at_its_phase_within_its_interval(
    polling: Polling,
) -> None:
    await polling.first_round(naming("app"))
    for _ in range(4):
        await polling.intervals(1)
    polled_at = [seen.at for seen in polling.tag_requests][-4:]
    gaps = [later - sooner for sooner, later in pairwise(polled_at)]
    assert gaps == pytest.approx([INTERVAL] * 3, abs=0.1)
    since = polled_at[-1] - polling.clock.time() + polling.clock.monotonic() - polling.began
    phase = since % INTERVAL / INTERVAL
    assert phase == pytest.approx(phase_of("my-registry", "app"), abs=1e-3)


async def test_a_failed_image_is_asked_again_after_a_fifth_of_its_interval(
    polling: Polling,
) -> None:
    polling.registry.faults.add(fault_named("denied"), where="/tags?")
    await polling.first_round(naming("app"))
    await settle()
    assert any(due == pytest.approx(INTERVAL / 5, abs=0.02) for due in polling.clock.pending)
    polling.registry.faults.clear()
    await polling.clock.advance(INTERVAL / 5)
    await polling.polled(2)
    assert polling.state().up is True


async def test_an_image_that_goes_on_failing_is_asked_for_no_more_often_than_one_that_does_not(
    polling: Polling,
) -> None:
    await polling.first_round(naming("app"))
    await polling.intervals(1)
    polling.registry.faults.add(fault_named("denied"), where="/app/tags?")
    asked = []
    for _ in range(5):
        before = len(polling.asked)
        await polling.intervals(1)
        asked.append(len(polling.asked) - before)
    assert asked == [3, 1, 1, 1, 1], "a fifth, two fifths, and then its phase"
    polling.registry.faults.clear()
    await polling.intervals(1)
    polling.registry.faults.add(fault_named("denied"), where="/app/tags?", times=1)
    before = len(polling.asked)
    await polling.intervals(1)
    assert len(polling.asked) - before == 2, "a success begins the count again"


async def test_an_image_list_that_goes_on_failing_is_asked_for_no_more_often(
    polling: Polling,
) -> None:
    await polling.first_round(naming("app"))
    polling.registry.faults.add(fault_named("denied"), where="my-registry?")
    before = len(polling.registry.requests)
    await polling.intervals(6)
    lists = list(polling.registry.requests)[before:]
    assert sum("my-registry?" in seen.target for seen in lists) <= 7 + 2


async def test_the_next_poll_of_an_image_is_known_but_while_it_is_polled(polling: Polling) -> None:
    key = ("my-registry", "app")
    await polling.poller.apply([naming("app")])
    assert polling.poller.next_poll(key) is None
    await passing(polling.clock, lambda: polling.poller.ready)
    due = polling.poller.next_poll(key)
    assert due is not None
    before = len(polling.tag_requests)
    await polling.clock.advance(due - polling.clock.time() - 0.01)
    await polling.settled()
    assert len(polling.tag_requests) == before
    await polling.clock.advance(0.02)
    await polling.settled()
    assert len(polling.tag_requests) == before + 1


async def test_of_an_image_that_came_and_went_nothing_is_remembered(logs: list[EventDict]) -> None:
    async with polling_of() as polling:
        polling.images["used"] = [tag("v1")]
        await polling.first_round(choosing(rule("*", keep_recent=0)))
        for number in range(5):
            name = f"app-{number}"
            polling.images[name] = [tag("v1", pulled=None, last_updated=1_730_000_000_000)]
            polling.fleet.counted["my-registry", name] = 7
            await polling.intervals(3)
            assert name in polling.published
            del polling.images[name]
            await polling.intervals(3)
        assert polling.published == ["app", "used", "web"]
        assert polling.poller._registries._images._warned_about == set()
    warned = [entry["image"] for entry in logs if "pulls" in entry["event"]]
    assert warned == [f"app-{number}" for number in range(5)]


async def test_who_was_ready_stays_ready_while_an_image_that_was_pushed_waits_for_its_first_poll(
    polling: Polling,
) -> None:
    await polling.first_round(choosing(rule("*")))
    polling.registry.faults.add(fault_named("hang"), where="/new/tags?")
    polling.images["new"] = [tag("v1")]
    await polling.clock.advance(INTERVAL)
    await passing(polling.clock, lambda: "new" in polling.published)
    assert polling.state("new").polls == 0
    assert polling.poller.ready


async def test_who_was_ready_stays_ready_over_a_reload_that_names_another_image(
    polling: Polling,
) -> None:
    await polling.first_round(naming("app"))
    await polling.poller.apply([naming("app", "web")])
    assert polling.state("web").polls == 0
    assert polling.poller.ready


async def test_what_is_remembered_of_a_poll_says_when_it_ended_and_why_it_failed(
    polling: Polling,
) -> None:
    await polling.first_round(naming("app"))
    polling.registry.faults.add(fault_named("denied"), where="/tags?")
    await polling.intervals(1)
    state = polling.state()
    assert len(state.recent) == state.polls > 1
    assert state.recent[0].failure == state.failure
    assert state.recent[-1].at == state.last_success
    assert state.recent[0].at > state.recent[-1].at


async def test_one_images_failure_never_touches_another(polling: Polling) -> None:
    polling.registry.faults.add(fault_named("html"), where="/app/")
    await polling.first_round()
    assert polling.state("app").up is False
    assert polling.state("app").image is None
    web = polling.state("web")
    assert web.up is True
    assert web.image is not None
    assert web.image.tags == 1


async def test_polls_of_one_image_never_overlap_and_missed_ticks_are_skipped() -> None:
    async with polling_of(api=Api(requests_per_second=10_000, timeout=60.0)) as polling:
        polling.registry.faults.add(fault_named("hang"), where="/tags?")
        await polling.poller.apply([naming("app")])
        await passing(polling.clock, lambda: polling.tag_requests)
        await polling.clock.advance(5 * INTERVAL)
        assert len(polling.tag_requests) == 1


async def test_a_failure_leaves_the_last_good_data_and_heals_with_the_next_poll(
    polling: Polling,
) -> None:
    await polling.first_round(naming("app"))
    good = polling.state()
    polling.registry.fault = fault_named("truncated")
    await polling.clock.advance(INTERVAL)
    await polling.polled(2)
    bad = polling.state()
    assert (bad.up, bad.image, bad.last_success) == (False, good.image, good.last_success)
    polling.registry.fault = None
    await polling.intervals(1)
    assert polling.state().up is True


async def test_an_error_nobody_foresaw_is_a_failed_poll_and_the_next_heals_it(
    logs: list[EventDict],
) -> None:
    async with polling_of() as polling:
        put = polling.told.put

        def failing(state: ImageState) -> None:
            if state.up and polling.state().polls < 6:
                raise ZeroDivisionError
            put(state)

        polling.told.put = failing  # type: ignore[method-assign] # what a bug in rendering would do
        await polling.first_round(naming("app"))
        failure = polling.state().failure
        assert failure is not None
        assert failure.reason == "other"
        assert "ZeroDivisionError" in failure.message
        await polling.intervals(4)
        assert polling.state().up is True
    assert events(logs).count(("error", "unexpected error")) == 1, "one traceback, not one a run"


TOO_LONG = "x" * 70_000
"""A name that makes a URL longer than any that httpx takes: what it raises is no error of HTTP."""


async def test_whatever_a_poll_raises_is_a_failed_poll_and_is_counted(
    logs: list[EventDict],
) -> None:
    async with polling_of() as polling:
        await polling.first_round(naming("app", TOO_LONG))
        await polling.intervals(3)
        state = polling.state(TOO_LONG)
        assert (state.up, state.failures) == (False, state.polls)
        assert state.failure is not None
        assert state.failure.reason == "other"
        assert polling.state("app").up is True
        assert polling.heard.unsent == ["other"] * state.polls
    assert events(logs).count(("error", "unexpected error")) == 1


async def test_whatever_an_image_list_raises_is_a_failed_list_and_takes_nothing_away(
    logs: list[EventDict],
) -> None:
    async with polling_of() as polling:
        await polling.first_round(choosing(rule("*")))
        good = polling.listed()
        put = polling.told.put_registry

        def failing(state: RegistryState) -> None:
            if state.up:
                raise ZeroDivisionError
            put(state)

        polling.told.put_registry = failing  # type: ignore[method-assign] # what a bug would do
        await polling.intervals(4)
        state = polling.listed()
        assert (state.up, state.images) == (False, good.images)
        assert state.failure is not None
        assert state.failure.reason == "other"
        assert polling.published == ["app", "web"]
        polling.told.put_registry = put  # type: ignore[method-assign] # mended
        await polling.intervals(1)
        assert polling.listed().up is True
    assert events(logs).count(("error", "unexpected error")) == 1
    assert events(logs).count(("warning", "image list failed")) == 1


async def test_whatever_a_registry_list_raises_is_a_failed_list(logs: list[EventDict]) -> None:
    async with polling_of() as polling:
        every = registry_target("*", rules=(rule("*"),))
        await polling.first_round(list_target_of(every=every))
        put = polling.told.put_registry

        def failing(state: RegistryState) -> None:
            if state.up and state.target.is_every:
                raise ZeroDivisionError
            put(state)

        polling.told.put_registry = failing  # type: ignore[method-assign] # what a bug would do
        await polling.intervals(4)
        assert polling.listed("*").up is False
        assert polling.published == ["app", "web"]
    assert events(logs).count(("error", "unexpected error")) == 1


async def test_a_job_whose_failure_cannot_be_recorded_goes_on_with_one_traceback(
    logs: list[EventDict],
) -> None:
    async with polling_of() as polling:
        await polling.first_round(naming("app"))
        put = polling.told.put

        def failing(state: ImageState) -> None:
            raise ZeroDivisionError(state.polls)

        polling.told.put = failing  # type: ignore[method-assign] # what a bug would do
        await polling.intervals(4)
        polling.told.put = put  # type: ignore[method-assign] # mended
        await polling.intervals(1)
        assert polling.state().up is True
    jobs = [
        entry["job"] for entry in logs if entry["event"] == "unexpected error" and "job" in entry
    ]
    assert len(jobs) == len(set(jobs))


async def test_a_failing_image_says_so_once_then_when_the_reason_changes_and_when_it_recovers(
    logs: list[EventDict],
) -> None:
    async with polling_of() as polling:
        await polling.first_round(naming("app"))
        for times, fault in enumerate(["denied", "denied", "html", None, None], start=2):
            polling.registry.faults.clear()
            if fault:
                polling.registry.faults.add(fault_named(fault), where="/tags?")
            await polling.clock.advance(INTERVAL)
            await polling.polled(times)
    assert events(logs) == [
        ("info", "first round done"),
        ("info", "requests planned"),
        ("warning", "poll failed"),
        ("warning", "poll failed"),
        ("info", "poll succeeds again"),
    ]
    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [entry["reason"] for entry in warnings] == ["permission", "malformed"]
    assert warnings[0]["registry"] == "my-registry"
    assert warnings[0]["image"] == "app"
    assert "VIEWER" in warnings[0]["remedy"]
    assert warnings[0]["trace_id"].startswith("demo-")


async def test_the_first_round_is_done_when_what_globs_found_was_polled_too(
    logs: list[EventDict],
) -> None:
    async with polling_of() as polling:
        polling.registry.faults.add(fault_named("denied"), where="/web/tags?")
        await polling.first_round(choosing(rule("*")))
        await polling.intervals(2)
    (line,) = [entry for entry in logs if entry["event"] == "first round done"]
    assert (line["images"], line["failed"]) == (2, 1)
    assert line["seconds"] < INTERVAL


async def test_stopping_ends_hung_polls_at_once() -> None:
    async with polling_of(api=Api(requests_per_second=10_000, timeout=60.0)) as polling:
        polling.registry.faults.add(fault_named("hang"), where="/tags?")
        await polling.poller.apply([naming("app", "web")])
        await passing(polling.clock, lambda: len(polling.tag_requests) == 2)
        async with asyncio.timeout(1):
            await polling.poller.stop()
        polls = [state.polls for state in polling.store.images.values()]
        assert polls == [0, 0], "a poll that was stopped is no failure"
        assert polling.clock.pending == []


async def test_a_throttled_account_fails_due_polls_without_asking_and_heals_after_the_pause(
    polling: Polling,
) -> None:
    await polling.first_round()
    polling.registry.faults.add(fault_named("throttle"), where="/tags?", times=1)
    await passing_one_failure(polling)
    await polling.intervals(2)
    assert polling.state("app").up
    assert polling.state("web").up


async def passing_one_failure(polling: Polling) -> None:
    for _ in range(100):
        await polling.clock.advance(INTERVAL / 50)
        await polling.settled()
        if any(state.failure for state in polling.store.images.values()):
            return
    pytest.fail("no poll failed")


async def test_data_that_nobody_renewed_leaves_after_expire_after_and_up_stays_0(
    polling: Polling,
) -> None:
    timing = Timing(INTERVAL, expire_after=5 * INTERVAL)
    registry = registry_target(rules=(rule("app", timing),), timing=timing)
    await polling.first_round(list_target_of(registry))
    polling.registry.fault = fault_named("denied")
    await polling.intervals(4)
    assert polling.state().image is not None
    await polling.intervals(2)
    state = polling.state()
    assert (state.image, state.tags, state.up) == (None, None, False)
    assert state.last_success is not None
    assert polling.listed().images is None
    polling.registry.fault = None
    await polling.intervals(1)
    assert polling.state().image is not None
