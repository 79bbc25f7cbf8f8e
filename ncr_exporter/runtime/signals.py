"""Signal handlers: SIGTERM and SIGINT stop a command, SIGHUP reloads the configuration.

What came before them is noted by `startup_signals`.
"""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.startup_signals import hangup_was_noted

_INTERRUPT_TIMEOUT = 1.0  # seconds from the signal to the end of a one-shot command


def reload_on_hangup(reload: Callable[[], Awaitable[None]]) -> None:
    """Install a handler for SIGHUP that calls `reload`; call it now if SIGHUP came before.

    Args:
        reload: reads the configuration and applies it. It has logged a UserError that it raises.
    """
    under_way: set[asyncio.Task[None]] = set()  # the event loop alone keeps no task alive

    async def quietly() -> None:
        with contextlib.suppress(UserError):
            await reload()

    def begin() -> None:
        task = asyncio.create_task(quietly())
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, begin)
    if hangup_was_noted():
        begin()


def run_until_interrupted(work: Coroutine[Any, Any, int]) -> int:
    """Run `work` in an event loop of its own and return its exit code.

    SIGINT, SIGTERM and SIGHUP cancel it; SIGHUP does not where it is ignored, as under nohup. Then
    the code is 128 + the signal's number, as in shells, and the process ends one second after the
    signal at the latest.
    """
    return asyncio.run(_run(work))


async def _run(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.ensure_future(work)
    received: list[int] = []

    def interrupt(number: int) -> None:
        received.append(128 + number)
        _exit_after(_INTERRUPT_TIMEOUT, 128 + number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue
        asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
    try:
        return await task
    except asyncio.CancelledError:
        sys.stderr.write("ncr-exporter: interrupted\n")
        return received[0]


def _exit_after(seconds: float, code: int) -> None:
    """End the process after `seconds`, unless it has ended by then.

    A name look-up (getaddrinfo) runs in a thread that cannot be cancelled, and the interpreter
    waits for such threads before it exits.
    """
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()
