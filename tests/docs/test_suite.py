"""The suite itself: how async tests are run, and what CONTRIBUTING.md says of tests."""

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CONFTEST = (TESTS / "conftest.py").read_text(encoding="utf-8")
ASYNC_TESTS = """
import asyncio

async def test_that_fails():
    assert await asyncio.sleep(0, "awaited") == "not awaited"

class TestGroup:
    async def test_that_fails_in_a_class(self):
        raise ZeroDivisionError

async def test_that_hangs():
    await asyncio.Event().wait()

async def test_that_passes(logs):
    assert asyncio.get_running_loop().is_running()
"""


def said(directory: Path, *options: str) -> str:
    """Run these tests as the suite is configured, in a hurry, and return what pytest says."""
    in_a_hurry = CONFTEST.replace("LONGEST_ASYNC_TEST = 120.0", "LONGEST_ASYNC_TEST = 0.5")
    assert in_a_hurry != CONFTEST
    (directory / "conftest.py").write_text(in_a_hurry)
    (directory / "test_async.py").write_text(ASYNC_TESTS)
    as_configured = ["-q", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider"]
    done = subprocess.run(  # noqa: S603 -- this Python, with arguments of our own
        [sys.executable, "-m", "pytest", *as_configured, *options, str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_an_async_test_that_nobody_marks_is_run_and_fails_where_it_should(tmp_path: Path) -> None:
    found = said(tmp_path)
    assert "3 failed, 1 passed in" in found
    assert "::test_that_fails - AssertionError" in found
    assert "::TestGroup::test_that_fails_in_a_class - ZeroDivisionError" in found
    assert "::test_that_hangs - TimeoutError" in found


def test_where_nothing_runs_async_tests_they_fail_and_are_not_skipped(tmp_path: Path) -> None:
    assert "4 failed in" in said(tmp_path, "-o", "anyio_mode=strict")
    assert "Unknown config option: anyio_mode" in said(tmp_path, "-p", "no:anyio")


def runs_a_loop(function: ast.FunctionDef) -> bool:
    """Return whether a function starts an event loop for one coroutine, and is no property."""
    is_property = any("given(" in ast.unparse(decorator) for decorator in function.decorator_list)
    calls = (ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call))
    return not is_property and "asyncio.run" in calls


def test_only_a_property_starts_an_event_loop_of_its_own() -> None:
    """An example of hypothesis is a plain call; whatever else awaits is an async test."""
    found = [
        f"{path.name}: {node.name}"
        for path in sorted(TESTS.rglob("*.py"))
        if path.name != "__main__.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and runs_a_loop(node)
    ]
    assert found == []


def test_each_folder_of_tests_is_in_the_table_of_contributing() -> None:
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert set(re.findall(r"^\| `tests/(\w+)/", CONTRIBUTING, re.MULTILINE)) == folders


def test_each_folder_of_unit_tests_is_a_room() -> None:
    rooms = {path.name for path in (TESTS / "unit").iterdir() if path.is_dir()} - {"__pycache__"}
    assert all(find_spec(f"ncr_exporter.{room}") for room in rooms)


def test_the_async_tests_that_contributing_shows_are_those_that_run() -> None:
    (shown,) = re.findall(r"^```python\n(.+?)^```", CONTRIBUTING, re.MULTILINE | re.DOTALL)
    tests = (TESTS / "unit" / "polling" / "test_images.py").read_text(encoding="utf-8")
    for test in shown.strip().split("\n\n\n"):
        assert f"\n\n\n{test}\n\n\n" in tests
