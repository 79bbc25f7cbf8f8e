"""Globs as the configuration writes them: `*` crosses `/`, and case matters."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

EVERY = "*"
"""As a registry's name: every registry of the account."""


def is_glob(text: str) -> bool:
    """Tell a glob from a name."""
    return "*" in text


def matches(name: str, pattern: str) -> bool:
    """Tell whether a name is the one that `pattern` names, or matches it as a glob."""
    return fnmatchcase(name, pattern) if is_glob(pattern) else name == pattern


def excluded(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether some pattern matches a name."""
    return any(matches(name, pattern) for pattern in patterns)
