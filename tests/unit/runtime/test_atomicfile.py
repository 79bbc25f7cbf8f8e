"""A file written whole or not at all."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ncr_exporter.runtime.atomicfile import WriteError, remove_leftovers, write_atomically


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


_WRITER = """
import sys, time
from pathlib import Path
from ncr_exporter.runtime.atomicfile import write_atomically

def pieces():
    yield b"half"
    print("writing", flush=True)
    time.sleep(60)

write_atomically(Path(sys.argv[1]), pieces(), mode=0o644)
"""


@contextmanager
def somebody_who_writes(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a process in the middle of writing `path`, and kill it at the end of the block."""
    words = [sys.executable, "-c", _WRITER, str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own words
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        try:
            yield process
        finally:
            process.kill()


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    path.write_text("old")
    with somebody_who_writes(path):
        pass
    assert len(list(tmp_path.iterdir())) == 2, "the writer left nothing, so nothing is tried here"
    write_atomically(path, [b"new"], mode=0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_what_somebody_is_writing_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    with somebody_who_writes(path):
        assert remove_leftovers(path) == []
        (temporary,) = tmp_path.iterdir()
    assert remove_leftovers(path) == [temporary]
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_leftover_of_this_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    others = [
        tmp_path / name for name in (".b.prom.12345678.tmp", ".a.prom.mine.tmp", "a.prom.tmp")
    ]
    for other in others:
        other.write_text("of somebody else")
    link = tmp_path / ".a.prom.link5678.tmp"
    link.symlink_to(others[0])
    pipe = tmp_path / ".a.prom.pipe5678.tmp"
    os.mkfifo(pipe)
    directory = tmp_path / ".a.prom.dir_5678.tmp"
    directory.mkdir()
    assert remove_leftovers(path) == []
    assert set(tmp_path.iterdir()) == {*others, link, pipe, directory}


def test_where_there_is_no_directory_nothing_is_removed(tmp_path: Path) -> None:
    assert remove_leftovers(tmp_path / "nowhere" / "a.prom") == []
