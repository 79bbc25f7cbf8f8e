"""Work in threads: what may hang delays no other, and what computes takes turns."""

import asyncio
import threading

import pytest

from ncr_exporter.runtime.threads import compute_in_thread, in_own_thread


async def test_what_hangs_delays_no_other_work() -> None:
    up = threading.Event()
    hung = [in_own_thread(lambda: up.wait(30)) for _ in range(50)]
    assert await asyncio.wait_for(in_own_thread(lambda: 1), 2.0) == 1
    assert await asyncio.wait_for(compute_in_thread(int, "2"), 2.0) == 2
    up.set()
    assert await asyncio.gather(*hung) == [True] * 50


async def test_what_computes_does_it_one_after_the_other_beside_the_event_loop() -> None:
    looked_at, at_work, most = threading.Event(), list[int](), list[int]()

    def compute(number: int) -> int:
        at_work.append(number)
        most.append(len(at_work))
        assert looked_at.wait(10), "the event loop goes on"
        at_work.remove(number)
        return number

    work = asyncio.gather(*(compute_in_thread(compute, number) for number in range(20)))
    await asyncio.sleep(0)
    looked_at.set()
    assert await work == list(range(20))
    assert most == [1] * 20


@pytest.mark.parametrize("way", [in_own_thread, compute_in_thread])
async def test_what_work_raises_is_raised_where_its_result_is_asked_for(way: object) -> None:
    assert callable(way)
    with pytest.raises(ZeroDivisionError):
        await way(lambda: 1 // 0)
