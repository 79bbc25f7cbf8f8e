"""How many requests are served at a time."""

import asyncio


class Places:
    """A fixed number of places; a request that finds none within `admission` seconds is refused."""

    def __init__(self, count: int, admission: float) -> None:
        self._free = asyncio.Semaphore(count)
        self._admission = admission

    async def take(self) -> "Place | None":
        """Return a place, or None when all stay taken."""
        try:
            async with asyncio.timeout(self._admission):
                await self._free.acquire()
        except TimeoutError:
            return None
        return Place(self._free)


class Place:
    """One request's place; giving it back twice is harmless."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free: asyncio.Semaphore | None = free

    def give_back(self) -> None:
        """Let the next request in."""
        if self._free is not None:
            self._free.release()
            self._free = None
