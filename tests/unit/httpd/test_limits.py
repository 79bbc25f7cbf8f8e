"""ConcurrencyLimit: no more permits than the limit, a short wait for one, and none lost."""

import asyncio

from ncr_exporter.httpd.limits import ConcurrencyLimit, Permit
from tests.support.clock import settle


async def acquired(limit: ConcurrencyLimit) -> Permit:
    """Return a permit, which must be free."""
    permit = await limit.acquire()
    assert permit is not None
    return permit


async def test_no_more_permits_than_the_limit() -> None:
    limit = ConcurrencyLimit(2, admission=0.02)
    await acquired(limit)
    await acquired(limit)
    assert await limit.acquire() is None


async def test_a_permit_released_can_be_acquired_again() -> None:
    limit = ConcurrencyLimit(1, admission=0.02)
    for _ in range(3):
        (await acquired(limit)).release()
    await acquired(limit)
    assert await limit.acquire() is None


async def test_releasing_twice_makes_no_second_permit() -> None:
    limit = ConcurrencyLimit(1, admission=0.02)
    permit = await acquired(limit)
    permit.release()
    permit.release()
    await acquired(limit)
    assert await limit.acquire() is None


async def test_who_waits_gets_the_permit_that_comes_free_in_the_order_of_coming() -> None:
    limit = ConcurrencyLimit(1, admission=5.0)
    permit = await acquired(limit)
    waiting = [asyncio.create_task(acquired(limit)) for _ in range(3)]
    for task in waiting:
        await settle()
        assert not task.done()
        permit.release()
        permit = await task


async def test_the_wait_is_as_long_as_admission() -> None:
    limit = ConcurrencyLimit(1, admission=0.1)
    await acquired(limit)
    start = asyncio.get_running_loop().time()
    assert await limit.acquire() is None
    assert 0.09 < asyncio.get_running_loop().time() - start < 2.0


async def test_who_gives_up_waiting_takes_no_permit_along() -> None:
    limit = ConcurrencyLimit(1, admission=0.05)
    permit = await acquired(limit)
    waiting = [asyncio.create_task(limit.acquire()) for _ in range(3)]
    await settle()
    waiting[0].cancel()
    await settle()
    assert await waiting[1] is None
    assert await waiting[2] is None
    permit.release()
    (await acquired(limit)).release()


async def test_a_permit_that_comes_free_in_the_moment_of_giving_up_is_not_lost() -> None:
    limit = ConcurrencyLimit(1, admission=5.0)
    permit = await acquired(limit)
    waiting = asyncio.create_task(limit.acquire())
    await settle()
    permit.release()
    waiting.cancel()
    await settle()
    assert waiting.cancelled()
    await asyncio.wait_for(acquired(limit), 1.0)


async def test_clients_take_turns_however_many_requests_one_of_them_has_waiting() -> None:
    limit, order = ConcurrencyLimit(1, admission=5.0), list[str]()

    async def ask(client: str) -> None:
        permit = await limit.acquire(client)
        assert permit is not None
        order.append(client)
        await settle(1)
        permit.release()

    flood = [asyncio.create_task(ask("flood")) for _ in range(20)]
    await asyncio.sleep(0)
    friends = [asyncio.create_task(ask(name)) for name in ("friend", "other", "friend")]
    await asyncio.gather(*flood, *friends)
    assert {"friend", "other"} < set(order[:5])
    assert order[:8].count("friend") == 2
    assert order.count("flood") == 20


async def test_requests_that_gave_up_are_forgotten() -> None:
    limit = ConcurrencyLimit(1, admission=0.01)
    permit = await acquired(limit)
    for number in range(5):
        assert await limit.acquire(f"client-{number}") is None
    assert limit._waiting == {}
    permit.release()
    assert limit.free == 1
