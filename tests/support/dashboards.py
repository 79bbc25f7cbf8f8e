"""The dashboards as Grafana gets them: their files, and what there is in one."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

GRAFANA = Path(__file__).resolve().parents[2] / "deploy" / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
DASHBOARDS: dict[str, dict[str, Any]] = {
    dashboard["uid"]: dashboard for dashboard in (json.loads(file.read_text()) for file in FILES)
}

PROMISED: dict[str, frozenset[str]] = {}
"""Metrics that the dashboards may name before the catalogue has them, and their labels."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$([A-Za-z_]\w*)")


def provisioned(kind: str) -> dict[str, Any]:
    """Return the only provisioning file of a kind."""
    (file,) = (GRAFANA / "provisioning" / kind).glob("*.yml")
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    return content


def panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every panel, those of collapsed rows too, and no row."""
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            yield panel
        yield from panel.get("panels", ())


def variables(dashboard: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the variables by name."""
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def queries(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every query with what asks it: panels, variables and annotations."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["expr"]
    for name, variable in variables(dashboard).items():
        if variable["type"] == "query":
            yield f"variable {name}", label_values(variable)[0]


def label_values(variable: Mapping[str, Any]) -> tuple[str, str]:
    """Return the series that a variable looks at, and the label it takes its values from."""
    match = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
    assert match, variable
    return match[1], match[2]


def used_variables(text: str) -> set[str]:
    """Return the variables that a text names, Grafana's own (`__range`) left out."""
    names = {braced or bare for braced, bare in _VARIABLE.findall(text)}
    return {name for name in names if not name.startswith("__")}


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a query with its variables replaced, as Grafana does before it asks."""
    return _VARIABLE.sub(lambda match: values[match[1] or match[2]], text)


def links(dashboard: Mapping[str, Any]) -> Iterator[str]:
    """Yield the address of every link: of the dashboard, of series and of table columns."""
    yield from (link["url"] for link in dashboard["links"])
    for panel in panels(dashboard):
        config = panel["fieldConfig"]
        yield from (link["url"] for link in config["defaults"].get("links", ()))
        for override in config["overrides"]:
            for look in override["properties"]:
                if look["id"] == "links":
                    yield from (link["url"] for link in look["value"])
