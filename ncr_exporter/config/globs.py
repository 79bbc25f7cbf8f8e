"""Globs of the configuration: `*` matches any characters, `/` included; case matters."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

EVERY = "*"
"""The glob that matches every name. As a registry's name: every registry of the account."""


def is_glob(text: str) -> bool:
    """Return whether `text` is a glob rather than a name."""
    return "*" in text


def matches(name: str, pattern: str) -> bool:
    """Return whether `name` equals `pattern`, or matches it if it is a glob."""
    return fnmatchcase(name, pattern) if is_glob(pattern) else name == pattern


def excluded(name: str, patterns: Iterable[str]) -> bool:
    """Return whether any of the patterns, names or globs, matches `name`."""
    return any(matches(name, pattern) for pattern in patterns)
