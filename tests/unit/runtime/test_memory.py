"""That the blocks of answers are the system's again once they were read."""

import platform
import subprocess
import sys

import pytest

MAPPED = """
import ctypes, sys
from ncr_exporter.runtime.memory import give_back_large_blocks

class Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]

mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Mallinfo2
if sys.argv[1] == "given back":
    give_back_large_blocks()
before = mallinfo2().hblks
answers = [bytes(100_000) for _ in range(100)]
held = mallinfo2().hblks - before
answers.clear()
print(held, mallinfo2().hblks - before)
"""


def mapped(how: str) -> tuple[int, int]:
    """Return how many blocks of 100 answers are the system's own, while held and afterwards."""
    words = [sys.executable, "-c", MAPPED, how]
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603 -- our own words
    held, afterwards = map(int, done.stdout.split())
    return held, afterwards


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_blocks_of_answers_go_back_to_the_system() -> None:
    assert max(mapped("left alone")) < 10
    held, afterwards = mapped("given back")
    assert held > 90, "a hole of that size may have been free by chance"
    assert afterwards < 10
