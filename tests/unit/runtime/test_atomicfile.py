"""A file written whole or not at all."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncr_exporter.runtime.atomicfile import WriteError, write_atomically


def test_a_file_is_replaced_and_has_the_rights_that_were_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    for content, mode in ((b"one\n", 0o644), (b"two\n", 0o600)):
        write_atomically(path, [content, content], mode=mode)
        assert path.read_bytes() == content * 2
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert list(tmp_path.iterdir()) == [path]


def test_whoever_has_it_open_reads_the_old_one_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    path.write_text("old")
    with path.open() as reader:
        write_atomically(path, [b"new"], mode=0o600)
        assert reader.read() == "old"
    assert path.read_text() == "new"


def test_what_fails_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    path.write_text("old")

    def pieces() -> Iterator[bytes]:
        yield b"half"
        (temporary,) = set(tmp_path.iterdir()) - {path}
        assert temporary.suffix != ".prom", "node_exporter would read it"
        raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match=r"cannot write .*a\.prom: No space left on device"):
        write_atomically(path, pieces(), mode=0o600)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
