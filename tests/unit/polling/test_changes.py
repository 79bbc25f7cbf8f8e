"""From one configuration to another while polling goes on: what stays, what begins, what ends."""

import asyncio

import pytest

from ncr_exporter.config import Api
from ncr_exporter.inventory import TagList
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.state.saved import SavedImage, SavedState
from ncr_exporter.targets.targets import Timing
from tests.support.api_client import Fleet, tag
from tests.support.clock import ManualClock, passing
from tests.support.polling import INTERVAL, Polling, choosing, naming, polling_of
from tests.support.states import NOW, list_target_of, registry_target, rule, sample_tags

EVERY = registry_target("*", rules=(rule("*"),))


async def test_the_same_configuration_again_changes_and_asks_nothing(polling: Polling) -> None:
    await polling.first_round()
    due, before = polling.clock.pending, dict(polling.store.images)
    asked = len(polling.registry.requests)
    await polling.poller.apply([naming("app", "web")])
    await polling.clock.advance(1)
    assert polling.clock.pending == pytest.approx([seconds - 1 for seconds in due])
    assert dict(polling.store.images) == before
    assert len(polling.registry.requests) == asked


async def test_an_image_that_stays_keeps_its_data_and_its_moment() -> None:
    async with polling_of(images={name: [tag("v1")] for name in ("app", "web", "new")}) as polling:
        await polling.first_round()
        before, due = polling.state("app"), polling.poller.next_poll(("my-registry", "app"))
        await polling.poller.apply([naming("app", "new")])
        state = polling.state("app")
        assert (state.tags, state.polls, state.up) == (before.tags, before.polls, True)
        assert polling.poller.next_poll(("my-registry", "app")) == pytest.approx(due, abs=0.001)
        assert polling.told.removed == [("my-registry", "web")]
        await passing(polling.clock, lambda: polling.state("new").polls == 1)


async def test_a_scrape_in_between_has_no_gap(polling: Polling) -> None:
    await polling.first_round()
    await polling.poller.apply([naming("app", "web", "new")])
    text = b"".join(polling.exposition.snapshot.text(0.0, openmetrics=False)).decode()
    assert 'ncr_image_tags{registry="my-registry",image="app"} 2' in text
    assert 'ncr_image_tags{registry="my-registry",image="web"} 1' in text


async def test_another_policy_judges_the_last_listing_anew_without_asking(polling: Polling) -> None:
    await polling.first_round(choosing(rule("app")))
    asked = len(polling.tag_requests)
    await polling.poller.apply([choosing(rule("app", tag_size_limit=1, tags_limit=7))])
    image = polling.state("app").image
    assert image is not None
    assert image.oversized_tags == 2
    assert polling.state("app").target.policy.tags_limit == 7
    assert len(polling.tag_requests) == asked


async def test_another_interval_holds_from_now_on(polling: Polling) -> None:
    await polling.first_round(naming("app"))
    quick = Timing(interval=90.0, expire_after=86400.0)
    await polling.poller.apply([choosing(rule("app", quick))])
    before = len(polling.tag_requests)
    await polling.intervals(1)
    assert len(polling.tag_requests) - before == pytest.approx(INTERVAL / 90, abs=1)


async def test_another_expiry_counts_from_when_the_data_came(polling: Polling) -> None:
    await polling.first_round(naming("app"))
    polling.registry.faults.add(fault_named("denied"), where="/tags?")
    await polling.clock.advance(INTERVAL)
    soon = Timing(INTERVAL, expire_after=3 * INTERVAL)
    await polling.poller.apply([choosing(rule("app", soon))])
    await polling.clock.advance(INTERVAL)
    assert polling.state().image is not None
    await polling.clock.advance(INTERVAL)
    assert polling.state().image is None


async def test_a_glob_instead_of_a_name_keeps_what_it_matches(polling: Polling) -> None:
    await polling.first_round(naming("app"))
    await polling.poller.apply([choosing(rule("*"))])
    state = polling.state("app")
    assert (state.up, state.target.named) == (True, False)
    await passing(polling.clock, lambda: polling.published == ["app", "web"])
    assert polling.told.removed == []


async def test_an_image_that_is_excluded_now_leaves(polling: Polling) -> None:
    await polling.first_round(choosing(rule("*")))
    await polling.poller.apply([choosing(rule("*"), exclude=("w*",))])
    assert polling.published == ["app"]


