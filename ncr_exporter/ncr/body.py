"""Reading an answer's body within two caps: as sent, and as inflated."""

import zlib
from collections.abc import AsyncIterator

from ncr_exporter.ncr.errors import MalformedError, TooLargeError

MAX_SENT = 16 * 2**20
"""Bytes on the wire; the largest page imaginable is a fraction of it."""
MAX_INFLATED = 64 * 2**20
"""Bytes after gzip: 300 kB can inflate to 300 MB."""

_GZIP = zlib.MAX_WBITS | 16


async def read_body(chunks: AsyncIterator[bytes], encoding: str) -> bytes:
    """Return the body, inflated when `encoding` is gzip.

    Raises:
        TooLargeError: a cap was reached; no more was read or inflated.
        MalformedError: an encoding that was not asked for, or gzip that is none.
    """
    if encoding not in {"", "identity", "gzip"}:
        raise MalformedError(f"the answer has the content encoding {encoding[:40]!r}")
    inflater = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    sent = inflated = 0
    parts: list[bytes] = []
    async for chunk in chunks:
        sent += len(chunk)
        if sent > MAX_SENT:
            raise TooLargeError(f"the answer is larger than {MAX_SENT} bytes")
        part = _inflate(inflater, chunk, MAX_INFLATED - inflated) if inflater else chunk
        inflated += len(part)
        parts.append(part)
    if inflater and not inflater.eof:
        raise MalformedError("the answer's gzip is cut short")
    return b"".join(parts)


def _inflate(inflater: "zlib._Decompress", chunk: bytes, room: int) -> bytes:
    try:
        part = inflater.decompress(chunk, room + 1)
    except zlib.error as error:
        raise MalformedError(f"the answer's gzip is broken: {error}") from None
    if len(part) > room:
        raise TooLargeError(f"the answer inflates to more than {MAX_INFLATED} bytes")
    return part
