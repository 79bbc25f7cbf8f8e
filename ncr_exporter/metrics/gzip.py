"""Text compressed beforehand, in blocks that join to one gzip member.

Members of their own could be joined more easily, but curl refuses a stream of several and httpx
reads the first alone. So each block is raw deflate that ends on a byte boundary (`Z_FULL_FLUSH`),
which makes it independent of its neighbours; an empty final block closes the stream, and the
checksum of the whole text is worked out from those of its parts.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

_LEVEL = 1  # a sixth of level 9's time for a tenth more bytes, on this kind of text
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"  # no name and no time; fastest level
_FINAL_BLOCK = b"\x03\x00"
_POLYNOMIAL = 0xEDB88320


@dataclass(frozen=True, slots=True)
class GzipPart:
    """A part of a text, compressed."""

    blocks: tuple[bytes, ...] = ()
    crc: int = 0
    length: int = 0
    """Bytes of the text."""


def deflated(text: bytes) -> bytes:
    """Compress a text so that others may follow it."""
    if not text:
        return b""
    compressor = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
    return compressor.compress(text) + compressor.flush(zlib.Z_FULL_FLUSH)


def gzip_part(text: bytes) -> GzipPart:
    """Return a text as a part."""
    return GzipPart((deflated(text),), zlib.crc32(text), len(text))


def joined(parts: Iterable[GzipPart]) -> GzipPart:
    """Return parts that follow each other as one."""
    blocks: list[bytes] = []
    crc = length = 0
    for part in parts:
        blocks += part.blocks
        crc = crc_of_both(crc, part.crc, part.length)
        length += part.length
    return GzipPart(tuple(blocks), crc, length)


def gzip_member(part: GzipPart) -> bytes:
    """Return the gzip member that holds a text."""
    trailer = struct.pack("<II", part.crc, part.length & 0xFFFFFFFF)
    return b"".join((_HEADER, *part.blocks, _FINAL_BLOCK, trailer))


def crc_of_both(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of two texts together from theirs; `length` is the second one's, in bytes.

    A CRC is a linear map of the bits before it: those of the first text are moved on by as many
    zero bytes as the second is long, by squared matrices over GF(2).
    """
    power = 0
    while length and first:
        if length & 1:
            first = _times(_zeros(power), first)
        length >>= 1
        power += 1
    return first ^ second


@cache
def _zeros(power: int) -> tuple[int, ...]:
    """Return the matrix that moves a CRC on by 2**power zero bytes, as images of its 32 bits."""
    if power:
        half = _zeros(power - 1)
        return tuple(_times(half, row) for row in half)
    return tuple(_moved_by_a_byte(1 << bit) for bit in range(32))


def _moved_by_a_byte(crc: int) -> int:
    for _ in range(8):
        crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc


def _times(matrix: tuple[int, ...], vector: int) -> int:
    product, row = 0, 0
    while vector:
        if vector & 1:
            product ^= matrix[row]
        vector >>= 1
        row += 1
    return product
