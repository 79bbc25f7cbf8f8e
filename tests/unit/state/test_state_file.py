"""The state's file: private, whole, and refused when it is not what was written."""

import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from ncr_exporter.state.file import StateError, read_state, set_aside, write_state

FRAMES = [b"one\n", b"", b"another"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "ncr-exporter.state"
    write_state(file, FRAMES)
    return file


def test_what_was_written_is_read(path: Path) -> None:
    assert list(read_state(path)) == FRAMES


def test_only_its_owner_may_read_it(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_left_beside_it(path: Path) -> None:
    write_state(path, FRAMES * 2)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert len(list(read_state(path))) == 6


def test_an_empty_state_is_one(path: Path) -> None:
    write_state(path, [])
    assert list(read_state(path)) == []


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "one byte of the body differs": lambda good: good[:-1] + bytes([good[-1] ^ 1]),
    "cut short": lambda good: good[: len(good) // 2],
    "cut within its checksum": lambda good: good[:-10],
    "the header alone": lambda good: good.split(b"\n")[0],
    "something appended": lambda good: good + b"x",
    "empty": lambda _: b"",
    "text": lambda _: b"my notes\n",
    "binary": lambda _: bytes(range(256)) * 10,
    "a later version": lambda good: good.replace(b"state 3\n", b"state 4\n"),
    "a version that never was": lambda good: good.replace(b"state 3\n", b"state 0\n"),
    "an earlier version": lambda good: good.replace(b"state 3\n", b"state 2\n"),
    "version 1, with its checksum first": lambda good: good.replace(b" 3\n", b" 1 sha256=ab\n"),
    "another checksum": lambda good: good[:-1] + bytes([good[-1] ^ 1]),
    "another header": lambda good: good.replace(b"state 3\n", b"state 03 \n"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_or_foreign_file_is_refused_in_words(path: Path, damage: str) -> None:
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(StateError) as caught:
        list(read_state(path))
    assert str(caught.value)


def with_checksum(body: bytes, header: bytes = b"ncr-exporter state 3\n") -> bytes:
    return header + body + sha256(header + body).digest()


BODIES = {
    "half a length": b"\0\0",
    "a frame longer than the file": b"\0\0\0\5four",
    "a frame longer than any": b"\xff\xff\xff\xff" + b"x" * 1000,
    "too many frames": b"\0\0\0\0" * 1_000_001,
}


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_state_is_refused_though_its_checksum_agrees(
    path: Path, body: str
) -> None:
    path.write_bytes(with_checksum(BODIES[body]))
    with pytest.raises(StateError, match=r"damaged|more frames"):
        list(read_state(path))


def test_no_file_is_read_that_is_larger_than_any(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2**30 + 1)
    with pytest.raises(StateError, match="larger than any state"):
        list(read_state(path))


def test_frames_of_any_length_come_back_up_to_a_limit(path: Path) -> None:
    frames = [b"x" * length for length in (0, 1, 65_535, 65_536, 65_537, 16 * 2**20)]
    write_state(path, [*frames, b"x" * (16 * 2**20 + 1), b"the last"])
    assert list(read_state(path)) == [*frames, b"the last"], "one was longer than any"


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_state(tmp_path / "absent"))


def test_a_file_set_aside_can_be_looked_at(path: Path) -> None:
    aside = set_aside(path)
    assert aside.read_bytes().startswith(b"ncr-exporter state")
    assert not path.exists()
