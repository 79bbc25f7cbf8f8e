"""Rules, their tests and runbooks belong together; a real promtool judges rules and tests."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ncr_exporter.metrics.families import FAMILIES
from tests.support import rules

FOREIGN = {
    "up",
    "scrape_samples_scraped",
    "process_start_time_seconds",
    "kube_pod_container_info",
    "kube_pod_init_container_info",
}
"""Metrics of others that rules and runbooks may name."""
TARGET_LABELS = {"job", "instance"}
SEVERITIES = {"critical", "warning", "info"}
PAGES = {"NCRAuthenticationFailing", "NCRDataOld", "NCRExporterDown"}
HEADINGS = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]
RUNBOOK_BASE = "https://ncr-exporter.example/docs/runbooks/"
DASHBOARD = re.compile(r"https://grafana\.example/d/ncr-(overview|image|exporter)\?var-\S+")

ALERTS = sorted(rules.alerts())
EXPRESSIONS = {name: rule["expr"] for name, rule in rules.alerts().items()} | rules.records()


def alert_tests(name: str) -> list[dict[str, Any]]:
    """What the rule tests expect of an alert, at each moment they look."""
    groups = [group for path in rules.RULE_TESTS for group in rules.read(path)["tests"]]
    looks = [look for group in groups for look in group.get("alert_rule_test", [])]
    return [look for look in looks if look["alertname"] == name]


def runbook(name: str) -> str:
    return (rules.RUNBOOKS / f"{name}.md").read_text()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_test_where_it_fires_and_one_where_it_is_silent(name: str) -> None:
    expected = [look["exp_alerts"] for look in alert_tests(name)]
    assert any(expected), "no test where it fires"
    assert not all(expected), "no test where it is silent"


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_what_and_where_to_read_on(name: str) -> None:
    rule = rules.alerts()[name]
    assert rule["labels"].keys() == {"severity"}, "a label more would split what belongs together"
    assert rule["labels"]["severity"] in SEVERITIES
    annotations = rule["annotations"]
    assert annotations.keys() == {"summary", "description", "runbook_url", "dashboard_url"}
    assert annotations["runbook_url"] == f"{RUNBOOK_BASE}{name}.md"
    assert DASHBOARD.fullmatch(re.sub(r"\{\{.*?\}\}", "x", annotations["dashboard_url"]))


def test_only_what_cannot_wait_pages() -> None:
    paging = {n for n, rule in rules.alerts().items() if rule["labels"]["severity"] == "critical"}
    assert paging == PAGES


def test_what_any_registry_has_on_day_one_waits_a_day_and_is_one_alert_per_registry() -> None:
    for name in ("NCRStaleTags", "NCRReclaimableBytesHigh", "NCRStaleTagsNotRunning"):
        rule = rules.alerts()[name]
        assert (rule["labels"]["severity"], rule["for"]) == ("info", "1d")
        firing = [alert for look in alert_tests(name) for alert in look["exp_alerts"]]
        assert all("image" not in alert["exp_labels"] for alert in firing)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_no_rule_names_a_job(name: str) -> None:
    selected = {label for _, label in rules.names_in(EXPRESSIONS[name]).labels}
    assert not selected & TARGET_LABELS


@pytest.mark.parametrize("name", ALERTS)
def test_a_runbook_has_its_four_parts_and_something_to_paste(name: str) -> None:
    text = runbook(name)
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## .*", text, re.MULTILINE) == HEADINGS
    for part in re.split(r"^## .*\n", text, flags=re.MULTILINE)[1:]:
        assert part.strip()
    diagnosis = text[text.index("## Diagnosis") : text.index("## Mitigation")]
    assert "```sh\n" in diagnosis


def test_each_runbook_belongs_to_an_alert_and_links_to_what_exists() -> None:
    files = sorted(rules.RUNBOOKS.glob("*.md"))
    assert [path.stem for path in files] == ALERTS
    for path in (*files, rules.JOINS):
        for link in re.findall(r"\]\(([^)]+)\)", path.read_text()):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_the_overview_has_every_alert_with_its_severity_and_every_recorded_series() -> None:
    text = (rules.PROMETHEUS / "README.md").read_text()
    listed = dict(re.findall(r"^\| `(NCR\w+)` \| (\w+) \|", text, re.MULTILINE))
    assert listed == {name: rule["labels"]["severity"] for name, rule in rules.alerts().items()}
    assert set(re.findall(r"`([\w]+:\w+:\w+)`", text)) == rules.records().keys()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_exist(name: str) -> None:
    assert unknown_in(EXPRESSIONS[name]) == set()


@pytest.mark.parametrize("name", ALERTS)
def test_annotations_ask_for_metrics_and_labels_that_exist(name: str) -> None:
    annotations = rules.alerts()[name]["annotations"].values()
    queries = [query for annotation in annotations for query in rules.queries_in(annotation)]
    assert {word for query in queries for word in unknown_in(query)} == set()
    asked = sum(annotation.count("| query") for annotation in annotations)
    assert len(queries) == asked, "a query was not recognised"


@pytest.mark.parametrize("name", ALERTS)
def test_a_runbook_names_metrics_and_labels_that_exist(name: str) -> None:
    text = runbook(name)
    queries = rules.pasted_queries(text)
    assert {word for query in queries for word in unknown_in(query)} == set()
    named = set(re.findall(r"`((?:\w+:)?(?:ncr|kube|up|scrape|process)_\w+(?::\w+)?)`", text))
    assert named - known_metrics() == set()


def known_metrics() -> set[str]:
    histogram = {
        f"{name}_{part}"
        for name, family in FAMILIES.items()
        if family.type == "histogram"
        for part in ("bucket", "count", "sum")
    }
    return FAMILIES.keys() | histogram | FOREIGN | rules.records().keys()


def unknown_in(expr: str) -> set[str]:
    """Metrics, and labels of the exporter's metrics, that an expression names and nobody has."""
    names = rules.names_in(expr)
    assert names.metrics, f"no metric in {expr}"
    labels = {
        f"{metric}{{{label}}}"
        for metric, label in names.labels
        if metric in FAMILIES
        if label not in {*FAMILIES[metric].labels, *TARGET_LABELS}
    }
    return labels | (names.metrics - known_metrics())


