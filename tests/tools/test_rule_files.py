"""The rules for one place: with links, another severity, or as a custom resource."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from tests.support import rules as support
from tests.support.http_server import exposition
from tests.support.prometheus import RunningPrometheus, job
from tests.support.rule_tests import run
from tools import rules
from tools.get_prometheus import Tools, VictoriaTools
from tools.rules import Links

RUNBOOKS = "https://git.example.com/ncr/runbooks/"
GRAFANA = "https://grafana.example.com"


def written(folder: Path, *words: str) -> list[Path]:
    """Run the command, and return the files that it wrote."""
    subprocess.run(  # noqa: S603 -- our own tool
        [sys.executable, "-m", "tools.rules", f"--output={folder}", *words],
        cwd=support.ROOT,
        check=True,
        capture_output=True,
    )
    return sorted(folder.iterdir())


def alerts_in(*paths: Path) -> dict[str, dict[str, Any]]:
    """Return every alert of rule files, by name."""
    found = [rule for path in paths for rule in rules_in(yaml.safe_load(path.read_text()))]
    return {rule["alert"]: rule for rule in found if "alert" in rule}


def rules_in(content: dict[str, Any]) -> list[dict[str, Any]]:
    groups = content["spec"]["groups"] if "spec" in content else content["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_rules_themselves_name_no_address() -> None:
    for path in support.RULES:
        assert "://" not in path.read_text()
        assert ".example" not in path.read_text()


def test_without_an_address_there_is_no_annotation(tmp_path: Path) -> None:
    files = written(tmp_path)
    assert [path.name for path in files] == [path.name for path in support.RULES]
    assert [path.read_text() for path in files] == [path.read_text() for path in support.RULES]


def test_each_alert_links_to_its_runbook_and_to_a_dashboard(tmp_path: Path) -> None:
    found = alerts_in(*written(tmp_path, f"--runbooks={RUNBOOKS}", f"--grafana={GRAFANA}/"))
    assert found.keys() == support.alerts().keys()
    for name, rule in found.items():
        links = {key: rule["annotations"].pop(key) for key in ("runbook_url", "dashboard_url")}
        assert rule == support.alerts()[name], "nothing else changed"
        assert links["runbook_url"] == f"{RUNBOOKS}{name}.md"
        assert links["dashboard_url"].startswith(f"{GRAFANA}/d/ncr-")


def test_a_runbook_may_have_any_address(tmp_path: Path) -> None:
    found = alerts_in(*written(tmp_path, "--runbooks=https://wiki.example.com/{alert}?view"))
    annotations = found["NCRDataOld"]["annotations"]
    assert annotations["runbook_url"] == "https://wiki.example.com/NCRDataOld?view"
    assert "dashboard_url" not in annotations


def test_what_is_for_a_weekly_look_may_have_another_severity(tmp_path: Path) -> None:
    found = alerts_in(*written(tmp_path, "--info-severity=notice"))
    severities = {name: rule["labels"]["severity"] for name, rule in found.items()}
    before = {name: rule["labels"]["severity"] for name, rule in support.alerts().items()}
    assert severities == {n: "notice" if each == "info" else each for n, each in before.items()}


def test_the_chart_is_told_the_links_of_each_alert() -> None:
    found = rules.links_of(rules.rules())
    assert found.keys() == support.alerts().keys()
    for alert, links in found.items():
        assert (support.RUNBOOKS / links["runbook"]).exists(), alert
    text = rules.with_links(rules.rules()["ncr-images.yml"], Links(RUNBOOKS, GRAFANA))
    assert f"{GRAFANA}/{found['NCRTagOversized']['dashboard']}" in text


@pytest.mark.parametrize("kind", rules.API_VERSIONS)
def test_one_custom_resource_holds_all_rules(kind: str, tmp_path: Path) -> None:
    (path,) = written(tmp_path, f"--kind={kind}", f"--runbooks={RUNBOOKS}")
    resource = yaml.safe_load(path.read_text())
    assert (resource["kind"], resource["apiVersion"]) == (kind, rules.API_VERSIONS[kind])
    assert len(rules_in(resource)) == len(support.alerts()) + len(support.records())
    assert "\n        # " in path.read_text(), "comments are kept"


@pytest.mark.victoria
def test_vmalert_takes_the_groups_of_its_custom_resource(
    victoria_tools: VictoriaTools, tmp_path: Path
) -> None:
    (path,) = written(tmp_path, "--kind=VMRule", f"--grafana={GRAFANA}", f"--runbooks={RUNBOOKS}")
    groups = tmp_path / "groups.yml"
    groups.write_text(yaml.safe_dump(yaml.safe_load(path.read_text())["spec"]))
    run(victoria_tools.vmalert, "-dryRun", f"-rule={groups}")


def test_promtool_finds_no_fault_with_linked_rules(each_prometheus: Tools, tmp_path: Path) -> None:
    files = written(tmp_path, f"--runbooks={RUNBOOKS}", f"--grafana={GRAFANA}")
    run(each_prometheus.promtool, "check", "rules", "--lint=all", "--lint-fatal", *files)


TARGET = 'registry="r",image="team-a/big one"'


@pytest.mark.prometheus
def test_a_link_is_whole_whatever_the_names(tmp_path: Path) -> None:
    text = f"""ncr_image_up{{{TARGET}}} 1
ncr_image_tags{{{TARGET}}} 21
ncr_image_tags_limit{{{TARGET}}} 20
ncr_registry_up{{registry="*"}} 0
"""
    files = written(tmp_path, f"--grafana={GRAFANA}")
    for path in files:
        path.write_text(re.sub(r"( for): \w+", r"\1: 1s", path.read_text()))
    with (
        exposition(text) as target,
        RunningPrometheus(job("test", target), rule_files=files) as prometheus,
    ):
        prometheus.wait_for('ALERTS{alertname="NCRTooManyTags",alertstate="firing"}')
        prometheus.wait_for('ALERTS{alertname="NCRImageListFailing",alertstate="firing"}')
        links = {
            alert["labels"]["alertname"]: alert["annotations"]["dashboard_url"]
            for alert in prometheus.alerts()
        }
    assert links["NCRTooManyTags"] == (
        f"{GRAFANA}/d/ncr-image?&var-job=test&var-registry=r&var-image=team-a%2Fbig+one"
    )
    listing = unquote(links["NCRImageListFailing"])
    assert listing == f"{GRAFANA}/d/ncr-exporter?&var-job=test&var-registry=*"
