"""Data that nobody renewed leaves after a while."""

import pytest

from ncr_exporter.polling.expiry import Expiry
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def expiry(clock: ManualClock) -> Expiry:
    return Expiry(clock)


def lease(clock: ManualClock, expiry: Expiry, after: float, age: float = 0.0) -> list[float]:
    """Renew data, and return when it expired, in seconds from now on."""
    gone: list[float] = []
    began = clock.monotonic()
    expiry.renew("a", after, lambda _: gone.append(clock.monotonic() - began), age=age)
    return gone


async def test_it_leaves_after_so_long(clock: ManualClock, expiry: Expiry) -> None:
    gone = lease(clock, expiry, 100)
    await clock.advance(1000)
    assert gone == [100]


async def test_renewing_begins_anew(clock: ManualClock, expiry: Expiry) -> None:
    lease(clock, expiry, 100)
    await clock.advance(60)
    gone = lease(clock, expiry, 100)
    await clock.advance(1000)
    assert gone == [100]


async def test_data_of_some_age_leaves_sooner_and_too_old_data_at_once(
    clock: ManualClock, expiry: Expiry
) -> None:
    gone = lease(clock, expiry, 100, age=70)
    await clock.advance(30)
    at_once = lease(clock, expiry, 100, age=500)
    await clock.advance(0)
    assert gone + at_once == [30, 0]


async def test_another_limit_counts_from_when_the_data_came(
    clock: ManualClock, expiry: Expiry
) -> None:
    gone = lease(clock, expiry, 100, age=10)
    await clock.advance(20)
    expiry.change("a", 200)
    await clock.advance(20)
    expiry.change("a", 150)
    await clock.advance(1000)
    assert gone == [140]


def test_changing_what_is_not_there_does_nothing(clock: ManualClock, expiry: Expiry) -> None:
    expiry.change("a", 200)
    assert clock.pending == []


async def test_what_is_dropped_or_switched_off_never_leaves(
    clock: ManualClock, expiry: Expiry
) -> None:
    gone = lease(clock, expiry, 100)
    expiry.drop("a")
    await clock.advance(1000)
    assert gone == []
    off = lease(clock, Expiry(clock, off=True), 100)
    await clock.advance(1000)
    assert off == []
