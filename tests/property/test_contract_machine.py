"""Polls, faults, births, deletions, reloads, restarts and clock steps in any order: contract §5.

The program from the API's client to the exposition, a clock moved by hand, and answers without
sockets. After each step what is published must be what `tests.oracle.model` expects, whole.
"""

import asyncio
import gzip
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any

import structlog
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.metrics.gzip import gzip_member
from ncr_exporter.ncr.versions import VERSIONS
from ncr_exporter.polling.poller import Poller
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.state.frames import deleted_frame, image_frame, registry_frame
from ncr_exporter.state.model import ImageState
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Coverage, Shard
from tests.oracle.computation import Json
from tests.oracle.draws import (
    IMAGE_PULLS,
    IMAGES,
    INTERVAL,
    LISTINGS,
    REGISTRIES,
    SETTINGS,
    UPDATES,
    list_target,
)
from tests.oracle.model import Model
from tests.oracle.samples import AGE, published
from tests.oracle.settings import Settings
from tests.oracle.world import FAULTS, SLOWEST, SPOILED, WatchedClient, World
from tests.support.clock import ManualClock
from tests.support.expositions import Key, samples_of
from tests.support.properties import share
from tests.support.states import ACCOUNT, read_frames

DAY = 86_400.0
LONGEST_LIST = 2 * SLOWEST + 1
"""Seconds: one that does not agree with its count is read twice."""


def differences(found: dict[Key, float], expected: dict[Key, float]) -> list[str]:
    """Return what is published and should not be, and the other way round."""
    return [
        f"{key}: {found.get(key, 'absent')}, not {expected.get(key, 'absent')}"
        for key in sorted({*found, *expected})
        if found.get(key) != expected.get(key)
    ]


class Watched(Exposition):
    """An exposition; the model is told of each poll that no request was sent for."""

    def __init__(self, client: WatchedClient) -> None:
        super().__init__()
        self._client = client

    def put(self, state: ImageState) -> None:
        self._client.put(state)
        super().put(state)


