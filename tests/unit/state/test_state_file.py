"""The state's file: private, whole, and refused when it is not what was written."""

import stat
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from ncr_exporter.state.file import StateError, read_state, set_aside, write_state

LINES = [b'{"a": 1}\n', b'{"b": 2}\n']


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "ncr-exporter.state"
    write_state(file, LINES)
    return file


def test_what_was_written_is_read(path: Path) -> None:
    assert list(read_state(path)) == [line.rstrip() for line in LINES]


def test_only_its_owner_may_read_it(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_left_beside_it(path: Path) -> None:
    write_state(path, LINES * 2)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert len(list(read_state(path))) == 4


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
    "a later version": lambda good: good.replace(b"state 2\n", b"state 3\n"),
    "a version that never was": lambda good: good.replace(b"state 2\n", b"state 0\n"),
    "version 1 without a checksum": lambda good: good.replace(b"state 2\n", b"state 1\n"),
    "another checksum": lambda good: good[:-1] + bytes([good[-1] ^ 1]),
    "another header": lambda good: good.replace(b"state 2\n", b"state 02\n"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_or_foreign_file_is_refused_in_words(path: Path, damage: str) -> None:
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(StateError) as caught:
        list(read_state(path))
    assert str(caught.value)


def with_checksum(body: bytes, header: bytes = b"ncr-exporter state 2\n") -> bytes:
    return header + body + sha256(header + body).digest()


def without_a_line(mebibytes: int) -> bytes:
    """Return what inflates to `mebibytes` of one line; a block is compressed once and repeated."""
    compressor = zlib.compressobj()
    first, again = (
        compressor.compress(b"x" * 2**20) + compressor.flush(zlib.Z_FULL_FLUSH) for _ in range(2)
    )
    return first + again * (mebibytes - 1)


BODIES = {
    "not compressed": (b"plain", "damaged"),
    "cut short": (zlib.compress(b"x" * 1000)[:-6], "cut short"),
    "followed by something": (zlib.compress(b"x\n") + b"y" * 100_000, "something follows its end"),
    "too large": (without_a_line(1025), "larger than any state"),
    "too many lines": (zlib.compress(b"\n" * 1_000_001), "more lines than any state"),
    "empty": (b"", "cut short"),
}
"""Bodies by what is wrong with them, and what is said of each."""


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_state_is_refused_though_its_checksum_agrees(
    path: Path, body: str
) -> None:
    content, said = BODIES[body]
    path.write_bytes(with_checksum(content))
    with pytest.raises(StateError, match=said):
        list(read_state(path))


def test_the_file_of_version_1_is_read(path: Path) -> None:
    body = zlib.compress(b"".join(LINES))
    path.write_bytes(b"ncr-exporter state 1 sha256=%s\n" % sha256(body).hexdigest().encode() + body)
    assert list(read_state(path)) == [line.rstrip() for line in LINES]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StateError):
        list(read_state(path))


def test_lines_of_any_length_come_back_up_to_a_limit(path: Path) -> None:
    lines = [b"x" * length for length in (0, 1, 65_535, 65_536, 65_537, 200_000, 4 * 2**20)]
    write_state(path, [line + b"\n" for line in lines])
    assert list(read_state(path)) == lines[:-1], "the last one, with its end, is too long"
    path.write_bytes(with_checksum(zlib.compress(b"\n".join((b"a", b"x" * (4 * 2**20 + 1), b"b")))))
    assert list(read_state(path)) == [b"a", b"", b"b"]


def test_whatever_the_pieces_are_that_it_inflates_to_no_byte_is_lost(path: Path) -> None:
    for length in (65_535, 65_536, 65_537, 131_072, 4_000_000):
        content = b"y" * length
        path.write_bytes(with_checksum(zlib.compress(content)))
        assert b"".join(read_state(path)) == content


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_state(tmp_path / "absent"))


def test_a_file_set_aside_can_be_looked_at(path: Path) -> None:
    aside = set_aside(path)
    assert aside.read_bytes().startswith(b"ncr-exporter state")
    assert not path.exists()
