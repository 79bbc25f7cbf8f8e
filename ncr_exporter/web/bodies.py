"""Bodies made and sent in steps, so that none holds the event loop for long."""

import asyncio
from collections.abc import Generator, Iterable, Iterator
from typing import TypeVar

Result = TypeVar("Result")

_ENOUGH = 128 * 1024
"""Bytes worth handing on: many small pieces cost the server more."""


async def in_steps(work: Generator[None, None, Result]) -> Result:
    """Do work that pauses now and then, others having their turn meanwhile."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        await asyncio.sleep(0)


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in fewer pieces; a large one as it is, for each client would copy it."""
    some: list[bytes] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > _ENOUGH:
            yield b"".join(some)
            some, size = [], 0
        some.append(piece)
        size += len(piece)
    yield b"".join(some)
