"""Every query of the dashboards, asked of a Prometheus that scrapes demos.

Job `one` is a demo; job `two` the same one scraped twice, as if two exporters watched the same
registries; job `failing` has an exporter that is throttled and one whose API cannot be reached and
which stores its state.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from ncr_exporter.state.file import write_state
from tests.support.dashboards import (
    DASHBOARDS,
    filled,
    label_values,
    panels,
    queries,
    variables,
)
from tests.support.program import demo, exporter
from tests.support.prometheus import RunningPrometheus, Sample, job, number
from tools.waiting import wait_until

pytestmark = pytest.mark.prometheus
every_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)

NOT_IN_A_DEMO = re.compile("ncr_image_unchanged_polls_total")
"""A demo lists tags at each poll; `test_dashboards_worlds` asks for it."""
IN_WORLDS = {
    "Fastest growing A": "needs a past",
    "Most pulled A": "needs a past",
    "All images D": "needs a past",
    "Registries F": "needs a past",
    "Globs that match nothing A": "every glob of the demo matches",
    "Overwritten tags A": "the demo's releases are never pushed again",
    "annotation Tags overwritten": "the demo's releases are never pushed again",
    "Owner A": "the demo's images have none",
    "variable owner": "the demo's images have none",
}
"""Queries that a demo of some seconds has no answer for; `test_dashboards_worlds` asks them."""
FAILURES = {
    "Failures by reason A",
    "Failing or overdue images A",
    "Failing or overdue images B",
    "Failing or overdue images C",
    "annotation Polls fail",
    "annotation Throttled",
}
"""What has an answer only where something fails; asked of the exporters that do."""
STORED = "ncr_exporter_state_"
"""How the metrics begin that only an exporter with storage has: one of those that fail."""
NEVER_POLLED = {"Failing or overdue images A", "Failing or overdue images B"}
"""Of those, what has none where no poll ever succeeded: there is no age to tell."""
AT_ONE_MOMENT = {"__range": "1m", "__rate_interval": "10s", "__interval": "1s"}


Values = dict[tuple[tuple[str, str], ...], float]
"""What Prometheus answers: labels → value."""

UNREACHABLE = """
api: {base_url: "http://127.0.0.1:1", timeout: 1s}
credentials: {access_key: A, secret_key: S}
defaults: {interval: 10s}
registries: [{name: demo-registry, images: [web/frontend]}]
"""


@pytest.fixture(scope="module")
def prometheus(
    prometheus_tools: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningPrometheus]:
    assert prometheus_tools
    directory = tmp_path_factory.mktemp("dashboards")
    config = directory / "unreachable.yml"
    config.write_text(UNREACHABLE)
    write_state(directory / "ncr-exporter.state", [])
    stored = f"--storage.path={directory}"
    with (
        demo() as healthy,
        demo("--fault=throttle") as throttled,
        exporter(config, stored) as failing,
    ):
        healthy.ready()
        address = healthy.address
        with RunningPrometheus(
            job("one", address),
            job("two", address, address.replace("127.0.0.1", "localhost")),
            job("failing", throttled.address, failing.address),
        ) as running:
            running.wait_for("min(count_over_time(ncr_exporter_series[1m])) >= 5")
            running.wait_for('increase(ncr_api_throttled_seconds_total{job="failing"}[1m]) > 0')
            running.wait_for('ncr_image_up{job="failing"} == 0')
            yield running


def chosen(dashboard: dict[str, Any], job: str) -> dict[str, str]:
    """Return the variables' values: one image where there is a choice of one, else all."""
    one = {"registry": "demo-registry", "image": "web/frontend"}
    several = {name for name, variable in variables(dashboard).items() if variable.get("multi")}
    every = {name: variables(dashboard)[name]["allValue"] for name in several}
    return {**AT_ONE_MOMENT, **one, **every, "cost": "28", "job": job}


@every_dashboard
def test_every_query_has_an_answer(
    dashboard: dict[str, Any], prometheus: RunningPrometheus
) -> None:
    silent = []
    for asker, expr in queries(dashboard):
        job = "failing" if asker in FAILURES or STORED in expr else "one"
        if asker in NEVER_POLLED or asker in IN_WORLDS or NOT_IN_A_DEMO.search(expr):
            continue
        if not prometheus.query(filled(expr, chosen(dashboard, job))):
            silent.append((asker, expr))
    assert silent == []


@every_dashboard
def test_every_variable_has_values(
    dashboard: dict[str, Any], prometheus: RunningPrometheus
) -> None:
    values = chosen(dashboard, "one")
    for name, variable in variables(dashboard).items():
        if variable["type"] == "query" and f"variable {name}" not in IN_WORLDS:
            series, label = label_values(variable)
            assert label == name
            if name != "job":
                expected = {"registry": "demo-registry", "image": "web/frontend"}.get(name)
                found = prometheus.label_values(label, filled(series, values))
                assert expected in found if expected else found


@every_dashboard
def test_legends_and_keys_name_labels_that_the_answers_have(
    dashboard: dict[str, Any], prometheus: RunningPrometheus
) -> None:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            asker = f"{panel['title']} {target['refId']}"
            job = "failing" if asker in FAILURES else "one"
            wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            for sample in prometheus.query(filled(target["expr"], chosen(dashboard, job))):
                assert wanted <= set(sample["metric"]), asker


@pytest.mark.parametrize("uid", ["ncr-overview", "ncr-image"])
def test_a_second_exporter_of_the_same_registries_changes_no_number(
    uid: str, prometheus: RunningPrometheus
) -> None:
    dashboard = DASHBOARDS[uid]
    # The demo's data moves on every five minutes, and one scrape sees it before the other.
    wrong = exprs(dashboard)

    def all_agreed_once() -> bool:
        wrong[:] = [expr for expr in wrong if not agree(dashboard, expr, prometheus)]
        return not wrong

    wait_until(all_agreed_once, within=10, every=1, seen=lambda: wrong)


def exprs(dashboard: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in panels(dashboard) for target in panel["targets"]]


def agree(dashboard: dict[str, Any], expr: str, prometheus: RunningPrometheus) -> bool:
    once, twice = (
        values_of(prometheus.query(filled(expr, chosen(dashboard, job)))) for job in ("one", "two")
    )
    # Scraped at other moments of a second, ages differ a little; twice is far off.
    tolerance = 5 if "time()" in expr or "_age_" in expr else 0.3
    return twice == pytest.approx(once, rel=0.3, abs=tolerance)


def values_of(samples: list[Sample]) -> Values:
    return {tuple(sorted(sample["metric"].items())): number(sample) for sample in samples}
