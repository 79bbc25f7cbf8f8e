"""The queue for hashes: turns one after another, and chance where too many wait."""

import asyncio
from collections import Counter

from ncr_exporter.httpd.webconfig.hash_queue import HashQueue
from tests.support.clock import settle


class Queue:
    """A queue whose first turn is taken until `pass_on` is called as often as there are turns."""

    def __init__(self) -> None:
        self.queue = HashQueue()
        self.turns: list[str] = []
        self.dropped: list[str] = []
        self._passes = asyncio.Semaphore(0)

    async def visit(self, client: str) -> None:
        if await self.queue.turn(client):
            self.turns.append(client)
            await self._passes.acquire()
            self.queue.pass_on()
        else:
            self.dropped.append(client)

    async def come(self, *clients: str) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.visit(client)) for client in clients]
        await settle()
        return tasks

    async def pass_on(self, times: int) -> None:
        for _ in range(times):
            self._passes.release()
            await settle()


async def test_turns_go_one_by_one_in_the_order_of_coming() -> None:
    it = Queue()
    await it.come("a", "b", "c")
    assert it.turns == ["a"]
    await it.pass_on(1)
    assert it.turns == ["a", "b"]
    await it.pass_on(2)
    await it.come("d")
    assert it.turns == ["a", "b", "c", "d"]
    assert it.dropped == []
    await it.pass_on(1)


async def test_of_33_who_wait_any_may_be_dropped_the_newest_as_the_oldest() -> None:
    dropped = Counter[int]()
    for _ in range(200):
        it = Queue()
        await it.come("taken", *(["same"] * 32))
        waiting = it.queue._waiting[:]
        newest = (await it.come("same"))[0]
        gone = [each for each in waiting if each not in it.queue._waiting]
        dropped[waiting.index(gone[0]) if gone else 32] += 1
        assert newest.done() == (not gone)
        await it.pass_on(33)
    assert len(dropped) > 25, "all of them are tried by chance"
    assert max(dropped.values()) < 30, dropped


async def test_the_host_that_floods_pays_for_it_and_nobody_else() -> None:
    it = Queue()
    await it.come(*(["flood"] * 33), "friend")
    for _ in range(50):
        await it.come("flood")
    assert set(it.dropped) == {"flood"}
    await it.pass_on(33)
    assert it.turns.count("friend") == 1


async def test_one_that_leaves_while_it_waits_takes_no_turn() -> None:
    it = Queue()
    _, second, _ = await it.come("a", "b", "c")
    second.cancel()
    await settle()
    await it.pass_on(1)
    assert it.turns == ["a", "c"]
    await it.pass_on(1)


async def test_one_that_leaves_in_the_moment_of_its_turn_passes_it_on() -> None:
    it = Queue()
    _, second, third, _ = await it.come("a", "b", "c", "d")
    it._passes.release()
    while it.queue._waiting[0].client == "b":
        await asyncio.sleep(0)
    second.cancel()
    third.cancel()
    await settle()
    assert it.turns == ["a", "d"]
    await it.pass_on(1)
