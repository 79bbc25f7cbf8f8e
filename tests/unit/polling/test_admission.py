"""Many polls wait for their turn as keys: a few hundred of an account have started at a time."""

import asyncio
from collections.abc import Callable

import pytest

from ncr_exporter.polling.admission import MOST_STARTED, Admission
from ncr_exporter.targets.targets import RegistryListTarget
from tests.support.api_client import tag
from tests.support.clock import settle
from tests.support.polling import Polling, choosing, polling_of
from tests.support.states import rule

ONE_MORE = MOST_STARTED + 1
EVERY: RegistryListTarget = choosing(rule("*"))


class Office:
    """Starts jobs, and notes which have waited; those of `quick` end as soon as they start."""

    def __init__(self, quick: Callable[[str], bool] = lambda _: False) -> None:
        self.admission = Admission[str](self.start)
        self.started: list[str] = []
        self.since: dict[str, float] = {}
        self._quick = quick

    def start(self, key: str, since: float) -> bool:
        self.started.append(key)
        self.since[key] = since
        return not self._quick(key)

    def ask(self, key: str, *, account: str = "a", registry: str = "r", now: float = 0.0) -> bool:
        return self.admission.admits(key, account, registry, now)

    def fill(self, account: str = "a") -> None:
        for number in range(MOST_STARTED):
            assert self.ask(f"{account}-{number}", account=account)


def test_so_many_start_at_once_and_each_further_one_as_another_ends() -> None:
    office = Office()
    office.fill()
    assert not any(office.ask(key, now=7.5) for key in ("x", "y"))
    office.admission.drop("a-3")
    assert office.started == ["x"]
    assert office.since == {"x": 7.5}
    office.admission.drop("x")
    assert office.started == ["x", "y"]
    assert not office.admission


def test_registries_take_turns() -> None:
    office = Office()
    office.fill()
    for key in ("big/1", "big/2", "big/3", "small/1"):
        office.ask(key, registry=key.split("/")[0])
    for number in range(4):
        office.admission.drop(f"a-{number}")
    assert office.started == ["big/1", "small/1", "big/2", "big/3"]


def test_accounts_do_not_wait_for_one_another() -> None:
    office = Office()
    office.fill()
    assert not office.ask("x")
    assert office.ask("b", account="b")


def test_who_left_the_queue_does_not_start_and_costs_nobody_a_turn() -> None:
    office = Office()
    office.fill()
    for key in ("x", "y"):
        office.ask(key)
    office.admission.drop("x")
    office.admission.drop("a-0")
    assert office.started == ["y"]
    office.admission.drop("unknown")


async def test_those_that_end_as_they_start_give_their_turn_on_some_at_a_time() -> None:
    office = Office(quick=lambda key: key != "slow")
    office.fill()
    for number in range(100):
        office.ask(f"quick-{number}")
    office.ask("slow")
    office.admission.drop("a-0")
    assert len(office.started) < 50
    assert not office.ask("late"), "who comes now waits behind those"
    await settle()
    assert office.started[-1] == "slow"
    assert len(office.started) == 101
    assert not office.ask("later"), "it holds the place"


def test_nobody_starts_after_the_end() -> None:
    office = Office()
    office.fill()
    office.ask("x")
    office.admission.clear()
    office.admission.drop("a-0")
    assert office.started == []


@pytest.fixture
def many() -> dict[str, list[dict[str, object]]]:
    return {f"app-{number:03}": [tag("v1")] for number in range(MOST_STARTED + 150)}


async def test_no_more_tasks_than_that_wait_for_the_rate_limit(
    many: dict[str, list[dict[str, object]]],
) -> None:
    most = 0
    async with polling_of(images=many, limit=10_000) as polling:
        polled = asyncio.create_task(polling.first_round(EVERY))
        while not polled.done():
            most = max(most, len(asyncio.all_tasks()))
            await asyncio.sleep(0)
        assert sorted(polling.asked) == sorted(many)
        assert MOST_STARTED < most < MOST_STARTED + 50


async def test_a_poll_takes_as_long_as_it_waited_for_its_turn(
    many: dict[str, list[dict[str, object]]],
) -> None:
    """The first images have answers at once; the last have waited for nearly all of the round."""
    async with polling_of(images=many, limit=10_000) as polling:
        began = polling.clock.monotonic()
        await polling.first_round(EVERY)
        took = polling.clock.monotonic() - began
        slowest = max(state.duration or 0 for state in polling.store.images.values())
        assert took * 0.8 < slowest <= took


async def test_what_waits_when_its_registry_leaves_is_never_asked_for(
    many: dict[str, list[dict[str, object]]],
) -> None:
    async with polling_of(images=many, limit=10_000) as polling:
        await polling.poller.apply([EVERY])
        await _waiting(polling)
        await polling.poller.apply([choosing(rule("app-000"))])
        await polling.settled()
        assert set(polling.store.images) == {("my-registry", "app-000")}
        assert len(polling.asked) < len(many)


async def _waiting(polling: Polling) -> None:
    """Let sockets work until more images are known than have started."""
    while len(polling.store.images) <= MOST_STARTED + 10:
        await polling.clock.advance(0.001)
        await asyncio.sleep(0)
