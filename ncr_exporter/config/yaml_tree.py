"""YAML text → a tree of nodes that know their place and line, with `${VAR}` expanded.

PyYAML's own `safe_load` keeps the last of two equal keys without a word and forgets line numbers;
this walks the composed nodes instead and builds plain values with PyYAML's own constructor.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from ncr_exporter.runtime.errors import UserError


@dataclass(frozen=True)
class Problem:
    """One mistake; `place` as in `registries[0].images[1].interval`, empty for the whole file."""

    place: str
    message: str
    line: int | None = None


class ConfigError(UserError):
    """The configuration cannot be used; `str()` has one line per problem, for people."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(self._line(problem) for problem in self.problems))

    def _line(self, problem: Problem) -> str:
        where = self.source if problem.line is None else f"{self.source}:{problem.line}"
        return ": ".join(part for part in (where, problem.place, problem.message) if part)


_QUOTED = re.compile(r"'.{5,}'", re.DOTALL)
_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"
_TEXT = "tag:yaml.org,2002:str"
_PLAIN = {_TEXT, *(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "int", "timestamp"))}
_LARGEST = 10**300  # beyond it a comparison with a float fails
_REFERENCE = re.compile(r"\$(?:\$|\{([^}]*)\}|)")

BROKEN: Any = object()
"""Stands for a value that could not be had and was reported."""

Report = Callable[[Problem], None]


class Expanded(str):
    """A text not yet known to be a number or a boolean, as all that the environment holds."""

    __slots__ = ()


@dataclass(frozen=True)
class Node:
    """A value in the file: a scalar, `list[Node]` or `dict[str, Node]`."""

    value: Any
    place: str
    line: int
    key_line: int | None = None
    """Where its key stands; a block value begins on a later line."""

    def problem(self, message: str) -> Problem:
        """Say that this value is wrong."""
        return Problem(self.place, message, self.line)

    def child(self, key: str) -> "Node":
        """Return the node under `key`, or this one where the key was left out."""
        child = self.value.get(key) if isinstance(self.value, dict) else None
        return child if isinstance(child, Node) else self


def read_tree(text: str, source: str, environ: Mapping[str, str], report: Report) -> Node:
    """Return the document's root.

    Raises:
        ConfigError: the text is not one YAML document.
    """
    root = _built(_Builder(environ, report), text, source)
    if root is None:
        raise ConfigError(source, [Problem("", "the file is empty; `registries` is needed")])
    return root


def read_verbatim(text: str, source: str, report: Report) -> Node:
    """Return the root of a document that is not ours: no `${VAR}`, and every scalar as written.

    Go reads a scalar by what its key wants: `X-XSS-Protection: 1` is text there. An empty document
    is an empty mapping.

    Raises:
        ConfigError: the text is not one YAML document.
    """
    return _built(_Verbatim({}, report), text, source) or Node({}, "", 1)


def _built(builder: "_Builder", text: str, source: str) -> Node | None:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return None if root is None else builder.build(root, "")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem = _QUOTED.sub("…", error.problem or "")  # an unquoted secret may stand there
        raise ConfigError(source, [Problem("", f"not YAML: {problem}", line)]) from None
    except yaml.YAMLError as error:  # a character that YAML does not allow; named by its number
        summary = str(error).split(":")[0]
        raise ConfigError(source, [Problem("", f"not YAML: {summary}")]) from None
    except RecursionError:
        raise ConfigError(source, [Problem("", "nested too deeply, or within itself")]) from None


class _Builder:
    def __init__(self, environ: Mapping[str, str], report: Report) -> None:
        self._environ = environ
        self._report = report
        self._scalars = yaml.SafeLoader("")

    def build(self, node: yaml.Node, place: str) -> Node:
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return Node(dict(self._items(node, place)), place, line)
        if isinstance(node, yaml.SequenceNode):
            items = [self.build(item, f"{place}[{i}]") for i, item in enumerate(node.value)]
            return Node(items, place, line)
        return Node(self._scalar(node, place, line), place, line)

    def _items(self, node: yaml.MappingNode, place: str) -> Iterator[tuple[str, Node]]:
        seen = set()
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(Problem(place, "a key must be plain text", line))
                continue
            if key_node.tag == _MERGE:
                self._report(Problem(place, "`<<` is not understood; write its keys out", line))
                continue
            key = key_node.value
            child = f"{place}.{key}" if place else key
            if key in seen:
                self._report(Problem(child, "this key stands here twice; keep one", line))
            seen.add(key)
            yield key, replace(self.build(value_node, child), key_line=line)

    def _scalar(self, node: yaml.Node, place: str, line: int) -> object:
        try:
            value = self._scalars.construct_object(node)
        except Exception:  # noqa: BLE001 -- PyYAML's constructors raise whatever a bad value makes them
            self._report(Problem(place, "cannot be read; put it in quotes", line))
            return BROKEN
        if isinstance(value, int) and abs(value) > _LARGEST:
            self._report(Problem(place, "is too large a number", line))
            return BROKEN
        return self._expanded(value, place, line) if isinstance(value, str) else value

    def _expanded(self, text: str, place: str, line: int) -> object:
        references = [match[1] for match in _REFERENCE.finditer(text) if match[1] is not None]
        unset = [name for name in references if name not in self._environ]
        for name in unset:
            message = f"${{{name}}} is not set in the environment; for a dollar sign write $$"
            self._report(Problem(place, message, line))
        if unset:
            return BROKEN
        expanded = _REFERENCE.sub(self._replacement, text)
        return Expanded(expanded) if references else expanded

    def _replacement(self, match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return match[0] if match[1] is None else self._environ[match[1]]


class _Verbatim(_Builder):
    def _scalar(self, node: yaml.Node, place: str, line: int) -> object:
        if node.tag == _NULL:
            return None
        if node.tag not in _PLAIN:
            self._report(Problem(place, "cannot be read; put it in quotes", line))
            return BROKEN
        return str(node.value) if node.tag == _TEXT else Expanded(node.value)
