"""Errors of the YAML parser in words: where, what is wrong, and what to write instead. Pure.

PyYAML names its own tokens ("expected <block end>") and quotes the file, which may hold a secret.
The messages here quote no more than a single sign.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml

_QUOTED = re.compile(r"'.{5,}'", re.DOTALL)
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)
_KEY = re.compile(r"\s*(?:- +)*[^\s'\"\[{#][^#]*?:(?:\s|$)")
"""A line that has a key: some text, a colon, and a blank or the end of the line."""
_FULL_WIDTH_COLON = "\N{FULLWIDTH COLON}"
_OPENING = {"]": "[", "}": "{"}
_CLOSING = {"[": "]", "{": "}"}


@dataclass(frozen=True)
class YamlMistake:
    """Where a file is not YAML, and why."""

    message: str
    line: int
    """Counted from 1."""
    column: int
    """Counted from 1."""


@dataclass(frozen=True)
class _Found:
    """What the parser reports, beside the text that it read."""

    text: str
    problem: str
    """The parser's own words."""
    at: int
    """Where in the text it stopped."""
    since: int
    """Where the value, list or mapping begins that it was reading."""

    @property
    def sign(self) -> str:
        """The character at which the parser stopped; empty at the end of the file."""
        return self.text[self.at : self.at + 1]

    def line_start(self, at: int) -> int:
        """Return where the line of a place begins."""
        return self.text.rfind("\n", 0, at) + 1

    def line_before(self) -> tuple[int, str]:
        """Return where the line with content before this one begins, and its text."""
        end = self.line_start(self.at) - 1
        while end > 0:
            start = self.line_start(end)
            line = self.text[start:end]
            if line.strip() and not line.lstrip().startswith("#"):
                return start, line
            end = start - 1
        return 0, ""


_Explained = tuple[str, int]
"""A message, and the place in the text that it is about."""


def yaml_mistake(error: yaml.YAMLError, text: str) -> YamlMistake:
    """Return where and why a text is not YAML.

    Args:
        error: what PyYAML raised for `text`.
        text: the whole file.
    """
    message, at = _explained(error, text)
    line = text.count("\n", 0, at) + 1
    return YamlMistake(message, line, at - (text.rfind("\n", 0, at) + 1) + 1)


def _explained(error: yaml.YAMLError, text: str) -> _Explained:
    conflict = _CONFLICT.search(text)
    if conflict:
        return "a merge conflict is left in the file; keep one side of it", conflict.start()
    if isinstance(error, yaml.reader.ReaderError):
        code = error.character if isinstance(error.character, int) else ord(error.character)
        return f"the character U+{code:04X} cannot stand in YAML; remove it", error.position
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return "not YAML", 0
    at = error.problem_mark.index
    since = error.context_mark.index if error.context_mark else at
    found = _Found(text, f"{error.context or ''}: {error.problem or ''}", at, since)
    for pattern, explain in _EXPLANATIONS:
        if re.search(pattern, found.problem):
            return explain(found)
    return f"not YAML: {_QUOTED.sub('…', error.problem or '')}", at


def _tab(found: _Found) -> _Explained:
    return "a tab; YAML takes blanks only: write blanks instead", found.at


def _sign(found: _Found) -> _Explained:
    """A value begins with a sign that YAML keeps for itself."""
    sign = found.text[found.since : found.since + 1]
    return f"a value that begins with {sign} must be in quotes", found.since


def _colon(found: _Found) -> _Explained:
    """A second key stands where the value of the first one ends."""
    line = found.text[found.line_start(found.at) : found.at]
    if _KEY.match(line):
        return "a second `: ` in one value; put the value in quotes", found.at
    start, before = found.line_before()
    indent = len(before) - len(before.lstrip())
    if _FULL_WIDTH_COLON in before:
        sign = start + before.index(_FULL_WIDTH_COLON)
        return "a full-width colon; write `: `, a plain colon and a blank", sign
    if before.lstrip().startswith("- ") and not _KEY.match(before):
        return "an entry with settings begins with `- name: `", start + indent
    if not _KEY.match(before):
        return "no `: ` here; a key, a colon and a blank begin each line", start + indent
    message = (
        "indented deeper than the line above, whose value is complete; begin both in one column"
    )
    return message, found.line_start(found.at) + len(line) - len(line.lstrip())


