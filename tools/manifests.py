#!/usr/bin/env python3
"""Write the copies of rules and dashboards that the Helm chart and a kustomize component must hold.

Neither Helm nor kustomize reads outside its own folder, and links that leave it are refused by some
that deploy from a repository. So the copies are committed, written by `make manifests` alone, and
a test fails where they differ from `deploy/prometheus/rules` and `deploy/grafana/dashboards`. Each
says so in its first line; of dashboards, which are JSON, a README beside them does.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from tools import rules

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
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
_LINKS = """\
# Written by `make manifests` from deploy/prometheus/rules: do not edit. The runbook and the
# dashboard of each alert, to be put behind the addresses that the chart is given. Dashboards are
# templates of Prometheus', not of Helm.
"""


def copies() -> dict[Path, str]:
    """Return what every copy must hold, by its path."""
    alerting = rules.rules()
    dashboards = {file.name: file.read_text() for file in sorted(DASHBOARDS.glob("*.json"))}
    return {
        PROMETHEUS_RULE: prometheus_rule(alerting),
        CHART_FILES / "README.md": _README,
        CHART_FILES / "links.yaml": _LINKS + yaml.safe_dump(rules.links_of(alerting), width=1000),
        **{
            CHART_FILES / "rules" / name: f"{_MARK.format(f'/{name}')}#\n{text}"
            for name, text in alerting.items()
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
    return f"{_MARK.format('')}{rules.custom_resource('PrometheusRule', files)}"


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
