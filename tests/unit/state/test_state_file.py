"""The state's file: private, whole, and refused when it is not what was written."""

import stat
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from ncr_exporter.state.persistence import StateError, read_state, set_aside, write_state

LINES = [b'{"a": 1}\n', b'{"b": 2}\n']


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "ncr-exporter.state"
    write_state(file, LINES)
    return file


def test_what_was_written_is_read(path: Path) -> None:
    assert read_state(path) == [line.rstrip() for line in LINES]


def test_only_its_owner_may_read_it(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_left_beside_it(path: Path) -> None:
    write_state(path, LINES * 2)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert len(read_state(path)) == 4


def test_an_empty_state_is_one(path: Path) -> None:
    write_state(path, [])
    assert read_state(path) == []


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "one byte of the body differs": lambda good: good[:-1] + bytes([good[-1] ^ 1]),
    "cut short": lambda good: good[: len(good) // 2 + 50],
    "the header alone": lambda good: good.split(b"\n")[0],
    "something appended": lambda good: good + b"x",
    "empty": lambda _: b"",
    "text": lambda _: b"my notes\n",
    "binary": lambda _: bytes(range(256)) * 10,
    "a later version": lambda good: good.replace(b"state 1 ", b"state 2 "),
    "another checksum": lambda good: good.replace(b"sha256=", b"sha256=0")[:-1],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_or_foreign_file_is_refused_in_words(path: Path, damage: str) -> None:
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(StateError) as caught:
        read_state(path)
    assert str(caught.value)


def test_a_body_that_is_no_gzip_is_refused_though_its_checksum_agrees(path: Path) -> None:
    header = b"ncr-exporter state 1 sha256=%s\n"
    for body in (b"plain", zlib.compress(b"x" * 1000)[:-6]):
        path.write_bytes(header % sha256(body).hexdigest().encode() + body)
        with pytest.raises(StateError):
            read_state(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_state(tmp_path / "absent")


def test_a_file_set_aside_can_be_looked_at(path: Path) -> None:
    aside = set_aside(path)
    assert aside.read_bytes().startswith(b"ncr-exporter state")
    assert not path.exists()
