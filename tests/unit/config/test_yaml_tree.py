"""YAML text → nodes that know their place and line, with references expanded."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.config.yaml_tree import INVALID, ConfigError, Node, Problem, read_tree

ENVIRON = {"ONE": "1", "EMPTY": "", "TEXT": "some text", "NESTED": "${ONE} $$", "odd-name.x": "odd"}
ENVIRON |= {"LINE": "some text\n", "MARK": "\ufeffsome text"}


def read(text: str) -> tuple[Node, list[Problem]]:
    problems: list[Problem] = []
    return read_tree(text, "F", ENVIRON, problems.append), problems


def tree(text: str) -> Node:
    root, problems = read(text)
    assert problems == []
    return root


def plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def places(node: Node) -> dict[str, int]:
    """Return the line of every place from this node on."""
    found = {node.place: node.line}
    children = node.value.values() if isinstance(node.value, dict) else node.value
    for child in children if isinstance(node.value, (dict, list)) else ():
        found.update(places(child))
    return found


def test_every_value_knows_its_place_and_line() -> None:
    text = """\
# a comment
api:
  zone: public
registries:
  - name: a
    images:
      - one

      - name: two
        interval: 1m
  - {name: b, images: [three]}
"""
    assert places(tree(text)) == {
        "": 2,
        "api": 3,
        "api.zone": 3,
        "registries": 5,
        "registries[0]": 5,
        "registries[0].name": 5,
        "registries[0].images": 7,
        "registries[0].images[0]": 7,
        "registries[0].images[1]": 9,
        "registries[0].images[1].name": 9,
        "registries[0].images[1].interval": 10,
        "registries[1]": 11,
        "registries[1].name": 11,
        "registries[1].images": 11,
        "registries[1].images[0]": 11,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", "a"),
        ("'1'", "1"),
        ("1", 1),
        ("1.10", 1.1),
        ("0x10", 16),
        ("010", 8),
        ("1:30", 90),
        ("true", True),
        ("on", True),
        ("No", False),
        ("~", None),
        ("null", None),
        ("2024-01-02", dt.date(2024, 1, 2)),
        ("[]", []),
        ("{}", {}),
        ("{a: {b: [1, x]}}", {"a": {"b": [1, "x"]}}),
        ("1: x", {"1": "x"}),
        ("on: x", {"on": "x"}),
        ("~: x", {"~": "x"}),
        ("|\n  two\n  lines\n", "two\nlines\n"),
        (">-\n  one\n  line\n", "one line"),
        ("\ufeffa: b", {"a": "b"}),
        ("a: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
        ("---\na: b\n...\n", {"a": "b"}),
        ("%YAML 1.1\n---\na: b\n", {"a": "b"}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("한국어: 도커", {"한국어": "도커"}),
    ],
)
def test_values_are_read_as_yaml_has_them_and_keys_as_they_are_written(
    text: str, value: object
) -> None:
    assert plain(tree(text)) == value


def test_an_alias_is_read_in_its_new_place_at_the_line_of_what_it_stands_for() -> None:
    assert places(tree("a: &x\n  - b\nc: *x\n")) == {
        "": 1,
        "a": 1,
        "a[0]": 2,
        "c": 1,
        "c[0]": 2,
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${ONE}", "1"),
        ("a${ONE}b${TEXT}c", "a1bsome textc"),
        ("${EMPTY}", ""),
        ("${odd-name.x}", "odd"),
        ("$$", "$"),
        ("$$$$", "$$"),
        ("$${ONE}", "${ONE}"),
        ("$$${ONE}", "$1"),
        ("$", "$"),
        ("a$", "a$"),
        ("{ONE}", "{ONE}"),
        ("a${ONE", "a${ONE"),
        ("${NESTED}", "${ONE} $$"),
    ],
)
def test_references_are_expanded_once_in_values(written: str, value: str) -> None:
    assert tree(f"'{written}'").value == value
    assert plain(tree(f"a: ['{written}']")) == {"a": [value]}


def test_references_in_keys_are_left_alone() -> None:
    assert plain(tree("'${ONE}': x")) == {"${ONE}": "x"}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("$ONE", "a variable needs braces: write ${ONE}; for a dollar sign write $$"),
        ("a-$ONE/b", "a variable needs braces: write ${ONE}; for a dollar sign write $$"),
        ("${ONE", "the ${ at the beginning has no }; for a dollar sign write $$"),
        ("${ONE }", "${ONE } is not set in the environment; did you mean 'ONE'?"),
        ("${one}", "${one} is not set in the environment; did you mean 'ONE'?"),
        ("${LINE}", "the variable LINE ends in a line feed; set it without"),
        ("a${LINE}b", "the variable LINE ends in a line feed; set it without"),
        ("${MARK}", "the variable MARK begins with a byte order mark; set it without"),
    ],
)
def test_a_mistaken_reference_is_told_with_what_to_write(written: str, message: str) -> None:
    _, problems = read(f"a: '{written}'\n")
    assert problems == [Problem("a", message, 1)]


@pytest.mark.parametrize(("written", "told"), [("hu$sh", 0), ("$hush", 1), ("${hush", 1)])
def test_a_dollar_in_a_secret_may_be_a_part_of_it_and_is_never_quoted(
    written: str, told: int
) -> None:
    _, problems = read(f"secret_key: '{written}'\n")
    assert len(problems) == told
    assert "hush" not in str(problems)


@pytest.mark.parametrize("reference", ["${UNSET}", "${}", "${elsewhere}"])
def test_an_unset_variable_is_told_with_place_line_and_remedy(reference: str) -> None:
    _, problems = read(f"a:\n  - 'x{reference}'\n")
    message = f"{reference} is not set in the environment; for a dollar sign write $$"
    assert problems == [Problem("a[0]", message, 2)]


def test_every_unset_variable_of_a_value_is_told() -> None:
    _, problems = read("'${A} ${ONE} ${B}'")
    assert [problem.message.split()[0] for problem in problems] == ["${A}", "${B}"]


def test_the_second_of_two_equal_keys_is_told_at_its_own_line() -> None:
    _, problems = read("a:\n  b: 1\n  'b': 2\na: 3\n")
    message = "this key is given twice; keep one"
    assert problems == [Problem("a.b", message, 3), Problem("a", message, 4)]


def test_a_value_that_yaml_itself_cannot_make_is_told_at_its_place() -> None:
    root, problems = read("a: 2024-13-45\nb: !mine x\n")
    assert [child.value for child in root.value.values()] == [INVALID, INVALID]
    assert [(problem.place, problem.line) for problem in problems] == [("a", 1), ("b", 2)]
    assert all(problem.message.startswith("cannot be read; ") for problem in problems)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: [1, 2", 1, "this [ has no ]"),
        ("a: b\n c: d\n", 2, "indented deeper than the line above"),
        ("a:\n\tb: c\n", 2, "a tab; YAML takes blanks only"),
        ("a: 'b\n", 1, "this quote has no closing quote"),
        ("a: *b\n", 1, "a value that begins with * must be in quotes"),
        ("a: 1\n---\nb: 2\n", 2, "a second YAML document begins here"),
        ("a: \x00", 1, "the character U+0000 cannot stand in YAML"),
        ("", None, "the file is empty"),
        ("# only this\n", None, "the file is empty"),
    ],
)
def test_what_is_not_one_document_is_told_with_its_line(
    text: str, line: int | None, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert words in problem.message


@pytest.mark.parametrize("text", ["&a [*a]", "&a {b: *a}", "a: &a [[[*a]]]", "[" * 1000])
def test_what_is_within_itself_or_endlessly_deep_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="F: is nested too deeply, or contains itself"):
        read(text)


def test_a_hundred_levels_are_read() -> None:
    assert len(places(tree("[" * 100 + "]" * 100))) == 100


@given(st.recursive(st.booleans() | st.integers() | st.none(), lambda v: st.lists(v, max_size=3)))
def test_flow_lists_are_read_as_they_are(value: object) -> None:
    text = str(value).replace("None", "null")
    assert plain(tree(text)) == value
