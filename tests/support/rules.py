"""The rule files, rule tests, runbooks and documents, read for the tests that tie them together."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.rules import with_severity

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = sorted(PROMETHEUS.glob("rules/*.yml"))
RULE_TESTS = sorted(PROMETHEUS.glob("tests/*.yml"))
RUNBOOKS = ROOT / "docs" / "runbooks"
JOINS = ROOT / "docs" / "joins.md"

_MODIFIER = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'")
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)?\s*\{([^}]*)\}")
_RANGE = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
_NAME = re.compile(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()")
_WORDS = {"and", "or", "unless", "bool", "on", "by"}


def groups() -> list[dict[str, Any]]:
    """Every rule group."""
    return [group for path in RULES for group in read(path)["groups"]]


def hurried(folder: Path, info: str = "info") -> list[Path]:
    """Write copies of the rules that wait for nothing; `info` may be another severity."""
    folder.mkdir(exist_ok=True)
    for path in RULES:
        text = with_severity(path.read_text(), info)
        text = re.sub(r"^( +(?:for|interval)): \w+$", r"\1: 1s", text, flags=re.MULTILINE)
        (folder / path.name).write_text(text)
    return [folder / path.name for path in RULES]


def in_order(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return groups in the order in which rule tests evaluate them: totals first."""
    order = read(PROMETHEUS / "tests" / "kubernetes.test.yml")["group_eval_order"]
    return sorted(found, key=lambda group: int(order.index(group["name"])))


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert rule, by name."""
    rules = [rule for group in groups() for rule in group["rules"] if "alert" in rule]
    assert len({rule["alert"] for rule in rules}) == len(rules), "two alerts share a name"
    return {rule["alert"]: rule for rule in rules}


def annotations() -> list[str]:
    """Every annotation of every alert."""
    return [text for rule in alerts().values() for text in rule["annotations"].values()]


def records() -> dict[str, str]:
    """Every recording rule: its name and expression."""
    rules = [rule for group in groups() for rule in group["rules"] if "record" in rule]
    assert len({rule["record"] for rule in rules}) == len(rules), "two records share a name"
    return {rule["record"]: rule["expr"] for rule in rules}


@dataclass(frozen=True)
class Names:
    """What an expression names."""

    metrics: frozenset[str]
    labels: frozenset[tuple[str, str]]
    """Metric, and a label it is selected by."""


def names_in(expr: str) -> Names:
    """Return the metrics that a PromQL expression names, and the labels it selects them by."""
    bare = _RANGE.sub(" ", _STRING.sub('""', _without_comments(expr)))
    labels = {
        (metric, label)
        for metric, matchers in _SELECTOR.findall(bare)
        for label in re.findall(r"(\w+)\s*[=!]", matchers)
    }
    bare = _MODIFIER.sub(" ", re.sub(r"\{[^}]*\}", " ", bare))
    return Names(frozenset(set(_NAME.findall(bare)) - _WORDS), frozenset(labels))


def _without_comments(expr: str) -> str:
    return re.sub(r"#.*", "", expr)


@cache
def read(path: Path) -> dict[str, Any]:
    """Return what a YAML file holds."""
    content: dict[str, Any] = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    return content


def queries_in(template: str) -> list[str]:
    """Return the queries that an annotation's template makes, `x` in place of each value.

    Matchers that several queries of a template share are put together before, as `$of`.
    """
    shared = re.search(r'\$of := printf "([^"]*)"', template)
    formats = re.findall(r'printf "((?:[^"\\]|\\.)*)"(?=[^|}]*\| query)', template)
    matchers = shared[1].replace("%q", '"x"') if shared else ""
    return [each.replace("%s", matchers) for each in formats]


ELSEWHERE = ("chronyc", "docker", "kubectl", "timedatectl")
"""Programs of runbooks that ask something which a test has not got."""


def shell_blocks(markdown: str) -> list[str]:
    """Return what a document has to paste into a shell."""
    return re.findall(r"```sh\n(.*?)```", markdown, re.DOTALL)


def pasted_queries(markdown: str) -> list[str]:
    """Return what a shell would hand promtool if somebody pasted a document's commands.

    Every program is a function here and none can be found: nothing is run, a new one is noticed.
    """
    quiet = (*ELSEWHERE, "amtool", "curl", "date", "grep", "tr")
    stand_ins = [f"{program}() {{ :; }}" for program in quiet]
    script = [
        "set -eu",
        "exec 3>&1 >/dev/null",
        *stand_ins,
        'promtool() { printf "%s\\0" "${@: -1}" >&3; }',
        *shell_blocks(markdown),
    ]
    done = subprocess.run(  # noqa: S603 - our own documents, with every program replaced
        [shutil.which("bash") or "bash", "-c", "\n".join(script)],
        capture_output=True,
        check=True,
        env={"PATH": "/nowhere"},
        timeout=20,
    )
    return [query for query in done.stdout.decode().split("\0") if query]