def _indentation(found: _Found) -> _Explained:
    message = "wrong indentation; entries of one mapping or list begin in one column"
    return message, found.at


def _list_entry(found: _Found) -> _Explained:
    return "an entry of a list where a key must be; put the list under a key", found.at


def _key_in_list(found: _Found) -> _Explained:
    message = "a key where an entry of a list must be; begin it with `- `, or indent it"
    return message, found.at


def _bracket_too_many(found: _Found) -> _Explained:
    return f"a {found.sign} without its {_OPENING[found.sign]}; remove it", found.at


def _text_behind(found: _Found) -> _Explained:
    message = "text behind the end of a value; put the whole value in quotes ('' is a ' within '…')"
    return message, found.at


def _inline_list(found: _Found) -> _Explained:
    return "a list cannot begin beside its key; write `- ` on the next line", found.at


def _flow(found: _Found) -> _Explained:
    """A list or mapping in brackets is not closed, or lacks a comma."""
    bracket = found.text[found.since]
    closing = _CLOSING[bracket]
    if found.sign == "{" and found.text[found.at - 1] == "$":
        return '${VAR} within brackets must be in quotes: "${VAR}"', found.at - 1
    if found.sign in _OPENING:
        return f"{found.sign} closes what {bracket} opened; write {closing}", found.at
    if "\n" not in found.text[found.since : found.at]:
        if found.sign:
            return f"a comma is missing before this place, or the {closing}", found.at
    elif found.sign:
        line = found.text.count("\n", 0, found.at) + 1
        return f"this {bracket} has no {closing}, or line {line} lacks a comma", found.since
    return _not_closed(bracket), found.since


def _not_closed(bracket: str) -> str:
    return f"this {bracket} has no {_CLOSING[bracket]}"


def _quote(found: _Found) -> _Explained:
    return "this quote has no closing quote", found.since


def _escape(found: _Found) -> _Explained:
    return "\\ within \"…\" begins an escape; write '…' instead", found.text.rfind(
        "\\", 0, found.at
    )


def _no_colon(found: _Found) -> _Explained:
    return "no `: ` here; a key, a colon and a blank begin each line", found.since


def _second_document(found: _Found) -> _Explained:
    message = "a second YAML document begins here; the file holds one, so remove the `---`"
    return message, found.at


def _document_end(found: _Found) -> _Explained:
    percent = re.search(r"^%", found.text[: found.at], re.MULTILINE)
    if percent:
        return "a line that begins with %; put what it stands for in quotes", percent.start()
    if re.search(r"^\.\.\.", found.text[: found.at], re.MULTILINE):
        return "text behind the end of the document; remove the `...` above", found.at
    return "text behind the end of a value; a configuration is lines of `key: value`", found.at


def _no_value(found: _Found) -> _Explained:
    if found.sign:
        return f"a value cannot begin with {found.sign}; put it in quotes", found.at
    opened = max(found.text.rfind("["), found.text.rfind("{"))
    return _not_closed(found.text[opened]), opened


def _anchor_twice(found: _Found) -> _Explained:
    return "this anchor (&) is there twice; name one of them otherwise", found.at


_EXPLANATIONS: tuple[tuple[str, Callable[[_Found], _Explained]], ...] = (
    (r"found character '\\t'", _tab),
    (r"cannot start any token|undefined alias|scanning an? (alias|anchor|tag)", _sign),
    (r"undefined tag handle|scanning a block scalar|scanning a directive", _sign),
    (r"mapping values are not allowed", _colon),
    (r"expected <block end>, but found '<block", _indentation),
    (r"expected <block end>, but found '-'", _list_entry),
    (r"expected <block end>, but found '\?'", _key_in_list),
    (r"expected <block end>, but found '[\]}]'", _bracket_too_many),
    (r"expected <block end>, but found", _text_behind),
    (r"sequence entries are not allowed", _inline_list),
    (r"expected ',' or '[\]}]'", _flow),
    (r"unexpected end of stream|unexpected document separator", _quote),
    (r"unknown escape character|expected escape sequence", _escape),
    (r"could not find expected ':'", _no_colon),
    (r"found another document", _second_document),
    (r"expected '<document start>'", _document_end),
    (r"expected the node content", _no_value),
    (r"found duplicate anchor", _anchor_twice),
)
"""A pattern in the parser's words → what explains it; the first that matches does."""
