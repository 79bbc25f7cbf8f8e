#!/usr/bin/env python3
"""Write the copies of rules and dashboards that the Helm chart and a kustomize component must hold.

Neither Helm nor kustomize reads outside its own folder, and links that leave it are refused by some
that deploy from a repository. So the copies are committed, written by `make manifests` alone, and
a test fails where they differ from `deploy/prometheus/rules` and `deploy/grafana/dashboards`. Each
says so in its first line; of dashboards, which are JSON, a README beside them does.
"""

import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
RULES = DEPLOY / "prometheus" / "rules"
DASHBOARDS = DEPLOY / "grafana" / "dashboards"
CHART_FILES = DEPLOY / "helm" / "ncr-exporter" / "files"
COMPONENTS = DEPLOY / "kubernetes" / "components"
PROMETHEUS_RULE = COMPONENTS / "prometheus-operator" / "prometheusrule.yaml"
_MARK = "# Written by `make manifests` from deploy/prometheus/rules{}: do not edit.\n"
_README = """\
# Copies of rules and dashboards

Everything in here is written by `make manifests` from `deploy/prometheus/rules` and
`deploy/grafana/dashboards`: do not edit. Helm reads nothing outside the chart.
"""
_HEADER = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ncr-exporter
  labels:
    app.kubernetes.io/name: ncr-exporter
spec:
"""


def copies() -> dict[Path, str]:
    """Return what every copy must hold, by its path."""
    rules = {file.name: file.read_text() for file in sorted(RULES.glob("*.yml"))}
    dashboards = {file.name: file.read_text() for file in sorted(DASHBOARDS.glob("*.json"))}
    return {
        PROMETHEUS_RULE: prometheus_rule(rules),
        CHART_FILES / "README.md": _README,
        **{
            CHART_FILES / "rules" / name: f"{_MARK.format(f'/{name}')}#\n{text}"
            for name, text in rules.items()
        },
        **{CHART_FILES / "dashboards" / name: text for name, text in dashboards.items()},
    }


def strays() -> list[Path]:
    """Return the files among the chart's copies that are a copy of nothing."""
    known = copies()
    return [path for path in CHART_FILES.rglob("*") if path.is_file() and path not in known]


def prometheus_rule(files: Mapping[str, str]) -> str:
    """Return the custom resource that holds the groups of these rule files, comments and all.

    Raises:
        ValueError: a file holds anything but `groups:` in block style.
    """
    head = _MARK.format("") + _HEADER
    if not files:
        return f"{head}  groups: []\n"
    body = "".join(_groups(name, text) for name, text in files.items())
    return f"{head}  groups:\n{body}"


def _groups(name: str, text: str) -> str:
    _, _, groups = f"\n{text}".partition("\ngroups:\n")
    try:
        listed = yaml.safe_load(groups)
    except yaml.YAMLError:  # a list, then another key
        listed = None
    if not isinstance(listed, list):
        raise ValueError(f"{name}: must hold `groups:` alone, on a line of its own")
    return textwrap.indent(groups.rstrip("\n") + "\n", "  ")


def main() -> int:
    """Write the copies that differ, remove strays, and name both."""
    for path, text in copies().items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            say(f"wrote {path.relative_to(DEPLOY.parent)}")
    for path in strays():
        path.unlink()
        say(f"removed {path.relative_to(DEPLOY.parent)}")
    return 0


def say(sentence: str) -> None:
    """Tell the person who ran this."""
    print(sentence)  # noqa: T201 -- a command's answer


if __name__ == "__main__":
    sys.exit(main())
