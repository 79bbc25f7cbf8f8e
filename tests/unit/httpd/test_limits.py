"""ConcurrencyLimit: a number at a time, a short wait for a place, and none lost."""

import asyncio

from ncr_exporter.httpd.limits import ConcurrencyLimit, Place
from tests.support.clock import settle


async def taken(places: ConcurrencyLimit) -> Place:
    """Take a place, which must be there."""
    place = await places.take()
    assert place is not None
    return place


async def test_no_more_places_than_there_are() -> None:
    places = ConcurrencyLimit(2, admission=0.02)
    await taken(places)
    await taken(places)
    assert await places.take() is None


async def test_a_place_given_back_can_be_taken_again() -> None:
    places = ConcurrencyLimit(1, admission=0.02)
    for _ in range(3):
        (await taken(places)).give_back()
    await taken(places)
    assert await places.take() is None


async def test_giving_back_twice_makes_no_second_place() -> None:
    places = ConcurrencyLimit(1, admission=0.02)
    place = await taken(places)
    place.give_back()
    place.give_back()
    await taken(places)
    assert await places.take() is None


async def test_who_waits_gets_the_place_that_comes_free_in_the_order_of_coming() -> None:
    places = ConcurrencyLimit(1, admission=5.0)
    place = await taken(places)
    waiting = [asyncio.create_task(taken(places)) for _ in range(3)]
    for task in waiting:
        await settle()
        assert not task.done()
        place.give_back()
        place = await task


async def test_the_wait_is_as_long_as_admission() -> None:
    places = ConcurrencyLimit(1, admission=0.1)
    await taken(places)
    start = asyncio.get_running_loop().time()
    assert await places.take() is None
    assert 0.09 < asyncio.get_running_loop().time() - start < 2.0


async def test_who_gives_up_waiting_takes_no_place_along() -> None:
    places = ConcurrencyLimit(1, admission=0.05)
    place = await taken(places)
    waiting = [asyncio.create_task(places.take()) for _ in range(3)]
    await settle()
    waiting[0].cancel()
    await settle()
    assert await waiting[1] is None
    assert await waiting[2] is None
    place.give_back()
    (await taken(places)).give_back()


async def test_a_place_that_comes_free_in_the_moment_of_giving_up_is_not_lost() -> None:
    places = ConcurrencyLimit(1, admission=5.0)
    place = await taken(places)
    waiting = asyncio.create_task(places.take())
    await settle()
    place.give_back()
    waiting.cancel()
    await settle()
    assert waiting.cancelled()
    await asyncio.wait_for(taken(places), 1.0)
