"""Bodies in steps and in pieces."""

import asyncio
from collections.abc import Generator

from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.httpd.messages import coalesced
from ncr_exporter.runtime.cooperative import run_cooperatively

ENOUGH = 128 * 1024


@given(st.lists(st.sampled_from([b"", b"x", b"y" * 1000, b"z" * 100_000]), max_size=30))
def test_the_same_bytes_in_fewer_pieces(pieces: list[bytes]) -> None:
    fewer = list(coalesced(pieces))
    assert b"".join(fewer) == b"".join(pieces)
    assert len(fewer) <= len(pieces) + 1
    assert all(len(piece) <= ENOUGH for piece in fewer)


def test_a_large_piece_is_handed_on_and_not_copied() -> None:
    large = b"x" * (2 * ENOUGH)
    assert any(piece is large for piece in coalesced([b"head", large, b"tail"]))


async def test_others_have_their_turn_between_steps() -> None:
    order: list[str] = []

    def work() -> Generator[None, None, str]:
        for step in ("one", "two"):
            order.append(step)
            yield
        return "done"

    async def other() -> None:
        order.append("other")

    task = asyncio.create_task(other())
    order.append(await run_cooperatively(work()))
    await task
    assert order == ["one", "other", "two", "done"]
