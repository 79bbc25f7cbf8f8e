"""The house: imports go down one ladder of rooms; files and functions fit in a glance."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from ncr_exporter.ncr import vocabulary
from ncr_exporter.ncr.paths import OPERATIONS, STYLES, ListPath

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "ncr_exporter"
PROGRAM = sorted(SOURCE.rglob("*.py"))
FOLDERS = ("tests", "bench", "tools", "ncr_exporter")
"""Everything in Python, the highest first: a folder imports only from itself and those below."""
OURS = sorted(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
SHORTEST_FILE = 40

LADDER = (
    "cli",
    "check_online",
    "simulator",
    "app",
    "web",
    "report",
    "polling",
    "metrics",
    "state",
    "targets",
    "recording",
    "ncr",
    "httpd",
    "config",
    "inventory",
    "texts",
    "runtime",
)
"""The rooms, the highest first: a room imports only rooms below it. ARCHITECTURE.md draws it."""

TOPICS = {
    "cli/messages.py",
    "config/globs.py",
    "config/proxy_url.py",
    "httpd/address.py",
    "runtime/descriptors.py",
    "runtime/environment.py",
    "runtime/errors.py",
    "runtime/memory.py",
    "runtime/memory_files.py",
    "state/pull_count.py",
}
"""Short files that stand alone: a command, or a topic that no neighbour is about."""


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {module_of(path): path.read_text(encoding="utf-8") for path in PROGRAM}


@cache
def imports_of(text: str) -> frozenset[str]:
    """Return the modules of the program that a file imports; those for type checkers count, too."""
    return frozenset(_imports_of(text))


def _imports_of(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in inner)


def room_of(module: str) -> str:
    return ([*module.split("."), ""])[1]


def wrong_imports(modules: Mapping[str, str]) -> list[str]:
    """Return each import that does not go down the ladder, and each file that is in no room."""
    found = []
    for module, text in modules.items():
        room = room_of(module)
        if room in {"", "__main__"}:  # the package itself, and its entry, which may know all
            continue
        if room not in LADDER:
            found.append(f"{module} is in no room of the ladder")
            continue
        others = {room_of(name) for name in imports_of(text) if name.startswith("ncr_exporter.")}
        below = {room, "", *LADDER[LADDER.index(room) + 1 :]}
        found += [f"{module} imports from {other}" for other in sorted(others - below)]
    return found


def test_imports_go_down_the_ladder() -> None:
    assert wrong_imports(MODULES) == []


@pytest.mark.parametrize("room", LADDER[1:])
def test_an_import_that_goes_up_is_found_in_any_room(room: str) -> None:
    above = LADDER[LADDER.index(room) - 1]
    in_room = next(module for module in MODULES if room_of(module) == room)
    other = next(module for module in MODULES if room_of(module) == above)
    planted = f"{MODULES[in_room]}\n\ndef _late() -> None:\n    import {other}\n"
    assert wrong_imports(MODULES | {in_room: planted}) == [f"{in_room} imports from {above}"]


def test_a_file_outside_the_rooms_is_found() -> None:
    strange = {"ncr_exporter.helpers": "", "ncr_exporter.utils.text": ""}
    assert len(wrong_imports(MODULES | strange)) == 2


def test_no_module_stands_loose_beside_the_rooms() -> None:
    loose = {path.name for path in SOURCE.glob("*.py")}
    assert loose == {"__init__.py", "__main__.py"}


def test_the_ladder_has_no_room_that_is_not_there() -> None:
    assert set(LADDER) == {
        path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()
    }


def test_only_tests_import_tests_and_the_program_imports_no_tool() -> None:
    wrong = [
        f"{module_of(path)} imports {name}"
        for path in OURS
        for name in sorted(imports_of(path.read_text(encoding="utf-8")))
        if name.partition(".")[0] in FOLDERS[: FOLDERS.index(path.relative_to(ROOT).parts[0])]
    ]
    assert wrong == []


def test_imports_run_in_no_circle() -> None:
    arrows = {
        module: {name for name in imports_of(text) if name in MODULES} - {module}
        for module, text in MODULES.items()
    }
    assert len(list(TopologicalSorter(arrows).static_order())) >= len(PROGRAM) - 1


def words_of_the_api() -> set[str]:
    """Return what only the API calls so: headers, operations' paths, and fields with odd names."""
    fields = {
        field
        for kinds in vocabulary.RECORD_FIELDS.values()
        for fields in (*kinds.values(), vocabulary.ENVELOPE_FIELDS, vocabulary.ERROR_FIELDS)
        for field in fields
        if "_" in field or field != field.lower()
    }
    headers = {word for name, word in vars(vocabulary).items() if name.endswith("_HEADER")}
    paths = {str(ListPath("", style=style)) for style in STYLES}
    return headers | fields | paths | {style.page_size for style in STYLES}


OUR_WORDS_TOO = {"full_size", "last_updated", "pull_count", "end_point"}
"""Attributes of our own records are called so, too."""


@pytest.mark.parametrize("module", sorted(set(MODULES)), ids=str)
def test_the_words_of_the_api_stand_in_one_room(module: str) -> None:
    if room_of(module) in {"ncr", "simulator"}:  # the simulator is the API
        return
    tree = ast.parse(MODULES[module])
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    said = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
    }
    words = words_of_the_api() - OUR_WORDS_TOO
    assert sorted(word for word in words for text in said if word in text) == []


def test_every_operation_is_one_that_a_path_asks_for() -> None:
    paths = (ListPath("/p"), ListPath("/p", "r"), ListPath("/p", "r", "i"))
    assert tuple(path.operation for path in paths) == OPERATIONS


@pytest.mark.parametrize("path", PROGRAM, ids=module_of)
def test_a_file_of_the_program_can_be_taken_in(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno
            assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"


def test_no_file_is_so_short_that_its_neighbour_could_hold_it() -> None:
    short = {
        path.relative_to(SOURCE).as_posix()
        for path in PROGRAM
        if not path.name.startswith("__")
        and path.read_text(encoding="utf-8").count("\n") < SHORTEST_FILE
    }
    assert short == TOPICS


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


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("ncr_exporter.")])
def test_nothing_but_look_ups_of_names_uses_the_threads_of_the_event_loop(module: str) -> None:
    """They may all hang; `runtime.threads` has threads of its own."""
    assert "asyncio.to_thread(" not in MODULES[module]
    assert "run_in_executor(None" not in MODULES[module]
