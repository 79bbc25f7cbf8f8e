"""Blocks compressed apart are one gzip member together, whoever reads it."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.metrics.gzip import GzipPart, crc32_combine, gzip_member, gzip_part, joined

texts = st.lists(st.binary(max_size=300), max_size=8)


@given(texts)
def test_any_parts_are_the_text_that_they_make(parts: list[bytes]) -> None:
    member = gzip_member(joined(map(gzip_part, parts)))
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert reader.decompress(member) == b"".join(parts)
    assert reader.eof
    assert reader.unused_data == b""
    assert gzip.decompress(member) == b"".join(parts)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_the_checksum_of_two_texts_follows_from_theirs(first: bytes, second: bytes) -> None:
    both = crc32_combine(zlib.crc32(first), zlib.crc32(second), len(second))
    assert both == zlib.crc32(first + second)


@pytest.mark.parametrize("length", [1, 2**16 - 1, 2**20 + 7, 20_000_000])
def test_the_second_text_may_be_long(length: int) -> None:
    first, second = b"head\n", bytes(length)
    both = crc32_combine(zlib.crc32(first), zlib.crc32(second), length)
    assert both == zlib.crc32(second, zlib.crc32(first))


def test_nothing_is_an_empty_text() -> None:
    assert gzip.decompress(gzip_member(GzipPart())) == b""


@given(texts, texts)
def test_joining_may_be_done_in_any_order(some: list[bytes], others: list[bytes]) -> None:
    at_once = joined(map(gzip_part, some + others))
    in_turn = joined((joined(map(gzip_part, some)), joined(map(gzip_part, others))))
    assert at_once == in_turn
