"""How a command that ends by itself is run, and ended before."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from typing import Any

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
