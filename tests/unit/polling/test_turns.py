"""However many images there are, no turn of the event loop touches more than a few of them."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ncr_exporter.inventory import Tag, TagList
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.state.saved import SavedImage, SavedRegistry, SavedState
from ncr_exporter.targets.targets import RegistryListTarget, Timing
from tests.support.api_client import tag
from tests.support.clock import passing
from tests.support.polling import Polling, choosing, naming, polling_of
from tests.support.states import (
    NOW,
    list_target_of,
    registry_target,
    rule,
    sample_tags,
)
from tests.support.turns import turns

IMAGES = 600
NAMES = [f"app-{number:03}" for number in range(IMAGES)]
AT_MOST = 100
"""Images in one turn: a step of beginning and one of polling may fall into the same."""
FOUND = choosing(rule("*"))


class Busiest:
    """How many images were touched in one turn at most, and in all."""

    def __init__(self, polling: Polling) -> None:
        self._told = polling.told
        self._before = self.began = self._touched()
        self.most = 0

    def _touched(self) -> int:
        return len(self._told.images) + len(self._told.removed) + len(self._told.deleted)

    def turn(self) -> None:
        now = self._touched()
        self.most, self._before = max(self.most, now - self._before), now

    @property
    def in_all(self) -> int:
        return self._touched() - self.began


@asynccontextmanager
async def watching(polling: Polling) -> AsyncIterator[Busiest]:
    busiest = Busiest(polling)

    async def watch() -> None:
        while True:
            busiest.turn()
            await asyncio.sleep(0)

    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    yield busiest
    busiest.turn()
    task.cancel()


def many() -> dict[str, list[dict[str, object]]]:
    return {name: [tag("v1")] for name in NAMES}


def kept() -> SavedState:
    """Return the data of an earlier run that knew all images."""
    registry = registry_target()
    saved = SavedImage(TagList.of(sample_tags()), NOW - 60, 7)
    listed = SavedRegistry(NOW - 60, IMAGES, None, None)
    return SavedState({registry.identity: listed}, {registry.identity: dict.fromkeys(NAMES, saved)})


@pytest.mark.parametrize("first", [naming(*NAMES), FOUND], ids=["named", "found"])
async def test_a_start(first: RegistryListTarget) -> None:
    async with polling_of(images=many()) as polling, watching(polling) as busiest:
        await polling.first_round(first)
        assert len(polling.store.images) == IMAGES
        assert busiest.in_all >= 2 * IMAGES  # begun, and polled
        assert busiest.most <= AT_MOST


async def test_a_restart_is_ready_when_all_images_are_published() -> None:
    async with polling_of(images=many(), saved=kept()) as polling, watching(polling) as busiest:
        ready_with: list[int] = []

        async def notice() -> None:
            while not polling.poller.ready:
                await asyncio.sleep(0)
            ready_with.append(len(polling.store.images))

        noticing = asyncio.create_task(notice())
        await polling.poller.apply([FOUND])
        await passing(polling.clock, noticing.done)
        assert ready_with == [IMAGES]
        assert busiest.in_all >= IMAGES
        assert busiest.most <= AT_MOST


async def reloaded(polling: Polling) -> None:
    await polling.poller.apply([choosing(rule("*", tags_limit=7))])


async def renamed(polling: Polling) -> None:
    await polling.poller.apply([list_target_of(registry_target("other", rules=(rule("*"),)))])


async def deleted(polling: Polling) -> None:
    polling.images.clear()
    polling.images["another"] = [tag("v1")]
    await polling.intervals(4)


@pytest.mark.parametrize("change", [reloaded, renamed, deleted])
async def test_what_concerns_every_image(change: Callable[[Polling], Awaitable[None]]) -> None:
    async with polling_of(images=many()) as polling:
        await polling.first_round(FOUND)
        async with watching(polling) as busiest:
            await change(polling)
        assert busiest.in_all >= IMAGES
        assert busiest.most <= AT_MOST


async def test_the_first_pull_that_a_registry_shows() -> None:
    images = {name: [tag("v1", pulled=0)] for name in NAMES}
    async with polling_of(images=images) as polling:
        await polling.first_round(FOUND)
        unknown = polling.state(NAMES[-1]).image
        polling.images[NAMES[0]] = [tag("v1")]
        async with watching(polling) as busiest:
            await polling.intervals(1)
            known = polling.state(NAMES[-1]).image
        assert (unknown and unknown.never_pulled_tags, known and known.never_pulled_tags) == (
            None,
            1,
        )
        assert busiest.most <= AT_MOST


async def test_an_image_list_that_expires() -> None:
    rarely = Timing(interval=86400.0, expire_after=3600.0)  # no poll comes before
    asked = list_target_of(registry_target(rules=(rule("*", rarely),), timing=rarely))
    images = {name: [tag("v1")] for name in NAMES}
    async with polling_of(images=images) as polling:
        await polling.first_round(asked)
        async with watching(polling) as busiest:
            await polling.clock.advance(rarely.expire_after - 1)
            await polling.clock.advance(1)
            await passing(polling.clock, lambda: polling.state(NAMES[-1]).pull_count is None)
        assert busiest.most <= AT_MOST


async def test_an_image_of_very_many_tags_is_judged_by_another_policy_in_a_thread() -> None:
    tags = tuple(Tag(f"v{number}", last_updated=number) for number in range(30_000))
    registry = registry_target()
    saved = SavedState(
        images={registry.identity: {"app": SavedImage(TagList.of(tags), NOW - 60, 7)}}
    )
    async with polling_of(images={}, saved=saved) as polling:
        polling.registry.fault = fault_named("hang")  # no poll brings other tags
        await polling.poller.apply([naming("app")])
        async with turns() as measured:
            await polling.poller.apply([choosing(rule("app", tags_limit=7))])
        image = polling.state().image
        assert image is not None
        assert image.tags == len(tags)
        assert measured.longest < 0.05


async def visited_by_collections(images: int) -> int:
    """Return how many objects a full garbage collection visits once so many images were polled."""
    tags = [tag("v1")]  # the test's own, once for all
    content = {name: tags for name in NAMES[:images]}  # noqa: C420 -- as ruff's own RUF024 has it
    async with polling_of(images=content) as polling:
        await polling.first_round(FOUND)
        exhaust(polling.exposition.render_changes())
        polling.told.images.clear()
        polling.registry.requests.clear()
        gc.collect()
        return len(gc.get_objects())


async def test_a_full_garbage_collection_has_next_to_nothing_to_visit_of_each_image() -> None:
    await visited_by_collections(10)  # what is imported and cached the first time
    few, many = await visited_by_collections(100), await visited_by_collections(IMAGES)
    assert (many - few) / (IMAGES - 100) < 4


async def test_a_registry_that_ends_while_its_images_begin_leaves_none() -> None:
    async with polling_of(images=many(), saved=kept()) as polling:
        begun = asyncio.create_task(polling.poller.apply([FOUND]))
        await passing(polling.clock, lambda: len(polling.store.images) > 0)
        await polling.poller._registries.end(polling.listed().target)
        await begun
        assert not polling.store.images
        assert not polling.store.registries
