"""Data that nobody renewed leaves after a while."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ncr_exporter.polling.expiry import Expiry
from tests.support.clock import ManualClock

Scenario = Callable[[ManualClock, Expiry], Coroutine[Any, Any, list[float]]]


def ran(scenario: Scenario, *, off: bool = False) -> list[float]:
    """Return when data expired, in seconds since the beginning."""

    async def run() -> list[float]:
        clock = ManualClock()
        return await scenario(clock, Expiry(clock, off=off))

    return asyncio.run(run())


def lease(clock: ManualClock, expiry: Expiry, after: float, age: float = 0.0) -> list[float]:
    gone: list[float] = []
    began = clock.monotonic()
    expiry.renew("a", after, lambda: gone.append(clock.monotonic() - began), age=age)
    return gone


def test_it_leaves_after_so_long() -> None:
    async def scenario(clock: ManualClock, expiry: Expiry) -> list[float]:
        gone = lease(clock, expiry, 100)
        await clock.advance(1000)
        return gone

    assert ran(scenario) == [100]


def test_renewing_begins_anew() -> None:
    async def scenario(clock: ManualClock, expiry: Expiry) -> list[float]:
        lease(clock, expiry, 100)
        await clock.advance(60)
        gone = lease(clock, expiry, 100)
        await clock.advance(1000)
        return gone

    assert ran(scenario) == [100]


def test_data_of_some_age_leaves_sooner_and_too_old_data_at_once() -> None:
    async def scenario(clock: ManualClock, expiry: Expiry) -> list[float]:
        gone = lease(clock, expiry, 100, age=70)
        await clock.advance(30)
        at_once = lease(clock, expiry, 100, age=500)
        await clock.advance(0)
        return gone + at_once

    assert ran(scenario) == [30, 0]


def test_another_limit_counts_from_when_the_data_came() -> None:
    async def scenario(clock: ManualClock, expiry: Expiry) -> list[float]:
        gone = lease(clock, expiry, 100, age=10)
        await clock.advance(20)
        expiry.change("a", 200)
        await clock.advance(20)
        expiry.change("a", 150)
        await clock.advance(1000)
        return gone

    assert ran(scenario) == [140]


def test_changing_what_is_not_there_does_nothing() -> None:
    async def scenario(clock: ManualClock, expiry: Expiry) -> list[float]:
        expiry.change("a", 200)
        return clock.pending

    assert ran(scenario) == []


def test_what_is_dropped_or_switched_off_never_leaves() -> None:
    async def scenario(clock: ManualClock, expiry: Expiry) -> list[float]:
        gone = lease(clock, expiry, 100)
        expiry.drop("a")
        await clock.advance(1000)
        return gone

    async def off(clock: ManualClock, expiry: Expiry) -> list[float]:
        gone = lease(clock, expiry, 100)
        await clock.advance(1000)
        return gone

    assert ran(scenario) == []
    assert ran(off, off=True) == []
