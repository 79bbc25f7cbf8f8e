"""What signals do: SIGTERM and SIGINT stop, SIGHUP reloads."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ncr_exporter.runtime.errors import UserError

_LONGEST_STOP = 3.0
"""Seconds. A name look-up runs in a thread that nothing can end; it must not hold the exit up."""


def stop_requested() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; the process ends soon after, whatever hangs."""
    stop = asyncio.Event()

    def request_stop() -> None:
        stop.set()
        deadline = threading.Timer(_LONGEST_STOP, os._exit, (0,))
        deadline.daemon = True
        deadline.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, request_stop)
    return stop


def reload_on_hangup(reload: Callable[[], Awaitable[None]]) -> None:
    """Call `reload` on SIGHUP; the UserError that it may raise was logged already."""
    under_way: set[asyncio.Task[None]] = set()  # a task that nobody holds may vanish

    async def quietly() -> None:
        with contextlib.suppress(UserError):
            await reload()

    def begin() -> None:
        task = asyncio.create_task(quietly())
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, begin)


_LONGEST_END = 1.0
"""Seconds. A name look-up runs in a thread that nothing can end; it must not hold the exit up."""


def run_to_its_end(work: Coroutine[Any, Any, int]) -> int:
    """Return what `work` returns; after SIGINT or SIGTERM, as shells expect, 128 + the number."""
    return asyncio.run(_run(work))


async def _run(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.ensure_future(work)
    received: list[int] = []

    def end(number: int) -> None:
        received.append(128 + number)
        deadline = threading.Timer(_LONGEST_END, os._exit, (128 + number,))
        deadline.daemon = True
        deadline.start()
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        sys.stderr.write("ncr-exporter: interrupted\n")
        return received[0]
