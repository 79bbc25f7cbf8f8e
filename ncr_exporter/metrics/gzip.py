"""Text compressed in advance, in blocks that join to one gzip member.

A member per block would be easier to join, but clients do not agree on streams of several members:
curl refuses them, httpx reads only the first. Each block is raw deflate that ends at a byte
boundary (`Z_FULL_FLUSH`), so blocks do not depend on each other. An empty final block closes the
stream. The checksum of the whole text is computed from those of its parts.

Source: RFC 1951 (deflate) and RFC 1952 (gzip).
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

_LEVEL = 1  # on this kind of text a sixth of level 9's time, for a tenth more bytes
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"  # no name, no time, fastest level
_FINAL_BLOCK = b"\x03\x00"
_POLYNOMIAL = 0xEDB88320
"""Of CRC-32, bits reversed."""


@dataclass(frozen=True, slots=True)
class GzipPart:
    """A part of a text, compressed; by default the empty text."""

    blocks: tuple[bytes, ...] = ()
    """Deflate blocks."""
    crc: int = 0
    """The CRC-32 of the text."""
    length: int = 0
    """Bytes of the text before compression."""


def deflated(text: bytes) -> bytes:
    """Return a text as deflate blocks that further blocks may follow."""
    if not text:
        return b""
    compressor = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
    return compressor.compress(text) + compressor.flush(zlib.Z_FULL_FLUSH)


def gzip_part(text: bytes) -> GzipPart:
    """Return a text compressed."""
    return GzipPart((deflated(text),), zlib.crc32(text), len(text))


def joined(parts: Iterable[GzipPart]) -> GzipPart:
    """Return consecutive parts as one."""
    blocks: list[bytes] = []
    crc = length = 0
    for part in parts:
        blocks += part.blocks
        crc = crc32_combine(crc, part.crc, part.length)
        length += part.length
    return GzipPart(tuple(blocks), crc, length)


def gzip_member(part: GzipPart) -> bytes:
    """Return the gzip member of a whole text."""
    trailer = struct.pack("<II", part.crc, part.length & 0xFFFFFFFF)
    return b"".join((_HEADER, *part.blocks, _FINAL_BLOCK, trailer))


def crc32_combine(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of two texts in a row, from the CRC-32 of each.

    `length` is that of the second text, in bytes. As zlib's function of this name: CRC-32 is linear
    over GF(2), so the first checksum is advanced over `length` zero bytes by multiplication with
    matrices, and the second is added.
    """
    power = 0
    while length and first:
        if length & 1:
            first = _product(_advance_matrix(power), first)
        length >>= 1
        power += 1
    return first ^ second


@cache
def _advance_matrix(power: int) -> tuple[int, ...]:
    """Return the matrix that advances a CRC-32 over 2**power zero bytes.

    It is given as what it makes of each of the 32 bits.
    """
    if power:
        half = _advance_matrix(power - 1)
        return tuple(_product(half, image) for image in half)
    return tuple(_advanced_by_a_byte(1 << bit) for bit in range(32))


def _advanced_by_a_byte(crc: int) -> int:
    for _ in range(8):
        crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc


def _product(matrix: tuple[int, ...], vector: int) -> int:
    product, bit = 0, 0
    while vector:
        if vector & 1:
            product ^= matrix[bit]
        vector >>= 1
        bit += 1
    return product