@pytest.mark.parametrize(
    ("expr", "unknown"),
    [
        ("sum by (job) (ncr_image_tagz)", {"ncr_image_tagz"}),
        ('ncr_image_tags{tag="x"} offset 1d', {"ncr_image_tags{tag}"}),
        ("max(up) unless on (job) a:ncr_image_tags:b", {"a:ncr_image_tags:b"}),
        ("rate(ncr_api_requests_total{registry='r',job='j'}[5m]) > bool 2 * 10", set()),
    ],
)
def test_the_test_for_names_finds_what_is_wrong(expr: str, unknown: set[str]) -> None:
    assert unknown_in(expr) == unknown


@pytest.mark.prometheus
def test_promtool_finds_no_fault_with_the_rules(promtool: Path) -> None:
    said = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *map(str, rules.RULES))
    found = sum(map(int, re.findall(r"SUCCESS: (\d+) rules found", said)))
    assert found == len(EXPRESSIONS)


@pytest.mark.prometheus
def test_promtool_finds_no_fault_with_the_example_configuration(promtool: Path) -> None:
    example = rules.PROMETHEUS / "prometheus.yml"
    run(promtool, "check", "config", str(example))
    (job,) = rules.read(example)["scrape_configs"]
    assert job["honor_labels"] is False
    assert job["sample_limit"]
    assert job["body_size_limit"]


@pytest.mark.prometheus
@pytest.mark.parametrize("path", rules.RULE_TESTS, ids=lambda path: path.name)
def test_alerts_fire_and_stay_silent_as_their_tests_say(path: Path, promtool: Path) -> None:
    order = rules.read(path)["group_eval_order"]
    assert set(order) >= {group["name"] for group in rules.groups()} - {"ncr-kubernetes"}
    run(promtool, "test", "rules", str(path))


def run(program: Path, *words: str) -> str:
    done = subprocess.run(  # noqa: S603 - fixed words, no shell
        [program, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
