"""The house: imports run one way, files and functions can be taken in, exceptions have reasons."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = sorted((ROOT / "ncr_exporter").rglob("*.py"))
ROOMS = ("ncr_exporter", "tests", "tools", "bench")
OURS = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

LONGEST_FILE = 300
LONGEST_FUNCTION = 40

# Room → rooms of the program that it must not know.
NEVER = {
    "inventory": {"*"},
    "config": {"ncr", "metrics", "web", "polling", "state", "app"},
    "ncr": {"metrics", "web", "polling", "state", "app"},
    "metrics": {"ncr", "web", "polling", "app"},
    "report": {"ncr", "web", "polling", "app"},
    "web": {"ncr", "polling", "app", "simulator"},
    "state": {"web", "polling", "app", "metrics"},
    "polling": {"web", "metrics", "app", "simulator"},
    "app": {"simulator", "check_online", "recording"},
}


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules of the program that a file imports; those for type checkers count, too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in inner)


MODULES = {module_of(path) for path in PROGRAM}
ARROWS = {
    module_of(path): {name for name in imports_of(path) if name in MODULES} - {module_of(path)}
    for path in PROGRAM
}


def room_of(module: str) -> str:
    return ([*module.split("."), ""])[1]


def test_imports_run_one_way() -> None:
    assert len(list(TopologicalSorter(ARROWS).static_order())) >= len(PROGRAM) - 1


@pytest.mark.parametrize("room", NEVER)
def test_a_room_knows_only_what_lies_below_it(room: str) -> None:
    known = {
        (module, other)
        for module, others in ARROWS.items()
        for other in others
        if room_of(module) == room and room_of(other) not in {room, ""}
    }
    assert known or NEVER[room] == {"*"}, "the room is there"
    bad = {arrow for arrow in known if {"*", room_of(arrow[1])} & NEVER[room]}
    assert bad == set()


@pytest.mark.parametrize("path", PROGRAM, ids=module_of)
def test_a_file_of_the_program_can_be_taken_in(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno
            assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"


def test_most_functions_fit_in_a_glance() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for path in PROGRAM
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert lengths[len(lengths) // 2] <= 9
    assert lengths[len(lengths) * 9 // 10] <= 20


SILENCED = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma)\b(.*)$")


@pytest.mark.parametrize("path", OURS, ids=module_of)
def test_every_silenced_rule_has_its_reason_on_the_line(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        silenced = SILENCED.search(line)
        if silenced and "SILENCED" not in line:
            words = re.sub(r"\[[^]]*\]|[A-Z]+\d+|[:,#-]", " ", silenced[1]).split()
            assert words, f"line {number}: {line.strip()}"
