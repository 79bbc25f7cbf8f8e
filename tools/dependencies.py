"""What docs/dependencies.md says of each distribution that the program runs with, and why."""

import re
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "runtime.txt"
_PROJECT = "ncr-exporter (pyproject.toml)"
_WANTED = re.compile(r'^  "(?P<name>[\w.-]+)[^"]*",\s*# (?P<reason>.+)$', re.MULTILINE)
_LOCKED = re.compile(r"^(?P<name>[\w.-]+)==.*\\\n(?P<rest>(?:^ .*\n?)+)", re.MULTILINE)
_VIA = re.compile(r"^ +# {1,3}(?:via )?(\S.*?)$", re.MULTILINE)


@dataclass(frozen=True)
class Distribution:
    """One line of the lock."""

    name: str
    why: str
    brought_by: tuple[str, ...]
    """Other distributions that ask for it; empty where pyproject.toml alone does."""
    is_hashed: bool


def distributions() -> list[Distribution]:
    """Return what the lock names, each with its reason.

    Raises:
        KeyError: one that pyproject.toml names has no reason there.
    """
    reasons = _reasons((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = _LOCKED.finditer(LOCK.read_text(encoding="utf-8"))
    return [_distribution(match["name"], match["rest"], reasons) for match in locked]


def _distribution(name: str, rest: str, reasons: dict[str, str]) -> Distribution:
    via = [by for by in _VIA.findall(rest) if by != "via"]
    why = reasons[name] if _PROJECT in via else _sentence(metadata(name)["Summary"])
    brought_by = tuple(by for by in via if by != _PROJECT)
    return Distribution(name, why, brought_by, "--hash=sha256:" in rest)


def _reasons(pyproject: str) -> dict[str, str]:
    section = pyproject.partition("\ndependencies = [")[2].partition("\n]")[0]
    return {match["name"]: match["reason"] for match in _WANTED.finditer(section)}


def _sentence(text: str) -> str:
    """Return what a distribution says of itself, in the form of our own reasons."""
    return text.strip().rstrip(".")
