"""Bodies in pieces of a size that costs the server least."""

from collections.abc import Iterable, Iterator

_ENOUGH = 128 * 1024
"""Bytes worth handing on: many small pieces cost the server more."""


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
