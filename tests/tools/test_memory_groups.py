"""A group with a limit of memory: what is within it lives, what is beyond is killed and counted."""

import subprocess
import sys

import pytest

from tools.memory_groups import MemoryGroup, NoMemoryGroupError, memory_group


def taking(mebibytes: int, group: MemoryGroup) -> int:
    """Return the exit code of a process of the group that takes `mebibytes`."""
    take = f"bytearray({mebibytes} << 20)"
    words = [*group.entering, sys.executable, "-c", take]
    return subprocess.run(words, check=False).returncode  # noqa: S603 -- fixed words


def test_a_process_beyond_the_limit_is_killed_and_counted() -> None:
    try:
        with memory_group(64) as group:
            assert taking(30, group) == 0
            assert 30 < group.peak < 64
            assert group.kills == 0
            assert taking(100, group) == -9
            assert group.kills == 1
    except NoMemoryGroupError as error:
        pytest.skip(f"no group with a limit of memory can be made here: {error}")
    assert not group.directory.exists()
