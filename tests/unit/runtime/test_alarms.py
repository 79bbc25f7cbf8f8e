"""Alarms: many moments on one timer."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.runtime.alarms import Alarms
from tests.support.clock import ManualClock

KEYS = "abcdef"


class Rung:
    """The keys that were called with, each with when it was."""

    def __init__(self) -> None:
        self.clock = ManualClock(rounds=1)
        self.began = self.clock.monotonic()
        self.keys: list[tuple[str, float]] = []
        self.alarms: Alarms[str] = Alarms(self.clock, self.ring)

    def ring(self, key: str) -> None:
        self.keys.append((key, self.clock.monotonic() - self.began))

    def set(self, key: str, after: float) -> None:
        self.alarms.set(key, self.began + after)


MOMENTS = st.integers(0, 20)
CHANGES = st.lists(
    st.tuples(st.just("set"), st.sampled_from(KEYS), MOMENTS)
    | st.tuples(st.just("cancel"), st.sampled_from(KEYS), st.none()),
    max_size=200,
)


@given(CHANGES)
def test_each_key_rings_once_at_the_moment_set_last(
    changes: list[tuple[str, str, int | None]],
) -> None:
    async def run() -> None:
        rung, wanted = Rung(), dict[str, float]()
        for _, key, after in changes:
            if after is None:
                rung.alarms.cancel(key)
                wanted.pop(key, None)
            else:
                rung.set(key, after)
                wanted[key] = after
        assert len(rung.clock.pending) == bool(wanted), "one timer for all"
        await rung.clock.advance(30)
        assert sorted(rung.keys) == sorted(wanted.items())
        assert [moment for _, moment in rung.keys] == sorted(wanted.values())
        assert not rung.clock.pending

    asyncio.run(run())


async def test_thousands_that_are_due_at_once_ring_some_in_each_turn() -> None:
    clock = ManualClock(rounds=1)
    turns: dict[int, int] = {}
    turn = 0
    alarms: Alarms[int] = Alarms(clock, lambda _: turns.update({turn: turns.get(turn, 0) + 1}))
    for key in range(1000):
        alarms.set(key, clock.monotonic() + 1)
    for turn in range(100):
        await clock.advance(1 if turn == 0 else 0)
    assert sum(turns.values()) == 1000


async def test_what_one_alarm_raises_stops_no_other() -> None:
    clock, rung = ManualClock(rounds=1), list[str]()

    def ring(key: str) -> None:
        rung.append(key)
        if key == "a":
            raise RuntimeError("an alarm's own error")

    alarms: Alarms[str] = Alarms(clock, ring)
    for key in ("a", "b"):
        alarms.set(key, clock.monotonic() + 1)
    with pytest.raises(RuntimeError):
        await clock.advance(1)
    await clock.advance(0)
    assert rung == ["a", "b"]


async def test_an_alarm_may_set_itself_again_and_cancel_another() -> None:
    rung = Rung()

    def ring(key: str) -> None:
        rung.ring(key)
        rung.alarms.cancel("b")
        if len(rung.keys) < 3:
            rung.set("a", 5.0 * (len(rung.keys) + 1))

    rung.alarms = Alarms(rung.clock, ring)
    rung.set("a", 5)
    rung.set("b", 5)
    await rung.clock.advance(60)
    assert rung.keys == [("a", 5.0), ("a", 10.0), ("a", 15.0)]


async def test_moments_that_were_changed_often_take_no_room() -> None:
    rung = Rung()
    for number in range(10_000):
        rung.set("a", 100 + number)
    assert len(rung.alarms._heap) < 100
    assert rung.alarms.due("a") == rung.began + 10_099
    assert rung.alarms.due("b") is None
