"""Rules, their tests and runbooks belong together; a real promtool judges rules and tests."""

import re
from pathlib import Path
from typing import Any

import pytest

from ncr_exporter.metrics.families import FAMILIES
from tests.support import rule_tests, rules
from tests.support.rule_tests import RuleTest, run
from tools.get_prometheus import Tools, VictoriaTools

FOREIGN = {
    "up",
    "scrape_samples_scraped",
    "process_start_time_seconds",
    "kube_pod_container_info",
    "kube_pod_init_container_info",
}
"""Metrics of others that rules and runbooks may name."""
PROMISED: dict[str, tuple[str, ...]] = {}
"""Metrics of the contract that the exporter may not show yet, with their labels."""
LABELS = {name: family.labels for name, family in FAMILIES.items()} | PROMISED
TARGET_LABELS = {"cluster", "namespace", "job", "instance"}
SEVERITIES = {"critical", "warning", "info"}
PAGES = {"NCRAuthenticationFailing", "NCRDataOld", "NCRExporterDown", "NCRAllExportersDown"}
GUESSES = {"NCRExporterNeverScraped"}
"""What was never scraped has shown no metric: only its job and its port can tell what it is."""
FOR_A_WEEKLY_LOOK = {
    *("NCRReclaimableBytesHigh", "NCRStaleTags", "NCRImageUnused", "NCRImageNeverPulled"),
    *("NCRTagsGrowingTowardsLimit", "NCRStaleTagsNotRunning"),
}
TEXTS = ("summary", "description", "summary_ko", "description_ko")
HEADINGS = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]

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
def test_an_alert_says_how_bad_and_what_in_two_languages(name: str) -> None:
    rule = rules.alerts()[name]
    assert rule["labels"].keys() == {"severity"}, "a label more would split what belongs together"
    assert rule["labels"]["severity"] in SEVERITIES
    assert tuple(rule["annotations"]) == TEXTS, "no links: there is no address that is everybody's"


HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize("name", ALERTS)
def test_the_korean_texts_are_korean_and_name_what_the_english_ones_do(name: str) -> None:
    texts = rules.alerts()[name]["annotations"]
    for text in ("summary", "description"):
        english, korean = texts[text], texts[f"{text}_ko"]
        assert HANGUL.search(korean)
        assert not HANGUL.search(english)
        assert values_in(korean) == values_in(english)
        plain = re.sub(r"\{\{.*?\}\}", "", korean)
        assert len(HANGUL.findall(plain)) > len(re.findall("[A-Za-z]", plain)) / 3


def values_in(template: str) -> set[str]:
    """Return the labels, and whether the value, that an annotation shows."""
    return set(re.findall(r"\$labels\.\w+|\$value", template)) - {"$labels.cluster"}


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_that_fires_in_the_tests_has_whole_sentences(name: str) -> None:
    firing = [alert for look in alert_tests(name) for alert in look["exp_alerts"]]
    for alert in firing:
        for text in TEXTS:
            said = alert["exp_annotations"][text]
            assert "<no value>" not in said
            assert "  " not in said
            assert not re.search(r" [.,;:)]|\(\)|\( ", said), said
            assert said.endswith((".", "!")) == text.startswith("description"), said


def test_only_what_cannot_wait_pages() -> None:
    paging = {n for n, rule in rules.alerts().items() if rule["labels"]["severity"] == "critical"}
    assert paging == PAGES


def test_what_is_for_a_weekly_look_is_one_alert_per_registry_and_owner_and_waits() -> None:
    found = {n for n, rule in rules.alerts().items() if rule["labels"]["severity"] == "info"}
    assert found == FOR_A_WEEKLY_LOOK
    for name in found:
        assert rules.alerts()[name]["for"] in {"6h", "1d"}
        firing = [alert for look in alert_tests(name) for alert in look["exp_alerts"]]
        assert all("image" not in alert["exp_labels"] for alert in firing)
        assert any("owner" in alert["exp_labels"] for alert in firing), "none with an owner"
        assert any("owner" not in alert["exp_labels"] for alert in firing), "none without"


ABOUT_ONE_IMAGE = sorted(
    {
        look["alertname"]
        for path in rules.RULE_TESTS
        for group in rules.read(path)["tests"]
        for look in group.get("alert_rule_test", [])
        if any("image" in alert["exp_labels"] for alert in look["exp_alerts"])
    }
)


