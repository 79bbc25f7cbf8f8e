"""Work in threads beside the event loop: a thread each for what may hang, one for what computes.

No work uses the event loop's own few threads, those of `asyncio.to_thread`. They look up the names
of hosts, which cannot be cancelled: while no name server answers, all of them hang.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

# One thread: the interpreter runs one at a time, so more would compute no faster. But the event
# loop would wait for a turn of each: 20 listings of 5,000 tags delayed it by 40 ms when evaluated
# one after the other, by 150 ms in four threads, and by 600 ms in a thread each.
_COMPUTING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="computing")


async def compute_in_thread(
    work: Callable[Arguments, Result], *args: Arguments.args, **keywords: Arguments.kwargs
) -> Result:
    """Return the result of `work`, which computes for long and waits for nothing.

    It waits for the work that others gave earlier. Cancelling does not stop work that has begun.
    """
    call = partial(work, *args, **keywords)
    return await asyncio.get_running_loop().run_in_executor(_COMPUTING, call)


def in_own_thread(work: Callable[[], Result]) -> asyncio.Future[Result]:
    """Start `work`, which may hang, in a thread of its own; return the future of its result.

    It never waits for a free thread. Cancelling the future does not stop the thread.
    """
    return asyncio.wrap_future(start_in_thread(work))


def start_in_thread(work: Callable[[], Result]) -> Future[Result]:
    """Start `work` in a thread of its own; return the future of its result.

    The thread is a daemon: the end of the program does not wait for it.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 -- raised where the result is asked for
            future.set_exception(error)

    future.set_running_or_notify_cancel()  # a caller that gives up must not cancel it half-way
    threading.Thread(target=run, name="work", daemon=True).start()
    return future