class Contract(RuleBasedStateMachine):
    """An exporter's life, which begins with version 2 of the API."""

    version = "v2"

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.logs = self.stack.enter_context(structlog.testing.capture_logs())
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock(rounds=8)
        self.world, self.model = World(), Model()
        self.client = WatchedClient(self.world, self.model, self.clock, self.version)
        self.started = False

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(work)

    async def start(self, kept: SavedState) -> None:
        self.exposition = Watched(self.client)
        self.store = Store(self.exposition)
        self.poller = Poller(
            {ACCOUNT: self.client}, self.store, Budget(1e9), self.clock, Shard(), saved=kept
        )
        await self.poller.apply([list_target(self.model.settings)])
        self.started = True
        await self.clock.advance(0.01)

    @initialize(settings=SETTINGS, listing=LISTINGS)
    def begin(self, settings: Settings, listing: list[Json]) -> None:
        self.world.content["one"]["a"] = listing
        self.world.content["two"]["b"] = listing
        self.model.configured(settings)
        self.do(self.start(SavedState()))

    # The API

    @rule(
        registry=REGISTRIES,
        image=IMAGES,
        listing=LISTINGS,
        pulls=st.integers(0, 3),
        updated=UPDATES,
        pulled=IMAGE_PULLS,
    )
    def push(  # noqa: PLR0913 -- what a push changes, each by name
        self,
        *,
        registry: str,
        image: str,
        listing: list[Json],
        pulls: int,
        updated: int | None,
        pulled: int | None,
    ) -> None:
        """Have an image born or changed, its registry with it where there is none."""
        self.world.content.setdefault(registry, {})[image] = listing
        self.world.pulls[registry, image] = pulls
        self.world.updated[registry, image] = updated
        self.world.pulled[registry, image] = pulled

    @rule(registry=REGISTRIES, image=IMAGES)
    def delete(self, registry: str, image: str) -> None:
        self.world.content.get(registry, {}).pop(image, None)

    @rule(registry=REGISTRIES, intervals=st.integers(0, 2))
    def delete_all_tags(self, registry: str, intervals: int) -> None:
        """Have a registry's images lose all their tags, for good or until after a few polls."""
        images = self.world.content.get(registry, {})
        before = dict(images)
        images.update({image: [] for image in before})
        if intervals:
            self.do(self.clock.advance(intervals * self.model.settings.interval))
            images.update(before)

    @rule(
        registry=REGISTRIES,
        image=IMAGES,
        counts=st.lists(st.sampled_from([100, 99, 98, 50, 49, 3]), min_size=1, max_size=4),
    )
    def count_pulls(self, registry: str, image: str, counts: list[int]) -> None:
        """Have a list say another count of pulls each time it is asked for."""
        for count in counts:
            self.world.pulls[registry, image] = count
            self.do(self.clock.advance(self.model.settings.interval))

    @rule(registry=REGISTRIES)
    def delete_registry(self, registry: str) -> None:
        self.world.content.pop(registry, None)

    @rule(registry=REGISTRIES, image=IMAGES)
    def list_wrongly(self, registry: str, image: str) -> None:
        self.world.unlisted ^= {(registry, image)}

    @rule(
        where=st.sampled_from(["", "/tags?", "/one/a/", "/two?", "/one?", "/repositories?"]),
        fault=st.sampled_from([*FAULTS, *SPOILED]),
    )
    def misbehave(self, where: str, fault: str) -> None:
        self.world.faults = {where: fault, **self.world.faults}

    @rule(registry=REGISTRIES, image=IMAGES | st.none())
    def lose_a_name(self, registry: str, image: str | None) -> None:
        """Have a list hold a record without a name, where an image or the registry was."""
        if image is None:
            self.world.content.pop(registry, None)
            self.world.faults = {"/repositories?": "nameless"}
        else:
            self.world.unlisted.add((registry, image))
            self.world.faults = {f"/{registry}?": "nameless"}

    @rule(
        registry=REGISTRIES,
        faults=st.sampled_from([("missing page", "denied"), ("service 404", "denied page")]),
    )
    def lose_a_page(self, registry: str, faults: tuple[str, str]) -> None:
        """Have a page be missing or denied beside what would make its image gone.

        That is a list that may not be read, or a 404 from the service for the image itself.
        """
        of_tags, of_images = faults
        self.world.faults = {f"/{registry}?": of_images, f"/{registry}/": of_tags}

    @rule()
    def behave(self) -> None:
        self.world.faults.clear()

    @rule(seconds=st.sampled_from([0.0, 0.0, 50.0, SLOWEST]))
    def answer_slowly(self, seconds: float) -> None:
        self.world.slow = seconds

    # Time

    @rule(seconds=st.integers(1, 200))
    def a_moment_passes(self, seconds: int) -> None:
        self.do(self.clock.advance(seconds))

    @rule(intervals=st.integers(1, 4))
    def intervals_pass(self, intervals: int) -> None:
        self.do(self.clock.advance(intervals * INTERVAL))

    @rule(intervals=st.integers(3, 12))
    def the_api_is_out(self, intervals: int) -> None:
        before, self.world.faults = self.world.faults, {"": "timeout"}
        self.do(self.clock.advance(intervals * INTERVAL))
        self.world.faults = before

    @rule(seconds=st.integers(-7200, 7200) | st.sampled_from([-3 * int(DAY), 3 * int(DAY)]))
    def the_wall_clock_is_set(self, seconds: int) -> None:
        self.clock.set_wall(self.clock.time() + seconds)

    # The exporter

    @rule(settings=SETTINGS)
    def reload(self, settings: Settings) -> None:
        self.model.expire(self.clock.monotonic())
        self.model.configured(settings)
        self.do(self._applied(settings))

    async def _applied(self, settings: Settings) -> None:
        await self.poller.apply([list_target(settings)])
        await self.clock.advance(0.01)

    @rule()
    def reload_the_same(self) -> None:
        self.reload(self.model.settings)

    @rule(version=st.sampled_from(list(VERSIONS)))
    def switch_the_version(self, version: str) -> None:
        """Reload with another `api.version`: nothing else may change by it."""
        self.client.speak(version)
        self.reload(self.model.settings)

    @rule(seconds=st.integers(0, 7200) | st.just(2 * int(DAY)), during_outage=st.booleans())
    def restart(self, seconds: int, during_outage: bool) -> None:  # noqa: FBT001 -- drawn
        if during_outage:
            self.world.faults = {"": "timeout", **self.world.faults}
        self.do(self._restarted(seconds))

    async def _restarted(self, seconds: int) -> None:
        await self.poller.stop()
        frames = [
            *map(registry_frame, self.store.registries.values()),
            *map(image_frame, self.store.images.values()),
            *map(deleted_frame, self.store.deleted.values()),
        ]
        self.model.expire(self.clock.monotonic())
        await self.clock.advance(seconds)
        coverage = Coverage([list_target(self.model.settings)], Shard())
        kept = read_frames([frame for frame in frames if frame], self.clock.time(), coverage)
        self.model.restarted(self.client.now)
        self.client.asked.clear()
        await self.start(kept)

    # What must hold

    @invariant()
    def what_is_published_is_what_the_contract_says(self) -> None:
        if self.started:
            expected = published(self.model, self.client.now)
            found = differences(samples_of(self.text()), expected)
            assert found == [], "\n".join(found)

    @invariant()
    def everything_is_asked_for_again_and_again(self) -> None:
        now = self.clock.monotonic()
        self.client.asked = {
            subject: self.client.asked.get(subject, now) for subject in self.model.subjects()
        }
        late = {
            subject: now - asked
            for subject, asked in self.client.asked.items()
            if now - asked > self.model.settings.interval + LONGEST_LIST
        }
        assert late == {}

    @invariant()
    def a_scrape_later_differs_in_ages_alone_and_gzip_in_nothing(self) -> None:
        if self.started:
            now, later = self.text(), self.text(7)
            assert [line for line in now.splitlines() if not line.startswith(AGE)] == [
                line for line in later.splitlines() if not line.startswith(AGE)
            ]
            packed = exhaust(
                self.exposition.snapshot.gzip_part(self.clock.time(), openmetrics=False)
            )
            assert gzip.decompress(gzip_member(packed)).decode() == now

    @invariant()
    def nothing_unexpected_is_logged(self) -> None:
        assert [entry for entry in self.logs if entry["log_level"] == "error"] == []

    def text(self, later: float = 0.0) -> str:
        pieces = self.exposition.snapshot.text(self.clock.time() + later, openmetrics=False)
        return b"".join(pieces).decode()

    def teardown(self) -> None:
        if self.started:
            samples_of(
                b"".join(self.exposition.snapshot.text(0.0, openmetrics=True)).decode() + "# EOF\n",
                openmetrics=True,
            )
            self.do(self.poller.stop())
        self.loop.close()
        self.stack.close()


class ContractV3(Contract):
    """An exporter's life, which begins with version 3."""

    version = "v3"


Contract.TestCase.settings = share(0.13, steps=30)
ContractV3.TestCase.settings = share(0.13, steps=30)
TestContract = Contract.TestCase
TestContractV3 = ContractV3.TestCase
