"""What asyncio itself reports, as lines of this program's log: each kind once a minute."""

import asyncio
import errno
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from ncr_exporter.runtime.throttle import Throttle

_LONGEST_KIND = 40
"""Characters of a message that make its kind; what follows names an object, another each time."""
_OUT_OF_DESCRIPTORS = {errno.EMFILE, errno.ENFILE}

log = structlog.get_logger()


class LoopErrors:
    """Logs the errors that callbacks and sockets leave to the event loop.

    Out of descriptors, asyncio reports each connection that it cannot accept with a traceback:
    hundreds a second.
    """

    def __init__(self, throttle: Throttle | None = None) -> None:
        """Write one line a minute of each kind, by default as real time passes."""
        self.make_room: Callable[[], object] = lambda: None
        """Called when a connection could not be accepted for want of descriptors."""
        self._throttle = throttle or Throttle()

    def install(self) -> None:
        """Log the errors of the running event loop from now on."""
        asyncio.get_running_loop().set_exception_handler(self._handle)

    def _handle(self, _: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        message, error = str(context.get("message", "")), context.get("exception")
        if isinstance(error, OSError) and error.errno in _OUT_OF_DESCRIPTORS:
            self.make_room()
        times = self._throttle.times(f"{type(error).__name__} {message[:_LONGEST_KIND]}")
        if not times:
            return
        if isinstance(error, OSError):
            more = {"error": str(error), **_remedy(error)}
            log.error("event loop failed", what=message, times=times, **more)
        else:
            log.error("event loop failed", what=message, times=times, exc_info=error)


def _remedy(error: OSError) -> Mapping[str, str]:
    if error.errno not in _OUT_OF_DESCRIPTORS:
        return {}
    return {"remedy": "allow this process more open files: LimitNOFILE, ulimit -n"}
