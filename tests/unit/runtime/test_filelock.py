"""One holder at a time, also where the file was removed under it."""

import subprocess
import sys
from pathlib import Path

import pytest

from ncr_exporter.runtime.filelock import FileLock


def test_a_second_one_gets_it_only_once_the_first_has_given_it_up(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire()
    assert first.acquire(), "it is held already"
    assert not second.acquire()
    first.release()
    first.release()
    assert second.acquire()
    second.release()


def test_it_is_taken_again_where_its_file_was_removed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = FileLock(path), FileLock(path)
    assert first.acquire()
    path.unlink()
    assert first.acquire()
    assert not second.acquire()
    path.unlink()
    assert second.acquire()
    assert not first.acquire(), "what it held keeps nobody out"
    second.release()


def test_a_process_that_is_killed_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    hold = (
        "import sys, time; from pathlib import Path; "
        "from ncr_exporter.runtime.filelock import FileLock; "
        "print(FileLock(Path(sys.argv[1])).acquire(), flush=True); time.sleep(60)"
    )
    with subprocess.Popen(  # noqa: S603 -- fixed words
        [sys.executable, "-c", hold, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert not FileLock(path).acquire()
        process.kill()
        process.wait()
    after = FileLock(path)
    assert after.acquire()
    after.release()


def test_a_directory_that_takes_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileLock(tmp_path / "missing" / "lock").acquire()