async def test_a_registry_that_is_dropped_leaves_with_all_its_series() -> None:
    fleet = Fleet(one={"app": [tag("v1")]}, two={"app": [tag("v1")]})
    async with polling_of(source=fleet) as polling:
        one, two = (registry_target(name, rules=(rule("*"),)) for name in ("one", "two"))
        await polling.first_round(list_target_of(one, two))
        await polling.poller.apply([list_target_of(two)])
        assert sorted(polling.store.registries) == ["two"]
        text = b"".join(polling.exposition.snapshot.text(0.0, openmetrics=False)).decode()
        assert 'registry="one"' not in text
        await polling.intervals(2)
        assert not [seen for seen in list(polling.registry.requests)[-4:] if "/one" in seen.target]


async def test_a_registry_found_stays_when_it_is_named() -> None:
    fleet = Fleet(one={"app": [tag("v1")]}, two={"app": [tag("v1")]})
    async with polling_of(source=fleet) as polling:
        await polling.first_round(list_target_of(every=EVERY))
        before = polling.state("app", registry="two")
        named = registry_target("two", rules=(rule("app", tags_limit=3),))
        await polling.poller.apply([list_target_of(named, every=EVERY)])
        state = polling.state("app", registry="two")
        assert (state.tags, state.target.policy.tags_limit) == (before.tags, 3)
        await polling.intervals(3)
        assert sorted(polling.store.registries) == ["*", "one", "two"]


async def test_a_registry_named_stays_when_only_a_list_of_all_is_left_to_find_it() -> None:
    fleet = Fleet(one={"app": [tag("v1")]}, two={"app": [tag("v1")]})
    async with polling_of(source=fleet) as polling:
        named = registry_target("two", rules=(rule("app"),))
        await polling.first_round(list_target_of(named))
        before = polling.state("app", registry="two")
        await polling.poller.apply([list_target_of(every=EVERY)])
        assert polling.state("app", registry="two").tags == before.tags
        await polling.intervals(3)
        assert sorted(polling.store.registries) == ["*", "one", "two"]
        del fleet.content["two"]
        await polling.intervals(3)
        assert sorted(polling.store.registries) == ["*", "one"], "as if it had been found"


async def test_an_image_missing_from_one_list_only_outlives_a_reload(polling: Polling) -> None:
    await polling.first_round(choosing(rule("*")))
    polling.fleet.unlisted.add(("my-registry", "app"))
    await polling.intervals(1)
    polling.registry.faults.add(fault_named("unavailable"), where="/my-registry?")
    await polling.poller.apply([choosing(rule("*", tags_limit=7))])
    assert polling.state("app").tags is not None


async def test_an_image_kept_over_a_restart_outlives_a_reload_though_no_list_succeeded() -> None:
    saved = SavedState(
        images={
            registry_target().identity: {"app": SavedImage(TagList.of(sample_tags()), NOW, None)}
        }
    )
    async with polling_of(saved=saved, clock=ManualClock(NOW + 60)) as polling:
        polling.registry.fault = fault_named("unavailable")
        await polling.poller.apply([choosing(rule("*"))])
        await polling.settled()
        await polling.poller.apply([choosing(rule("*", tags_limit=7))])
        assert polling.state("app").tags == TagList.of(sample_tags())


async def test_a_registry_of_one_label_at_another_place_begins_from_nothing(
    polling: Polling,
) -> None:
    await polling.first_round(naming("app"))
    japan = registry_target(rules=(rule("app"),), region="jpn")
    await polling.poller.apply([list_target_of(japan)])
    assert polling.state("app").tags is None
    assert polling.listed().target.region == "jpn"


async def test_a_poll_under_way_ends_under_the_new_policy(polling: Polling) -> None:
    polling.registry.delay = 0.05
    await polling.poller.apply([naming("app")])
    await passing(polling.clock, lambda: polling.poller.busy and polling.tag_requests)
    await polling.poller.apply([choosing(rule("app", tag_size_limit=1))])
    await polling.polled(1)
    image = polling.state("app").image
    assert image is not None
    assert image.oversized_tags == 2


async def test_an_image_removed_during_its_poll_is_gone_for_good() -> None:
    async with polling_of(api=Api(requests_per_second=10_000, timeout=60.0)) as polling:
        polling.registry.faults.add(fault_named("hang"), where="/app/")
        await polling.poller.apply([naming("app", "web")])
        await passing(polling.clock, lambda: len(polling.tag_requests) == 2)
        await polling.poller.apply([naming("web")])
        await asyncio.sleep(0.05)
        assert polling.published == ["web"]
