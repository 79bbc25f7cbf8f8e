#!/usr/bin/env python3
"""Write the rules of deploy/prometheus for one place: its links, its severity, its kind of file.

The rules themselves name no address. Here the alerts get `runbook_url` and `dashboard_url`, where
an address is given; without one there is no such annotation.
"""

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

RULES = Path(__file__).resolve().parent.parent / "deploy" / "prometheus" / "rules"
API_VERSIONS = {
    "PrometheusRule": "monitoring.coreos.com/v1",
    "VMRule": "operator.victoriametrics.com/v1beta1",
}
"""Kinds of custom resources that hold rules: prometheus-operator's, and VictoriaMetrics'."""
INFO = "info"
"""The severity of what is for a weekly look, as the rules have it."""

_ABOUT_THE_EXPORTER = {"ncr-polls", "ncr-exporter"}
"""Groups whose alerts are explained by the dashboard about the exporter."""
_DASHBOARDS = {
    True: "ncr-exporter",
    False: "ncr-{{ if $labels.image }}image{{ else }}overview{{ end }}",
}
_VARIABLES = ("job", "registry", "owner", "image", "instance")
_GROUP = re.compile(r"^  - name: (\S+)$")
_ALERT = re.compile(r"^      - alert: (\w+)$")
_ANNOTATIONS = "        annotations:"


@dataclass(frozen=True)
class Links:
    """Where the runbooks and Grafana are; None where there is no such place."""

    runbooks: str | None = None
    """A folder of `<alert>.md`, or an address with `{alert}` in it."""
    grafana: str | None = None

    def annotations(self, alert: str, dashboard: str) -> Iterator[str]:
        """Yield the annotations of an alert as lines of YAML, without indentation."""
        if self.runbooks and "{alert}" in self.runbooks:
            yield f"runbook_url: {self.runbooks.replace('{alert}', alert)}"
        elif self.runbooks:
            yield f"runbook_url: {self.runbooks.rstrip('/')}/{runbook_of(alert)}"
        if self.grafana:
            yield "dashboard_url: >-"
            yield f"  {self.grafana.rstrip('/')}/{dashboard}"


def runbook_of(alert: str) -> str:
    """Return the file of an alert's runbook, in the folder of runbooks."""
    return f"{alert}.md"


def dashboard_of(group: str) -> str:
    """Return the path of the dashboard that explains a group's alerts, with its variables set.

    It is a template of Prometheus', filled from the labels that the alert happens to have.
    """
    set_if_known = (
        f"{{{{ with $labels.{name} }}}}&var-{name}={{{{ . | urlquery }}}}{{{{ end }}}}"
        for name in _VARIABLES
    )
    return f"d/{_DASHBOARDS[group in _ABOUT_THE_EXPORTER]}?{''.join(set_if_known)}"


def rules() -> dict[str, str]:
    """Return the text of each rule file, by its name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(RULES.glob("*.yml"))}


def links_of(files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the runbook and the dashboard of each alert, relative to where those are kept."""
    return {
        alert: {"runbook": runbook_of(alert), "dashboard": dashboard_of(group)}
        for text in files.values()
        for group, alert, _ in _lines(text)
        if alert
    }


def with_links(text: str, links: Links) -> str:
    """Return a rule file with the annotations that lead on; comments and format stay."""
    found = []
    for group, alert, line in _lines(text):
        found.append(line)
        if line == _ANNOTATIONS:
            more = "\n".join(links.annotations(alert, dashboard_of(group)))
            found += textwrap.indent(more, " " * 10).splitlines()
    return "\n".join(found) + "\n"


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each line with the group and the alert that it belongs to."""
    group = alert = ""
    for line in text.splitlines():
        if found := _GROUP.match(line):
            group, alert = found[1], ""
        elif found := _ALERT.match(line):
            alert = found[1]
        elif line.startswith("      - record:"):
            alert = ""
        yield group, alert, line


def with_severity(text: str, info: str) -> str:
    """Return a rule file in which what is for a weekly look has another severity than `info`."""
    return re.sub(rf"^(          severity: ){INFO}$", rf"\g<1>{info}", text, flags=re.MULTILINE)


def custom_resource(kind: str, files: Mapping[str, str]) -> str:
    """Return the custom resource that holds the groups of these rule files, comments and all.

    Raises:
        ValueError: a file holds anything but `groups:` in block style.
    """
    groups = "".join(_groups(name, text) for name, text in files.items())
    head = (
        f"apiVersion: {API_VERSIONS[kind]}\nkind: {kind}\nmetadata:\n  name: ncr-exporter\n"
        "  labels:\n    app.kubernetes.io/name: ncr-exporter\n"
    )
    return f"{head}spec:\n  groups:\n{groups}" if groups else f"{head}spec:\n  groups: []\n"


def _groups(name: str, text: str) -> str:
    _, _, groups = f"\n{text}".partition("\ngroups:\n")
    try:
        listed = yaml.safe_load(groups)
    except yaml.YAMLError:  # a list, then another key
        listed = None
    if not isinstance(listed, list):
        raise ValueError(f"{name}: must hold `groups:` alone, on a line of its own")
    return textwrap.indent(groups.rstrip("\n") + "\n", "  ")


def written(links: Links, info: str, kind: str | None) -> dict[str, str]:
    """Return what is to be written, by the name of the file."""
    files = {name: with_severity(with_links(text, links), info) for name, text in rules().items()}
    if kind is None:
        return files
    return {f"{kind.lower()}.yaml": f"# Written by `make rules`.\n{custom_resource(kind, files)}"}


def main() -> int:
    """Write the files, and name each."""
    parser = argparse.ArgumentParser(prog="make rules", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/rules"), metavar="FOLDER")
    parser.add_argument(
        "--runbooks", metavar="URL", help="a folder of <alert>.md, or an address with {alert} in it"
    )
    parser.add_argument("--grafana", metavar="URL", help="where Grafana is")
    parser.add_argument("--info-severity", default=INFO, metavar="NAME", help="in place of info")
    parser.add_argument("--kind", choices=API_VERSIONS, help="one custom resource with all rules")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    links = Links(given.runbooks, given.grafana)
    for name, text in written(links, given.info_severity, given.kind).items():
        (given.output / name).write_text(text, encoding="utf-8")
        print(f"wrote {given.output / name}")  # noqa: T201 -- a command's answer
    return 0


if __name__ == "__main__":
    sys.exit(main())
