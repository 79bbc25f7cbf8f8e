"""Images found by a glob that are deleted: that alone is published, for a while."""

from pathlib import Path

import pytest

from ncr_exporter.state.persistence import StatePersister
from ncr_exporter.targets.targets import Timing
from tests.support.api_client import tag
from tests.support.clock import ManualClock
from tests.support.polling import INTERVAL, Polling, choosing, naming, polling_of, published_of
from tests.support.states import rule

EXPIRE = 10 * INTERVAL
EVERY = choosing(rule("*", Timing(INTERVAL, EXPIRE)))


async def with_web_deleted(polling: Polling) -> None:
    await polling.first_round(EVERY)
    del polling.images["web"]
    await polling.intervals(3)


async def test_of_a_deleted_image_only_its_absence_is_published(polling: Polling) -> None:
    await with_web_deleted(polling)
    assert published_of(polling, "web") == {"ncr_image_present": 0}
    assert published_of(polling, "app")["ncr_image_present"] == 1


async def test_its_absence_leaves_when_it_is_as_old_as_data_may_be(polling: Polling) -> None:
    await with_web_deleted(polling)
    (told,) = polling.told.deleted
    await polling.clock.advance(told.at + EXPIRE - polling.clock.time() - 1)
    assert published_of(polling, "web") == {"ncr_image_present": 0}
    await polling.clock.advance(2)
    assert published_of(polling, "web") == {}


async def test_an_image_that_comes_back_is_present_again(polling: Polling) -> None:
    await with_web_deleted(polling)
    polling.images["web"] = [tag("v3")]
    await polling.intervals(2)
    found = published_of(polling, "web")
    assert (found["ncr_image_present"], found["ncr_image_tags"]) == (1, 1)
    await polling.clock.advance(EXPIRE)
    await polling.settled()
    assert published_of(polling, "web")["ncr_image_present"] == 1


async def test_a_reload_that_no_longer_covers_it_ends_it(polling: Polling) -> None:
    await with_web_deleted(polling)
    await polling.poller.apply([choosing(rule("a*", Timing(INTERVAL, EXPIRE)))])
    assert published_of(polling, "web") == {}


async def test_a_reload_that_drops_its_registry_ends_it(polling: Polling) -> None:
    await with_web_deleted(polling)
    await polling.poller.apply([])
    assert published_of(polling, "web") == {}
    await polling.clock.advance(EXPIRE)


async def test_a_reload_that_names_it_polls_it_again(polling: Polling) -> None:
    await with_web_deleted(polling)
    await polling.poller.apply([naming("app", "web")])
    await polling.polled(1, "web")
    assert published_of(polling, "web")["ncr_image_up"] == 0


@pytest.mark.parametrize(
    ("away", "still"), [(3600.0, {"ncr_image_present": 0.0}), (EXPIRE + 3600, {})]
)
async def test_a_restart_keeps_what_was_known_for_as_long_as_it_would_have_stayed(
    tmp_path: Path, away: float, still: dict[str, float]
) -> None:
    async with polling_of() as before:
        await with_web_deleted(before)
        await StatePersister(tmp_path, before.clock).write(before.store)
    clock = ManualClock(before.clock.time() + away)
    saved = StatePersister(tmp_path, clock).read()
    async with polling_of(saved=saved, clock=clock, images={"app": [tag("v1")]}) as polling:
        await polling.poller.apply([EVERY])
        assert published_of(polling, "web") == still


async def test_a_restart_under_a_configuration_that_does_not_cover_it_forgets_it(
    tmp_path: Path,
) -> None:
    async with polling_of() as before:
        await with_web_deleted(before)
        await StatePersister(tmp_path, before.clock).write(before.store)
    clock = ManualClock(before.clock.time())
    saved = StatePersister(tmp_path, clock).read()
    async with polling_of(saved=saved, clock=clock, images={"app": [tag("v1")]}) as polling:
        await polling.poller.apply([choosing(rule("a*"))])
        assert published_of(polling, "web") == {}
