"""YAML text → a tree of nodes with place and line, `${VAR}` expanded.

PyYAML's `safe_load` silently keeps the last of two equal keys, and drops line numbers. So this
module walks PyYAML's composed nodes, and has PyYAML's constructor build only the scalars.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from ncr_exporter.config.secret import SECRET_KEYS
from ncr_exporter.config.stray_signs import (
    BYTE_ORDER_MARK,
    is_bullet,
    is_curly_quoted,
    look_alike,
    stray_end,
)
from ncr_exporter.config.suggestions import did_you_mean
from ncr_exporter.config.yaml_errors import yaml_mistake
from ncr_exporter.runtime.errors import UserError


@dataclass(frozen=True)
class Problem:
    """One mistake in a configuration file."""

    place: str
    """The key, such as `registries[0].images[1].interval`; empty for the whole file."""
    message: str
    """What is wrong, and what would be right."""
    line: int | None = None
    """Counted from 1; None for the whole file."""
    column: int | None = None
    """Counted from 1; None for the whole line."""

    def in_file(self, source: str) -> str:
        """Return the problem as one line: where, in the file named `source`, and what."""
        where = ":".join(str(part) for part in (source, self.line, self.column) if part)
        return ": ".join(part for part in (where, self.place, self.message) if part)


class ConfigError(UserError):
    """The configuration cannot be used; `str()` has one line for each problem."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        """Set the problems, and the `source` that their lines begin with, such as a path."""
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.in_file(source) for problem in self.problems))


_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"
_TEXT = "tag:yaml.org,2002:str"
_PLAIN = {_TEXT, *(f"tag:yaml.org,2002:{tag}" for tag in ("bool", "float", "int", "timestamp"))}
_LARGEST = 10**300  # Python cannot compare a larger integer with every float
_REFERENCE = re.compile(r"\$(?:\$|\{([^}]*)\}|([A-Za-z_]\w*)|)", re.ASCII)
"""A `$` that stands for something: `$$`, `${VAR}`, or `$VAR`, which lacks its braces."""
_SIMILAR_VARIABLE = 0.8
"""Least similarity: an environment has a hundred names, and one of them is always a bit alike."""

INVALID: Any = object()
"""In place of a value that was reported as a problem; None is a value (`tag_series: all`)."""

ReportProblem = Callable[[Problem], None]


class Expanded(str):
    """A text from the environment, which may stand for a number or a boolean."""

    __slots__ = ()


@dataclass(frozen=True)
class Node:
    """A value in the file, with its place."""

    value: Any
    """A scalar, `list[Node]` or `dict[str, Node]`."""
    place: str
    """As in `Problem.place`."""
    line: int
    """The line that the value begins on, counted from 1."""
    key_line: int | None = None
    """The line of its key: a block value begins on a later line."""

    def problem(self, message: str) -> Problem:
        """Return the problem that this value has."""
        return Problem(self.place, message, self.line)

    def child(self, key: str) -> "Node":
        """Return the node under `key`, or this node where the key was left out."""
        child = self.value.get(key) if isinstance(self.value, dict) else None
        return child if isinstance(child, Node) else self


Mistakes = Iterator[tuple[str, Node]]
"""Messages, each with the node that is wrong."""


NodeOf = Callable[[object], Node]
"""An entry of `registries` or `images` → its node in the file."""


def read_tree(text: str, source: str, environ: Mapping[str, str], report: ReportProblem) -> Node:
    """Return the root node of a configuration file.

    Args:
        text: the YAML document.
        source: its name in the error.
        environ: the variables that `${VAR}` stands for.
        report: called with each problem of a single key or value, which is then `INVALID`.

    Raises:
        ConfigError: the text is not one YAML document.
    """
    root = _build(_Builder(environ, report), text, source)
    if root is None:
        raise ConfigError(source, [Problem("", "the file is empty; `registries` is needed")])
    return root


def read_verbatim(text: str, source: str, report: ReportProblem) -> Node:
    """Return the root node of a file whose format is defined by a Go program.

    `${VAR}` is not expanded. Every scalar stays text as written: Go decodes a scalar by the type of
    its key, so that `X-XSS-Protection: 1` is text. An empty document is an empty mapping.

    Args:
        text: the YAML document.
        source: its name in the error.
        report: called with each problem of a single key or value, which is then `INVALID`.

    Raises:
        ConfigError: the text is not one YAML document.
    """
    return _build(_Verbatim({}, report), text, source) or Node({}, "", 1)


def _build(builder: "_Builder", text: str, source: str) -> Node | None:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return None if root is None else builder.build(root, "")
    except yaml.YAMLError as error:
        wrong = yaml_mistake(error, text)
        problem = Problem("", wrong.message, wrong.line, wrong.column)
        raise ConfigError(source, [problem]) from None
    except RecursionError:
        raise ConfigError(
            source, [Problem("", "is nested too deeply, or contains itself")]
        ) from None


class _Builder:
    """Makes nodes of PyYAML's, with `${VAR}` expanded and scalars as YAML types them."""

    def __init__(self, environ: Mapping[str, str], report: ReportProblem) -> None:
        self._environ = environ
        self._report = report
        self._scalars = yaml.SafeLoader("")

    def build(self, node: yaml.Node, place: str) -> Node:
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            mapping = dict(self._items(node, place))
            is_one = not place or not any(_is_no_key(key) for key, _ in node.value)
            return Node(mapping if is_one else INVALID, place, line)
        if isinstance(node, yaml.SequenceNode):
            items = [self.build(item, f"{place}[{i}]") for i, item in enumerate(node.value)]
            return Node(items, place, line)
        return Node(self._scalar(node, place, line), place, line)

    def _items(self, node: yaml.MappingNode, place: str) -> Iterator[tuple[str, Node]]:
        seen = set()
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                template = isinstance(key_node, yaml.MappingNode)
                hint = "; render the template first that has {{ }} here" if template else ""
                self._report(Problem(place, f"a key must be plain text{hint}", line))
                continue
            if key_node.tag == _MERGE:
                self._report(Problem(place, "`<<` is not understood; write its keys out", line))
                continue
            key = key_node.value
            if stray := look_alike(key):
                self._report(Problem(place, f"the key has {stray}", line))
                continue
            child = f"{place}.{key}" if place else key
            if key in seen:
                self._report(Problem(child, "this key is given twice; keep one", line))
            seen.add(key)
            yield key, replace(self.build(value_node, child), key_line=line)

    def _scalar(self, node: yaml.Node, place: str, line: int) -> object:
        try:
            value = self._scalars.construct_object(node)
        except Exception:  # noqa: BLE001 -- PyYAML's constructors raise many types for a bad value
            self._report(Problem(place, "cannot be read; put it in quotes", line))
            return INVALID
        if isinstance(value, int) and abs(value) > _LARGEST:
            self._report(Problem(place, "is too large a number", line))
            return INVALID
        return self._expanded(value, place, line) if isinstance(value, str) else value

    def _expanded(self, text: str, place: str, line: int) -> object:
        matches = list(_REFERENCE.finditer(text))
        secret = place.rpartition(".")[2] in SECRET_KEYS
        problems = [*self._bare(text, matches, secret=secret), *self._unusable(matches)]
        if is_curly_quoted(text):
            problems.append(f"has {look_alike(text)}")
        if text.startswith("${") and "}" not in text:
            problems.append("the ${ at the beginning has no }; for a dollar sign write $$")
        for message in problems:
            self._report(Problem(place, message, line))
        if problems:
            return INVALID
        expanded = _REFERENCE.sub(self._replacement, text)
        return Expanded(expanded) if any(match[1] is not None for match in matches) else expanded

    @staticmethod
    def _bare(text: str, matches: list[re.Match[str]], *, secret: bool) -> Iterator[str]:
        """Yield a message for each `$VAR` without braces; part of a secret may look like one."""
        for match in matches:
            if match[2] is None or (secret and match[0] != text):
                continue
            variable = "VARIABLE" if secret else match[2]
            yield f"a variable needs braces: write ${{{variable}}}; for a dollar sign write $$"

    def _unusable(self, matches: list[re.Match[str]]) -> Iterator[str]:
        """Yield a message for each variable that is not set, or whose value has a stray end."""
        for name in (match[1] for match in matches if match[1] is not None):
            if name not in self._environ:
                similar = did_you_mean(name, self._environ, least=_SIMILAR_VARIABLE)
                what = f"${{{name}}} is not set in the environment{similar}"
                yield what if similar else f"{what}; for a dollar sign write $$"
            elif (
                self._environ[name].startswith(BYTE_ORDER_MARK) or "\n" in self._environ[name][-1:]
            ):
                yield f"the variable {name} {stray_end(self._environ[name])}; set it without"

    def _replacement(self, match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return match[0] if match[1] is None else self._environ[match[1]]


def _is_no_key(key: yaml.Node) -> bool:
    """Return whether a key shows that no mapping was meant: of a template, or behind a dash."""
    dash = isinstance(key, yaml.ScalarNode) and is_bullet(key.value)
    return dash or isinstance(key, yaml.MappingNode)


class _Verbatim(_Builder):
    """Makes nodes whose scalars are the text as written."""

    def _scalar(self, node: yaml.Node, place: str, line: int) -> object:
        if node.tag == _NULL:
            return None
        if node.tag not in _PLAIN:
            self._report(Problem(place, "cannot be read; put it in quotes", line))
            return INVALID
        return str(node.value) if node.tag == _TEXT else Expanded(node.value)