@pytest.mark.parametrize("name", ABOUT_ONE_IMAGE)
def test_an_alert_about_an_image_names_its_owner_where_one_is_known(name: str) -> None:
    firing = [alert for look in alert_tests(name) for alert in look["exp_alerts"]]
    assert any("owner" in alert["exp_labels"] for alert in firing), "none with an owner"
    assert any("owner" not in alert["exp_labels"] for alert in firing), "none without"


PROMISES = re.compile(r"would free|will free|frees|freed|reclaim(?!able)|확보", re.IGNORECASE)


def test_nothing_promises_that_deleting_tags_frees_bytes() -> None:
    texts = [*rules.annotations(), *(path.read_text() for path in rules.RUNBOOKS.glob("*.md"))]
    texts += [rules.JOINS.read_text(), (rules.PROMETHEUS / "README.md").read_text()]
    for text in texts:
        for found in PROMISES.finditer(text):
            sentence = text[max(0, found.start() - 80) : found.end() + 80]
            assert re.search(r"not|no |whether|when", sentence), sentence


def test_sizes_are_in_powers_of_1000_as_on_the_status_page() -> None:
    text = "".join(path.read_text() for path in (*rules.RULES, *rules.RUNBOOKS.glob("*.md")))
    assert not re.search(r"humanize1024|\b[KMGT]iB\b|2\^30", text)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_no_rule_names_a_job(name: str) -> None:
    selected = {label for _, label in rules.names_in(EXPRESSIONS[name]).labels}
    assert bool(selected & TARGET_LABELS) == (name in GUESSES)


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
        text = path.read_text()
        anchors = {_anchor(heading) for heading in re.findall(r"^#+ (.*)", text, re.MULTILINE)}
        for link in re.findall(r"\]\(([^)]+)\)", text):
            if link.startswith("#"):
                assert link[1:] in anchors, f"{path.name}: {link}"
            elif not link.startswith("https://"):
                assert (path.parent / link).exists(), f"{path.name}: {link}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


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
    return LABELS.keys() | histogram | FOREIGN | rules.records().keys()


def unknown_in(expr: str) -> set[str]:
    """Metrics, and labels of the exporter's metrics, that an expression names and nobody has."""
    names = rules.names_in(expr)
    assert names.metrics, f"no metric in {expr}"
    labels = {
        f"{metric}{{{label}}}"
        for metric, label in names.labels
        if metric in LABELS
        if label not in {*LABELS[metric], *TARGET_LABELS}
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


def test_promtool_finds_no_fault_with_the_rules(each_prometheus: Tools) -> None:
    check = ("check", "rules", "--lint=all", "--lint-fatal")
    said = run(each_prometheus.promtool, *check, *rules.RULES)
    found = sum(map(int, re.findall(r"SUCCESS: (\d+) rules found", said)))
    assert found == len(EXPRESSIONS)


def test_promtool_finds_no_fault_with_the_example_configuration(each_prometheus: Tools) -> None:
    example = rules.PROMETHEUS / "prometheus.yml"
    run(each_prometheus.promtool, "check", "config", example)
    (job,) = rules.read(example)["scrape_configs"]
    assert job["honor_labels"] is False
    assert job["sample_limit"]
    assert job["body_size_limit"]
    named = [rules.PROMETHEUS / name for name in rules.read(example)["rule_files"]]
    assert sorted(named) == [path for path in rules.RULES if path.stem != "ncr-kubernetes"]


@pytest.mark.parametrize("path", rules.RULE_TESTS, ids=lambda path: path.name)
def test_alerts_fire_and_stay_silent_as_their_tests_say(path: Path, each_prometheus: Tools) -> None:
    order = rules.read(path)["group_eval_order"]
    assert set(order) >= {group["name"] for group in rules.groups()} - {"ncr-kubernetes"}
    run(each_prometheus.promtool, "test", "rules", path)


VICTORIA_TESTS = [test for path in rules.RULE_TESTS for test in rule_tests.read(path)]


@pytest.mark.victoria
@pytest.mark.parametrize("test", VICTORIA_TESTS, ids=lambda test: test.name)
def test_alerts_fire_and_stay_silent_in_vmalert_too(
    test: RuleTest, victoria_tools: VictoriaTools, tmp_path: Path
) -> None:
    file = rule_tests.written(rule_tests.refined(test), tmp_path)
    run(victoria_tools.vmalert_tool, "unittest", "-disableAlertgroupLabel", f"--files={file}")


@pytest.mark.victoria
def test_vmalert_reads_the_rules_and_their_annotations(victoria_tools: VictoriaTools) -> None:
    run(victoria_tools.vmalert, "-dryRun", *(f"-rule={path}" for path in rules.RULES))
