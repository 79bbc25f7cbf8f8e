"""Bodies within caps."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest

from ncr_exporter.ncr.body import LARGE_BODY, MAX_INFLATED, MAX_SENT, read_body
from ncr_exporter.ncr.errors import MalformedError, TooLargeError
from tests.support.clock import settle


async def read(*chunks: bytes, encoding: str = "") -> tuple[bytes, int]:
    """Return the body and how many chunks were taken."""
    taken = 0

    async def arriving() -> AsyncIterator[bytes]:
        nonlocal taken
        for chunk in chunks:
            taken += 1
            yield chunk

    return await read_body(arriving(), encoding), taken


async def test_a_plain_body_is_its_chunks() -> None:
    assert await read(b"ab", b"", b"c") == (b"abc", 3)


async def test_gzip_is_inflated_across_chunks() -> None:
    packed = gzip.compress(b"hello" * 1000)
    assert (await read(packed[:5], packed[5:9], packed[9:], encoding="gzip"))[0] == b"hello" * 1000


@pytest.mark.parametrize("encoding", ["GZIP", "x-gzip", "X-GZip", " gzip ", "gzip, identity"])
async def test_gzip_has_two_names_in_any_case(encoding: str) -> None:
    assert (await read(gzip.compress(b"hello"), encoding=encoding))[0] == b"hello"


@pytest.mark.parametrize("encoding", ["identity", "Identity", "IDENTITY", " ", ","])
async def test_no_encoding_has_a_name_in_any_case(encoding: str) -> None:
    assert (await read(b"hello", encoding=encoding))[0] == b"hello"


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "deflate", "gzip;q=1"])
async def test_an_encoding_that_was_not_asked_for_is_malformed(encoding: str) -> None:
    with pytest.raises(MalformedError, match="content encoding"):
        await read(gzip.compress(b"hello"), encoding=encoding)


async def test_a_body_too_large_as_sent_is_cut_at_once() -> None:
    chunk = b"x" * 2**20
    with pytest.raises(TooLargeError, match=str(MAX_SENT)):
        await read(*[chunk] * 17)


async def test_a_gzip_bomb_is_cut_before_it_fills_memory() -> None:
    compressor = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    zeros = b"\0" * 2**20
    bomb = b"".join(compressor.compress(zeros) for _ in range(100)) + compressor.flush()
    assert len(bomb) < MAX_SENT
    with pytest.raises(TooLargeError, match=str(MAX_INFLATED)):
        await read(bomb, encoding="gzip")


@pytest.mark.parametrize("size", [LARGE_BODY - 1, LARGE_BODY, LARGE_BODY + 1, 40 * LARGE_BODY])
async def test_a_body_small_or_large_is_inflated_whole(size: int) -> None:
    text = bytes(range(251)) * (size // 251 + 1)
    packed = gzip.compress(text[:size])
    chunks = [packed[start : start + 5000] for start in range(0, len(packed), 5000)]
    assert (await read(*chunks, b"and what follows", encoding="gzip"))[0] == text[:size]


async def test_of_large_bodies_one_at_a_time_is_read_and_small_ones_pass() -> None:
    lock, ended = asyncio.Lock(), asyncio.Event()

    async def arriving(*chunks: bytes, wait: bool = False) -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        if wait:
            await ended.wait()

    big = b"x" * (LARGE_BODY + 1)
    first = asyncio.create_task(read_body(arriving(big, wait=True), "", lock))
    await settle()
    second = asyncio.create_task(read_body(arriving(big, b"y"), "", lock))
    assert await read_body(arriving(b"small"), "", lock) == b"small"
    await settle()
    assert not second.done()
    ended.set()
    assert await first == big
    assert await second == big + b"y"
    assert not lock.locked()


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b"hello" * 99, mtime=0)[:-12], b""])
async def test_gzip_that_is_none_or_cut_short_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        await read(body, encoding="gzip")


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip"])
async def test_an_encoding_nobody_asked_for_is_malformed(encoding: str) -> None:
    with pytest.raises(MalformedError, match=encoding):
        await read(b"", encoding=encoding)
