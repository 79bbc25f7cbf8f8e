"""The body of a response, inflated, within caps on its size."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

from ncr_exporter.ncr.errors import MalformedError, TooLargeError
from ncr_exporter.texts import failures

MAX_SENT = 16 * 2**20
"""Bytes of a body as sent; the largest page imaginable is a fraction of it."""
MAX_INFLATED = 64 * 2**20
"""Bytes of an inflated body; 300 kB of gzip can inflate to 300 MB."""
LARGE_BODY = 2**20
"""Bytes; a body above this is large. A page of 100 tags has a fraction of it."""

_GZIP = zlib.MAX_WBITS | 16
_PIECE = 2**18  # bytes inflated at a time
_CHUNKS_PER_TURN = 64
"""Chunks read before other tasks run: a server may send each byte in one of its own."""


async def read_body(
    chunks: AsyncIterator[bytes], encoding: str, large_body: asyncio.Lock | None = None
) -> bytes:
    """Return the body of a response, inflated if it is compressed.

    Args:
        chunks: the body as sent.
        encoding: the response's `content-encoding`; empty without one.
        large_body: held from when the body is large until it is read, so that of an account's
            bodies one at a time is large. Eight of 64 MiB would be more than a container has.

    Raises:
        TooLargeError: the body exceeds a cap; the rest is neither read nor inflated.
        MalformedError: the encoding was not asked for, or the gzip is broken or cut short.
    """
    body = _body_in(encoding)
    async with AsyncExitStack() as held:
        number = 0
        async for chunk in chunks:
            number += 1
            if number % _CHUNKS_PER_TURN == 0:
                await asyncio.sleep(0)
            for size in body.add(chunk):
                if size <= LARGE_BODY:
                    continue
                if large_body is not None:
                    await held.enter_async_context(large_body)
                    large_body = None  # it is held now
                # One chunk may inflate to a thousand times its size, which takes a tenth of a
                # second. So other tasks run after each piece of 256 KiB.
                await asyncio.sleep(0)
        return body.whole()


def _body_in(encoding: str) -> "_Gzip | _Plain":
    """Return an empty body for a content encoding (RFC 9110, section 8.4).

    Raises:
        MalformedError: the encoding was not asked for.
    """
    names = [name.strip().lower() for name in encoding.split(",")]
    codings = [name for name in names if name not in {"", "identity"}]
    if not codings:
        return _Plain()
    if codings in (["gzip"], ["x-gzip"]):
        return _Gzip()
    raise MalformedError(failures.ENCODED(encoding=encoding[:40]))


class _Plain:
    """A body as it was sent."""

    def __init__(self) -> None:
        self._sent: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> Iterator[int]:
        """Add a chunk as sent; yield the body's size in bytes."""
        self._size += len(chunk)
        if self._size > MAX_SENT:
            raise TooLargeError(failures.TOO_LONG(limit=MAX_SENT))
        self._sent.append(chunk)
        yield self._size

    def whole(self) -> bytes:
        """Return the body."""
        return b"".join(self._sent)


class _Gzip:
    """A gzip body, inflated piece by piece to measure it."""

    # Inflated pieces are kept only while the body is small. A large body is inflated twice: first
    # to measure it, which keeps nothing but the bytes as sent, then at the end into one block of
    # the exact size. Pieces kept and then joined would need twice the memory, up to 128 MiB.

    def __init__(self) -> None:
        self._sent = _Plain()
        self._inflater = zlib.decompressobj(_GZIP)
        self._inflated: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> Iterator[int]:
        """Add a chunk as sent; yield the body's size in bytes after each inflated piece."""
        yield from self._sent.add(chunk)
        for piece in self._pieces(chunk):
            self._size += len(piece)
            if self._size > MAX_INFLATED:
                raise TooLargeError(failures.INFLATES(limit=MAX_INFLATED))
            if self._size <= LARGE_BODY:
                self._inflated.append(piece)
            else:
                self._inflated.clear()
            yield self._size

    def whole(self) -> bytes:
        """Return the body, inflated."""
        if not self._inflater.eof:
            raise MalformedError(failures.GZIP_CUT_SHORT())
        if self._size <= LARGE_BODY:
            return b"".join(self._inflated)
        return zlib.decompress(self._sent.whole(), _GZIP, self._size)

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while piece := self._inflater.decompress(chunk, _PIECE):
                yield piece
                chunk = self._inflater.unconsumed_tail
        except zlib.error as error:
            raise MalformedError(failures.GZIP_BROKEN(detail=str(error))) from None
