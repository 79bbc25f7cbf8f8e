"""Read the comments of the chart's values.yaml: the one place where a value is described.

The table in the chart's README.md and the descriptions in values.schema.json follow from them.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parents[1] / "deploy" / "helm" / "ncr-exporter"
TOOLS = Path(__file__).resolve().parent
WRITTEN = "Written by `make docs` from {} and values.yaml; do not edit."


@dataclass(frozen=True)
class Value:
    """One value of the chart, or a section of them."""

    path: str
    """Keys joined by dots, as `--set` takes them."""
    default: Any
    help: str
    is_section: bool = False


def values(text: str) -> list[Value]:
    """Return each value and section of a values.yaml, in order, with its comment."""
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(document, yaml.MappingNode):
        raise TypeError("values.yaml holds no mapping")
    return list(_Reader(text.splitlines()).read(document, ""))


class _Reader:
    """Walks the nodes of a YAML document beside the lines that hold its comments."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def read(self, mapping: yaml.MappingNode, prefix: str) -> Iterator[Value]:
        for key, value in mapping.value:
            path = f"{prefix}{key.value}"
            comment = self._comment(key, value)
            if self._is_section(value):
                yield Value(path, None, comment, is_section=True)
                yield from self.read(value, f"{path}.")
            else:
                yield Value(path, _constructed(value), comment)

    def _is_section(self, node: yaml.Node) -> bool:
        """Return whether a node is a mapping in block style whose keys have comments."""
        return (
            isinstance(node, yaml.MappingNode)
            and not node.flow_style
            and any(self._comment(key, value) for key, value in node.value)
        )

    def _comment(self, key: yaml.Node, value: yaml.Node) -> str:
        return " ".join([*self._above(key), self._beside(key, value)]).strip()

    def _above(self, key: yaml.Node) -> list[str]:
        indent = " " * key.start_mark.column
        found: list[str] = []
        for line in reversed(self._lines[: key.start_mark.line]):
            if not line.startswith(f"{indent}# "):
                break
            found.insert(0, line.strip("# "))
        return found

    def _beside(self, key: yaml.Node, value: yaml.Node) -> str:
        on_key_line = value.start_mark.line > key.start_mark.line
        mark = key.end_mark if on_key_line else value.end_mark
        rest = re.match(r"[:,\s]*# (.*)", self._lines[mark.line][mark.column :])
        return rest[1] if rest else ""


def _constructed(node: yaml.Node) -> Any:  # noqa: ANN401 -- whatever YAML holds
    return yaml.safe_load(yaml.serialize(node))


def readme() -> str:
    """Return the chart's README.md: tools/chart_readme.md, and the table of its values."""
    title, _, rest = (TOOLS / "chart_readme.md").read_text("utf-8").partition("\n")
    rows = "\n".join(map(_row, values((CHART / "values.yaml").read_text("utf-8"))))
    note = f"<!-- {WRITTEN.format('tools/chart_readme.md')} -->"
    return f"{title}\n\n{note}\n{rest}\n| value | default | |\n|---|---|---|\n{rows}\n"


def _row(value: Value) -> str:
    if value.is_section:
        return f"| **`{value.path}`** | | {_cell(value.help)} |"
    default = json.dumps(value.default, ensure_ascii=False)
    return f"| `{value.path}` | `{_cell(default)}` | {_cell(value.help)} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def schema() -> str:
    """Return values.schema.json: tools/chart_schema.json, with what values.yaml says."""
    types: dict[str, Any] = json.loads((TOOLS / "chart_schema.json").read_text("utf-8"))
    for value in values((CHART / "values.yaml").read_text("utf-8")):
        node = types
        for key in value.path.split("."):
            node = node["properties"][key]
        node["description"] = value.help
    tree = {"$comment": WRITTEN.format("tools/chart_schema.json"), **types}
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
