"""Image lists at work: images are found and known to be gone, and a bad list changes nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from structlog.typing import EventDict

from ncr_exporter.config import Api
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.inventory import TagList
from ncr_exporter.simulator.faults import Fault, fault_named
from ncr_exporter.simulator.responses import content_of, service_error, with_body
from ncr_exporter.state.model import IdlePattern
from ncr_exporter.state.presence import SHORT_LISTS_DOUBTED
from ncr_exporter.targets.targets import Shard, Timing
from tests.support.api_client import tag
from tests.support.clock import passing
from tests.support.polling import (
    INTERVAL,
    Polling,
    choosing,
    events,
    naming,
    polling_of,
    published_of,
)
from tests.support.states import list_target_of, registry_target, rule

NOT_FOUND = Fault("not-found", "404 of the service", lambda *_: service_error(404, "no such image"))
APP = choosing(rule("*"))
BRIEF = Timing(INTERVAL, expire_after=3 * INTERVAL)
BRIEFLY = list_target_of(registry_target(rules=(rule("app", BRIEF),), timing=BRIEF))
KEPT_NOT = choosing(rule("*", keep_recent=0))
LONG_AGO = 1_730_000_000_000
"""A year before these tests, and after pulls began to be recorded."""


async def test_every_image_of_a_registry_is_found(polling: Polling) -> None:
    await polling.first_round(APP)
    assert polling.published == ["app", "web"]
    assert polling.listed().images == 2


async def test_a_new_image_appears_within_two_intervals(polling: Polling) -> None:
    await polling.first_round(APP)
    polling.images["new"] = [tag("v1")]
    await polling.intervals(2)
    state = polling.state("new")
    assert state.image is not None
    assert state.image.tags == 1


async def test_a_deleted_image_leaves_within_three_intervals_and_says_so(
    logs: list[EventDict],
) -> None:
    async with polling_of() as polling:
        await polling.first_round(APP)
        del polling.images["web"]
        await polling.intervals(3)
        assert polling.published == ["app"]
        assert polling.told.removed == []
        assert [deleted.target.name for deleted in polling.told.deleted] == ["web"]
        before = len(polling.asked)
        await polling.intervals(2)
        assert "web" not in polling.asked[before:], "nobody asks for it any more"
    assert ("info", "image is gone") in events(logs)


async def test_an_image_that_one_list_lacks_keeps_all_its_values(polling: Polling) -> None:
    await polling.first_round(APP)
    before = polling.state("web")
    polling.fleet.unlisted.add(("my-registry", "web"))
    polls_of_the_list = len(list_requests(polling))
    await polling.clock.advance(0)
    await until(polling, lambda: len(list_requests(polling)) > polls_of_the_list)
    after = polling.state("web")
    assert (after.image, after.pull_count, after.present) == (before.image, 1, True)


async def test_two_lists_without_an_image_end_it_though_its_tags_still_answer(
    polling: Polling,
) -> None:
    await polling.first_round(APP)
    polling.fleet.unlisted.add(("my-registry", "web"))
    await polling.intervals(3)
    assert polling.published == ["app"]


@pytest.mark.parametrize("fault", ["unavailable", "html", "denied", "not-found"])
async def test_a_failed_list_changes_nothing(polling: Polling, fault: str) -> None:
    await polling.first_round(APP)
    before = {key: state.image for key, state in polling.store.images.items()}
    polling.registry.faults.add(fault_named(fault), where="my-registry?")
    await polling.intervals(3)
    assert {key: state.image for key, state in polling.store.images.items()} == before
    registry = polling.listed()
    assert (registry.up, registry.images) == (False, 2)
    polling.registry.faults.clear()
    await polling.intervals(1)
    assert polling.listed().up is True


@pytest.mark.parametrize("fault", ["surrogates", "control", "long-names"])
async def test_a_list_with_an_unusable_name_does_not_tell_that_an_image_is_gone(
    polling: Polling, fault: str
) -> None:
    await polling.first_round(choosing(rule("app"), rule("w*")))
    polling.registry.faults.add(fault_named(fault), where="my-registry?")
    await polling.intervals(4)
    assert polling.published == ["app", "web"], "the name left out may be that of web"
    polling.registry.faults.clear()
    del polling.images["web"]
    await polling.intervals(3)
    assert polling.published == ["app"]


async def test_a_list_whose_second_page_fails_changes_nothing() -> None:
    async with polling_of(api=Api(requests_per_second=10_000, page_size=3)) as polling:
        await polling.first_round(APP)
        polling.images.update({f"new-{i}": [tag("v1")] for i in range(4)})
        polling.registry.faults.add(fault_named("denied"), where="my-registry?page=2")
        await polling.intervals(2)
        assert polling.published == ["app", "web"]


async def test_a_list_that_turns_empty_is_believed_the_second_time(polling: Polling) -> None:
    await polling.first_round(APP)
    everything = {("my-registry", image) for image in polling.images}
    asked = len(list_requests(polling))
    polling.fleet.unlisted.update(everything)
    await until(polling, lambda: len(list_requests(polling)) > asked)
    assert polling.published == ["app", "web"]
    assert polling.listed().images == 2
    polling.fleet.unlisted.clear()
    await polling.intervals(2)
    polling.images.clear()
    await polling.intervals(3)
    assert polling.published == []
    assert polling.listed().images == 0


def contradicting(names: int) -> Fault:
    """Return a fault of lists that show so many records, and the count of all of them."""

    def apply(_: Request, good: Response) -> Response:
        content = content_of(good)
        content["results"] = content["results"][:names]
        return with_body(good, json.dumps(content).encode())

    return Fault("contradicting", "", apply)


@pytest.mark.parametrize("names", [0, 1])
async def test_a_list_with_fewer_names_than_its_count_does_not_tell_what_is_gone(
    polling: Polling, names: int
) -> None:
    await polling.first_round(APP)
    before = {key: state.image for key, state in polling.store.images.items()}
    polling.registry.faults.add(contradicting(names), where="my-registry?")
    await polling.intervals(SHORT_LISTS_DOUBTED)
    assert {key: state.image for key, state in polling.store.images.items()} == before
    assert polling.listed().up is True


async def test_a_count_of_something_else_does_not_keep_for_ever_what_is_gone() -> None:
    async with polling_of() as polling:
        polling.registry.faults.add(fault_named("count-lies"), where="my-registry?")
        await polling.first_round(APP)
        del polling.images["web"]
        await polling.intervals(SHORT_LISTS_DOUBTED + 3)
        assert polling.published == ["app"]


async def test_a_tag_list_that_turns_empty_is_believed_the_second_time(
    logs: list[EventDict],
) -> None:
    async with polling_of() as polling:
        await polling.first_round(naming("app"))
        good, tags = polling.state(), list(polling.images["app"])
        polling.images["app"].clear()
        await polling.intervals(1)
        doubted = polling.state()
        assert (doubted.tags, doubted.image, doubted.up) == (good.tags, good.image, True)
        assert doubted.last_success == good.last_success, "the values are of the listing before"
        assert doubted.polls == good.polls + 1
        polling.images["app"] += tags
        await polling.intervals(1)
        polling.images["app"].clear()
        await polling.intervals(1)
        assert polling.state().tags == good.tags, "not twice running"
        await polling.intervals(1)
        assert polling.state().tags == TagList.of(())
        assert polling.state().up is True
        await polling.intervals(1)
        assert polling.state().tags == TagList.of(())
    assert events(logs).count(("warning", "the tag list turned empty")) == 2


async def test_a_tag_list_that_is_empty_at_first_or_once_the_data_has_expired_is_believed() -> None:
    async with polling_of(images={"app": []}) as polling:
        await polling.first_round(BRIEFLY)
        assert polling.state().tags == TagList.of(())
        polling.images["app"].append(tag("v1"))
        await polling.intervals(1)
        assert len(polling.state().tags or ()) == 1
        polling.registry.faults.add(fault_named("denied"), where="/tags?")
        await polling.intervals(4)
        assert polling.state().tags is None
        polling.registry.faults.clear()
        polling.images["app"].clear()
        await polling.intervals(1)
        assert polling.state().tags == TagList.of(())


async def test_an_error_beside_an_empty_list_empties_nothing(polling: Polling) -> None:
    await polling.first_round(APP)
    before = {key: state.image for key, state in polling.store.images.items()}

    def apply(_: Request, good: Response) -> Response:
        error = {"errorCode": "900", "message": "Unexpected Error"}
        return with_body(good, json.dumps({"error": error, "results": []}).encode())

    polling.registry.fault = Fault("error", "", apply)
    await polling.intervals(3)
    assert {key: state.image for key, state in polling.store.images.items()} == before
    assert polling.listed().up is False
    assert polling.state().up is False


async def test_a_page_that_is_missing_is_no_image_that_is_missing() -> None:
    """Not even where the list may not be read, so that a 404 of the service counts alone."""
    async with polling_of(api=Api(requests_per_second=10_000, page_size=1)) as polling:
        await polling.first_round(naming("app"))
        good = polling.state()
        polling.registry.faults.add(fault_named("denied"), where="my-registry?")
        polling.registry.faults.add(NOT_FOUND, where="/app/tags?page=2")
        await polling.intervals(4)
        state = polling.state()
        assert (state.up, state.present, state.image) == (False, True, good.image)


async def test_a_page_of_the_list_that_is_denied_is_no_list_that_is_denied() -> None:
    """Else a 404 of the service for an image would count alone."""
    async with polling_of(api=Api(requests_per_second=10_000, page_size=1)) as polling:
        await polling.first_round(naming("app"))
        polling.registry.faults.add(fault_named("denied"), where="my-registry?page=2")
        polling.registry.faults.add(NOT_FOUND, where="/app/tags?")
        await polling.intervals(3)
        assert polling.listed().up is False
        assert polling.state().present is True


async def test_a_pull_count_that_dips_is_published_only_when_it_is_said_twice_running(
    polling: Polling,
) -> None:
    found = []
    await polling.first_round()
    for said in (100_000, 99_998, 100_001, 99_999, 99_999, 7):
        polling.fleet.counted["my-registry", "app"] = said
        await listed_again(polling)
        found.append(published_of(polling, "app")["ncr_image_pulls_total"])
    assert found == [100_000, 100_000, 100_001, 100_001, 99_999, 7]


async def test_an_empty_registry_has_0_images_and_is_up() -> None:
    async with polling_of(images={}) as polling:
        await polling.first_round(APP)
        assert (polling.listed().images, polling.listed().up) == (0, True)
        assert polling.poller.ready


async def test_a_glob_that_matches_nothing_is_warned_of_once(logs: list[EventDict]) -> None:
    async with polling_of() as polling:
        await polling.first_round(choosing(rule("team-a/*")))
        await polling.intervals(3)
        assert polling.published == []
        assert polling.listed().images == 2, "counted before globs choose"
    assert events(logs).count(("warning", "no image matches")) == 1


async def test_a_list_of_10_000_images_is_read_whole_and_the_globs_choose() -> None:
    images: dict[str, list[dict[str, Any]]] = {
        f"team-{i // 10}/app-{i % 10}": [] for i in range(10_000)
    }
    async with polling_of(
        images=images, api=Api(requests_per_second=10_000, page_size=1000)
    ) as polling:
        await polling.first_round(choosing(rule("team-7/*"), exclude=("*-9",)))
        assert polling.listed().images == 10_000
        assert polling.published == [f"team-7/app-{i}" for i in range(9)]


NAMES = ("plain", "a/b.c", "100%25", 'q"uote', "back\\slash", "이미지", "dots..x", "a b", "x*y")


async def test_odd_names_are_found_and_polled_as_they_are() -> None:
    async with polling_of(images={name: [tag("v1")] for name in NAMES}) as polling:
        await polling.first_round(APP)
        assert polling.published == sorted(NAMES)
        assert all(state.up for state in polling.store.images.values())


# An image that the configuration names


async def test_a_named_image_that_is_gone_is_said_to_be_absent_and_asked_for_again(
    polling: Polling,
) -> None:
    await polling.first_round()
    tags = polling.images.pop("web")
    await polling.intervals(3)
    state = polling.state("web")
    assert (state.present, state.up, state.image, state.tags) == (False, False, None, None)
    assert state.pull_count is None
    polling.images["web"] = tags
    await polling.intervals(2)
    state = polling.state("web")
    assert (state.present, state.up) == (True, True)
    assert state.image is not None


async def test_a_named_image_that_never_was_is_absent_and_not_only_failing(
    polling: Polling,
) -> None:
    await polling.first_round(naming("app", "typo"))
    assert polling.state("typo").present is False
    assert polling.state("typo").up is False
    assert polling.state("app").present is True


@pytest.mark.parametrize(
    "fault",
    [fault_named("not-found"), fault_named("missing-500"), NOT_FOUND],
    ids=["404 of the gateway", "500 of the service", "404 of the service"],
)
async def test_errors_for_an_image_that_is_listed_remove_nothing(
    polling: Polling, fault: Fault
) -> None:
    await polling.first_round()
    good = polling.state()
    polling.registry.faults.add(fault, where="/app/")
    await polling.intervals(3)
    state = polling.state()
    assert (state.up, state.present, state.image) == (False, True, good.image)


async def test_a_404_of_the_gateway_never_means_gone(polling: Polling) -> None:
    polling.fleet.unlisted.add(("my-registry", "app"))
    polling.registry.faults.add(fault_named("not-found"), where="/app/")
    await polling.first_round()
    assert polling.state().present is None, "one list alone does not tell"


async def test_a_404_of_the_service_means_gone_where_the_list_may_not_be_read(
    polling: Polling,
) -> None:
    await polling.first_round()
    polling.registry.faults.add(fault_named("denied"), where="my-registry?")
    polling.registry.faults.add(NOT_FOUND, where="/app/")
    await polling.intervals(2)
    state = polling.state()
    assert (state.present, state.image) == (False, None)
    assert polling.state("web").image is not None


async def test_a_404_counts_no_longer_alone_once_the_list_may_be_read(polling: Polling) -> None:
    """Not even where the list does not tell what is gone."""
    polling.registry.faults.add(fault_named("denied"), where="my-registry?")
    polling.registry.faults.add(NOT_FOUND, where="/app/")
    await polling.first_round()
    await polling.intervals(1)
    assert polling.state().present is False
    polling.registry.faults.clear()
    polling.registry.faults.add(fault_named("count-lies"), where="my-registry?")
    polling.registry.faults.add(NOT_FOUND, where="/app/")
    polling.fleet.unlisted.add(("my-registry", "app"))
    await polling.intervals(1)
    assert polling.state().present is None


# Pull counts


async def test_pull_counts_come_from_the_list_also_where_all_images_are_named(
    polling: Polling,
) -> None:
    await polling.first_round()
    assert polling.state("app").pull_count == 2
    assert polling.state("web").pull_count == 1


async def test_what_a_list_told_leaves_after_expire_after(polling: Polling) -> None:
    await polling.first_round()
    polling.registry.faults.add(fault_named("denied"), where="my-registry?")
    await polling.clock.advance(86400)
    await polling.settled()
    assert polling.listed().images is None
    assert polling.state().pull_count is None
    assert polling.state().image is not None, "its own polls go on"


async def test_an_image_pulled_by_its_count_but_by_no_tag_is_unknown_with_one_warning(
    logs: list[EventDict],
) -> None:
    async with polling_of() as polling:
        polling.images["odd"] = [tag("v1", pulled=0, last_updated=LONG_AGO)]
        polling.fleet.counted["my-registry", "odd"] = 7
        await polling.first_round(KEPT_NOT)
        await polling.intervals(4)
        image = polling.state("odd").image
        assert image is not None
        assert (image.never_pulled_tags, image.stale_tags, image.reclaimable) == (None, None, None)
    told = [entry for entry in logs if entry["event"].startswith("pulls are counted")]
    assert [(entry["registry"], entry["image"]) for entry in told] == [("my-registry", "odd")]


async def test_a_registry_without_any_pull_time_is_unknown_with_one_warning(
    logs: list[EventDict],
) -> None:
    images = {
        "app": [tag("v1", pulled=0, last_updated=LONG_AGO)],
        "web": [tag("v1", pulled=None, last_updated=LONG_AGO)],
    }
    async with polling_of(images=images) as polling:
        await polling.first_round(KEPT_NOT)
        await polling.intervals(4)
        for state in polling.store.images.values():
            assert state.image is not None
            assert state.image.never_pulled_tags is None
    told = [entry for entry in logs if entry["event"].startswith("no image of the registry")]
    assert [entry["registry"] for entry in told] == ["my-registry"]


# Patterns that match nothing


async def test_patterns_that_match_nothing_are_named_once(logs: list[EventDict]) -> None:
    async with polling_of() as polling:
        await polling.first_round(
            choosing(rule("team-*"), rule("*"), exclude=("a*", "nothing-like-it"))
        )
        await polling.intervals(3)
        assert polling.listed().glob_images == (("team-*", 0),)
        assert polling.listed().exclude_images == (("a*", 1), ("nothing-like-it", 0))
        assert polling.listed().idle_patterns == (
            IdlePattern("images", "team-*"),
            IdlePattern("exclude", "nothing-like-it"),
        )
    told = [
        (entry["event"], entry.get("glob") or entry.get("exclude"))
        for entry in logs
        if entry["event"] in {"no image matches", "no image is excluded"}
    ]
    assert told == [("no image matches", "team-*"), ("no image is excluded", "nothing-like-it")]


async def test_a_pattern_is_compared_with_names_and_with_their_folders() -> None:
    names = ["team-a/web", "team-a/api", "ci/toolchain"]
    async with polling_of(images={name: [] for name in names}) as polling:
        rules = (rule("taem-a/*"), rule("ci/tool-chain*"), rule("team-a/*"))
        await polling.first_round(choosing(*rules, exclude=("*/toolchian", "team-a/*")))
        assert polling.listed().idle_patterns == (
            IdlePattern("images", "taem-a/*", "team-a/*"),
            IdlePattern("images", "ci/tool-chain*", "ci/toolchain"),
            IdlePattern("images", "team-a/*", excluded=True),
            IdlePattern("exclude", "*/toolchian", "*/toolchain"),
        )


async def test_an_empty_registry_is_said_to_be_empty_not_mistyped(logs: list[EventDict]) -> None:
    async with polling_of(images={}) as polling:
        await polling.first_round(choosing(rule("team-*")))
        await polling.intervals(2)
    told = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert told == ["the registry has no images"]


# Shards and plans


async def test_each_image_is_polled_by_the_shard_that_owns_it_alone() -> None:
    images = {f"app-{i}": [tag("v1")] for i in range(20)}
    found: list[str] = []
    for index in range(3):
        async with polling_of(images=images, shard=Shard(index, 3)) as polling:
            await polling.first_round(APP)
            assert 0 < len(polling.published) < 20
            assert sorted(polling.asked) == polling.published
            found += polling.published
    assert sorted(found) == sorted(images)


async def test_a_plan_that_exceeds_the_limit_stretches_all_polls_evenly_and_warns_once(
    logs: list[EventDict],
) -> None:
    images = {f"app-{i}": [tag("v1")] for i in range(20)}
    async with polling_of(images=images, limit=11 / INTERVAL) as polling:
        await polling.first_round(list_target_of(registry_target(rules=tuple(map(rule, images)))))
        before = len(polling.registry.requests)
        await polling.intervals(8)
        per_interval = (len(polling.registry.requests) - before) / 8
        assert per_interval == pytest.approx(11, abs=2), "half of what would be due"
        success = [state.last_success for state in polling.store.images.values()]
        assert min(at for at in success if at) >= polling.clock.time() - 2.5 * INTERVAL
    warnings = [entry for entry in logs if entry["event"].startswith("more requests planned")]
    assert len(warnings) == 1
    assert warnings[0]["stretched_by"] > 1
    assert "interval" in warnings[0]["remedy"]


async def test_the_plan_is_logged_after_the_first_round(logs: list[EventDict]) -> None:
    async with polling_of() as polling:
        await polling.first_round()
    (plan,) = [entry for entry in logs if entry["event"] == "requests planned"]
    assert plan["registry"] == "my-registry"
    assert plan["requests_per_second"] == pytest.approx(4 / INTERVAL, abs=0.001)


def list_requests(polling: Polling) -> list[str]:
    targets = [seen.target for seen in polling.registry.requests]
    return [target for target in targets if "my-registry?" in target]


async def listed_again(polling: Polling) -> None:
    """Let time pass until the images were listed once more."""
    asked = len(list_requests(polling))
    await until(polling, lambda: len(list_requests(polling)) > asked)


async def until(polling: Polling, fact: Callable[[], object]) -> None:
    """Let time pass in small steps until a fact comes true, and what it began to its end."""
    for _ in range(200):
        if fact():
            break
        await polling.clock.advance(INTERVAL / 100)
        await passing(polling.clock, lambda: not polling.poller.busy)
    assert fact()


async def test_a_list_that_waits_while_another_is_recorded_is_of_when_it_was_read(
    polling: Polling,
) -> None:
    """Fifty lists that are recorded at a time would leave a scrape a fiftieth of the turns."""
    await polling.first_round()
    before = polling.listed().last_success
    waits = len(polling.registry.requests)
    async with polling.poller._registries._recording:
        await polling.clock.advance(INTERVAL)
        await passing(polling.clock, lambda: len(polling.registry.requests) > waits + 3)
        read = polling.clock.time()
        await polling.clock.advance(60)
        assert polling.listed().last_success == before
    await polling.settled()
    assert before is not None
    assert before < (polling.listed().last_success or 0) <= read
