"""Pages for people: rendered in a thread, one at a time, for few visitors at once."""

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType
from typing import TypeVar

from ncr_exporter.httpd.limits import ConcurrencyLimit
from ncr_exporter.httpd.messages import Response, text_response

_SWITCH_INTERVAL = 0.001
"""How long a thread may keep the interpreter while others wait (s); Python's default is 0.005."""

Result = TypeVar("Result")


class RenderingThread:
    """Renders one page at a time: threads share the interpreter, and several would slow scrapes."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "pages")

    async def render(self, work: Callable[[], Result]) -> Result:
        """Return the result of `work`; scrapes are served meanwhile."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, _rendered, work)

    async def pieces(self, body: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Yield the pieces of `body`, each rendered when the one before it was taken."""
        while piece := await self.render(lambda: next(body, b"")):
            yield piece


def places_for_visitors(count: int) -> ConcurrencyLimit:
    """Return the places of one page; whoever finds none free is answered 503 at once."""
    return ConcurrencyLimit(count, admission=0.0)


def too_many_visitors(
    text: str = "too many visitors", headers: Mapping[str, str] = MappingProxyType({})
) -> Response:
    """Return the response to a visitor without a place."""
    busy = {"retry-after": "2", **headers}
    return text_response(HTTPStatus.SERVICE_UNAVAILABLE, f"{text}\n", busy)


def _rendered(work: Callable[[], Result]) -> Result:
    with _yielding_to_event_loop():
        return work()


@contextmanager
def _yielding_to_event_loop() -> Iterator[None]:
    """Keep the event loop responsive while a page is rendered in this thread.

    Both settings concern the whole process, and are restored afterwards. Pages are rendered one at
    a time, so the context never nests.
    """
    # The event loop gets the interpreter back within 1 ms of asking for it. The collector is off
    # because a full collection stops every thread, for 0.1 s at 3,000 images. The thousands of
    # short-lived objects of a few pages would trigger one, although it would find no garbage:
    # they refer to each other in no cycle, so reference counting frees them.
    interval, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if collects:
            gc.enable()
