"""Reading an answer's body within two caps: as sent, and as inflated.

And within little memory, since many may be read at once: of those that share a lock one at a time
grows beyond `SMALL`, and what gzip inflates beyond that is counted before any of it is kept.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

from ncr_exporter.ncr.errors import MalformedError, TooLargeError

MAX_SENT = 16 * 2**20
"""Bytes on the wire; the largest page imaginable is a fraction of it."""
MAX_INFLATED = 64 * 2**20
"""Bytes after gzip: 300 kB can inflate to 300 MB."""
SMALL = 2**20
"""Bytes, several times a page of 100 tags."""

_GZIP = zlib.MAX_WBITS | 16
_PIECE = 2**18  # bytes inflated at a time


async def read_body(
    chunks: AsyncIterator[bytes], encoding: str, large: asyncio.Lock | None = None
) -> bytes:
    """Return the body, inflated when `encoding` is gzip; one that is large takes the lock.

    Raises:
        TooLargeError: a cap was reached; no more was read or inflated.
        MalformedError: an encoding that was not asked for, or gzip that is none.
    """
    if encoding not in {"", "identity", "gzip"}:
        raise MalformedError(f"the answer has the content encoding {encoding[:40]!r}")
    body = _Gzip() if encoding == "gzip" else _Plain()
    async with AsyncExitStack() as held:
        async for chunk in chunks:
            for size in body.add(chunk):
                if size <= SMALL:
                    continue
                if large is not None:
                    await held.enter_async_context(large)
                    large = None  # it is held
                await asyncio.sleep(0)  # to inflate one chunk may take a tenth of a second
        return body.whole()


class _Plain:
    """A body as it was sent."""

    def __init__(self) -> None:
        self._sent: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> Iterator[int]:
        """Take a chunk in; yield what the body measures (bytes)."""
        self._size += len(chunk)
        if self._size > MAX_SENT:
            raise TooLargeError(f"the answer is larger than {MAX_SENT} bytes")
        self._sent.append(chunk)
        yield self._size

    def whole(self) -> bytes:
        """Return the body."""
        return b"".join(self._sent)


class _Gzip:
    """A body that inflates: kept while it is small, and else only measured until all is there."""

    def __init__(self) -> None:
        self._sent = _Plain()
        self._inflater = zlib.decompressobj(_GZIP)
        self._inflated: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> Iterator[int]:
        """Take a chunk in; yield what the body measures (bytes), again and again as it grows."""
        yield from self._sent.add(chunk)
        for piece in self._pieces(chunk):
            self._size += len(piece)
            if self._size > MAX_INFLATED:
                raise TooLargeError(f"the answer inflates to more than {MAX_INFLATED} bytes")
            if self._size <= SMALL:
                self._inflated.append(piece)
            else:
                self._inflated.clear()
            yield self._size

    def whole(self) -> bytes:
        """Return the body, inflated."""
        if not self._inflater.eof:
            raise MalformedError("the answer's gzip is cut short")
        if self._size <= SMALL:
            return b"".join(self._inflated)
        return zlib.decompress(self._sent.whole(), _GZIP, self._size)

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while piece := self._inflater.decompress(chunk, _PIECE):
                yield piece
                chunk = self._inflater.unconsumed_tail
        except zlib.error as error:
            raise MalformedError(f"the answer's gzip is broken: {error}") from None
