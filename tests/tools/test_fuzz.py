"""The search for what properties do not hold for: it says what it found and how to repeat it."""

import subprocess
from pathlib import Path

import pytest

from tools.fuzz import main

CONFTEST = """
import os
import hypothesis

examples = int(os.environ.get("FUZZ_EXAMPLES", "10"))
hypothesis.settings.register_profile("fuzz", max_examples=examples)
"""
PROPERTIES = """
from hypothesis import given, strategies as st

@given(st.integers())
def test_holds(number):
    assert number == number

@given(st.integers())
def test_does_not(number):
    assert number < 1000

def test_is_no_property():
    raise AssertionError
"""


def test_what_is_found_is_told_with_the_command_that_finds_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_numbers.py").write_text(PROPERTIES)
    assert main(["--seconds=600", "--examples=300", "-k", "does", "test_numbers.py"]) == 1
    out = capsys.readouterr().out
    assert "number=1000" in out
    assert "1 properties, 1 runs" in out
    assert "1 failed" in out
    (command,) = [line.partition("repeat: ")[2] for line in out.splitlines() if "repeat: " in line]
    again = subprocess.run(  # noqa: S602 -- the command as a person would paste it
        command, shell=True, capture_output=True, text=True, check=False
    )
    assert "number=1000" in again.stdout
    assert main(["--seconds=0.1", "--examples=10", "-k", "holds", "test_numbers.py"]) == 0
    assert "1 properties, 1 runs, 10 examples counted" in capsys.readouterr().out
