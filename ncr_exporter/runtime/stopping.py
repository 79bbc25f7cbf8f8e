"""How `serve` stops: asked by a signal, within a deadline for what hangs."""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

_PATIENCE = 3.0
"""Seconds after which what makes no progress counts as hanging."""
_STORAGE_PATIENCE = 15.0
"""The same for the storage: one sync of a slow disk may take as long."""
_LOG_PATIENCE = 0.5
"""Seconds that the last line may take: its reader may be what hangs."""
_LOOK = 0.05
_CUT = 1
"""The exit code of a process that its deadline ended."""

log = structlog.get_logger()


class StopDeadline:
    """Ends the process if stopping makes no progress.

    A look-up of a name (getaddrinfo) runs in a thread that cannot be cancelled, and the interpreter
    waits for such threads before it exits. Writing to a disk may hang too.
    """

    def __init__(self) -> None:
        self._has_begun = False
        self._due = 0.0
        self._is_done = False
        self._stores = False
        """Whether there is a storage whose last write may be what is cut."""

    def begin(self) -> None:
        """Start the deadline: three seconds from now, unless `postpone` is called meanwhile."""
        if not self._has_begun:
            self._has_begun = True
            self._due = time.monotonic() + _PATIENCE
            threading.Thread(target=self._watch, daemon=True).start()

    def postpone(self) -> None:
        """Allow more time, because the storage makes progress; any thread may call this."""
        self._stores = True
        self._due = time.monotonic() + _STORAGE_PATIENCE

    def done(self) -> None:
        """Record that nothing is left to do but to end threads: to cut those is no failure."""
        self._is_done = True
        self._due = min(self._due, time.monotonic() + _PATIENCE)

    def _watch(self) -> None:
        while time.monotonic() < self._due:
            time.sleep(_LOOK)
        if not self._is_done:
            line = threading.Thread(target=self._log_cut, daemon=True)
            line.start()
            line.join(_LOG_PATIENCE)
        os._exit(0 if self._is_done else _CUT)

    def _log_cut(self) -> None:
        storage = {"remedy": "the last state may not be stored: look at the disk of --storage.path"}
        log.warning("ended before all was stopped: it hung", **(storage if self._stores else {}))
        for handler in logging.getLogger().handlers:
            handler.flush()  # lines are written by a thread, which ends with the process


class Stop:
    """SIGTERM and SIGINT cancel the task that this was made in, once."""

    def __init__(self) -> None:
        self.deadline = StopDeadline()
        self.is_requested = False
        self._task = asyncio.current_task()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._request)

    def _request(self) -> None:
        # Once: a second signal must not cancel what the first has made the task do at its end.
        if not self.is_requested and self._task is not None:
            self.is_requested = True
            log.info("stopping")
            self.deadline.begin()
            self._task.cancel()

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """End the block at a signal: the cancellation goes through it and no further."""
        try:
            yield
        except asyncio.CancelledError:
            if not self.is_requested:
                raise
