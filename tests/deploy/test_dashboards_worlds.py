"""Every query of the dashboards, asked of worlds that are scraped each minute, in outages too.

Job `well` is a small world on an ordinary day; in `api` no request has succeeded for 45 minutes, in
`exporter` no exporter has answered for 20. Job `many` has thirty registries.
"""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ncr_exporter.metrics.families import FAMILIES
from tests.support.dashboards import (
    DASHBOARDS,
    PROMISED,
    filled,
    panels,
    queries,
    variables,
)
from tests.support.prometheus import RunningPrometheus, Sample, number
from tools.dashboards.look import Json
from tools.dashboards.world.images import Cast, large, small
from tools.dashboards.world.series import World
from tools.dashboards.world.writing import WorldWriter, published, write
from tools.get_prometheus import find_newer_tools, find_tools

every_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
JOBS: dict[str, tuple[Cast, str]] = {
    "well": (small(), "none"),
    "api": (small(), "api"),
    "exporter": (small(), "exporter"),
    "many": (large(images=150, tags=3000), "none"),
}
HOURS = 8
ONE_MINUTE = {"__range": "6h", "__rate_interval": "4m", "__interval": "1m"}
"""What Grafana makes of a range of six hours where no step is shorter than a minute."""
ASKED_OF = {"annotation Polls fail": "api"}
"""Queries without an answer on an ordinary day, and the job that has one."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(find_tools, id="Prometheus 2", marks=pytest.mark.prometheus),
        pytest.param(find_newer_tools, id="Prometheus 3", marks=pytest.mark.newer_prometheus),
    ],
)
def prometheus(request: pytest.FixtureRequest) -> Iterator[RunningPrometheus]:
    """Give a Prometheus of each major version with all the worlds in it."""
    flags = ["--web.enable-remote-write-receiver"]
    with RunningPrometheus(flags=flags, tools=request.param()) as running:
        end = int(time.time()) // 60 * 60
        worlds = [World(cast, end, job, outage) for job, (cast, outage) in JOBS.items()]
        write(running.url, HOURS, *map(WorldWriter, worlds))
        yield running


def chosen(dashboard: Mapping[str, Any], job: str, **more: str) -> dict[str, str]:
    """Return the variables' values: one image where there is a choice of one, else all."""
    several = {name for name, variable in variables(dashboard).items() if variable.get("multi")}
    every = {name: variables(dashboard)[name]["allValue"] for name in several}
    one = {"registry": "demo-registry", "image": "api"}
    return {**ONE_MINUTE, **one, **every, "cost": "28", "job": job, **more}


def panel_of(uid: str, title: str) -> Json:
    """Return the first panel of this title: numbers stand above graphs and tables."""
    return next(panel for panel in panels(DASHBOARDS[uid]) if panel["title"] == title)


def answers(
    prometheus: RunningPrometheus, uid: str, panel: Json, job: str, **more: str
) -> list[list[Sample]]:
    """Return the answer to each query of a panel."""
    values = chosen(DASHBOARDS[uid], job, **more)
    return [prometheus.query(filled(target["expr"], values)) for target in panel["targets"]]


def answer(
    prometheus: RunningPrometheus, uid: str, title: str, job: str, **more: str
) -> list[Sample]:
    """Return the answer to the first query of a panel."""
    return answers(prometheus, uid, panel_of(uid, title), job, **more)[0]


def value(prometheus: RunningPrometheus, uid: str, title: str, job: str, **more: str) -> float:
    (sample,) = answer(prometheus, uid, title, job, **more)
    return number(sample)


@every_dashboard
def test_every_query_has_an_answer_at_one_scrape_a_minute(
    dashboard: dict[str, Any], prometheus: RunningPrometheus
) -> None:
    silent = []
    for asker, expr in queries(dashboard):
        asked = filled(expr, chosen(dashboard, ASKED_OF.get(asker, "well")))
        is_mark = asker.startswith("annotation")
        if not (prometheus.query_range(asked, minutes=360) if is_mark else prometheus.query(asked)):
            silent.append(asker)
    assert silent == []


@every_dashboard
def test_legends_and_keys_name_labels_that_the_answers_have(
    dashboard: dict[str, Any], prometheus: RunningPrometheus
) -> None:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            for sample in prometheus.query(filled(target["expr"], chosen(dashboard, "well"))):
                assert wanted <= set(sample["metric"]), panel["title"]


def test_while_the_api_is_down_failures_are_shown_beside_what_is_known(
    prometheus: RunningPrometheus,
) -> None:
    assert value(prometheus, "ncr-overview", "Failing images", "api") == 12
    assert value(prometheus, "ncr-overview", "Tags", "api") == pytest.approx(541, abs=5)
    assert value(prometheus, "ncr-exporter", "Failing image lists", "api") == 2
    assert len(answer(prometheus, "ncr-exporter", "Failing or overdue images", "api")) == 12
    failures = answer(prometheus, "ncr-exporter", "Failures by reason", "api")
    by_reason = {sample["metric"]["reason"]: number(sample) for sample in failures}
    assert by_reason["connection"] > 0


def test_while_no_exporter_answers_that_is_all_that_is_said(
    prometheus: RunningPrometheus,
) -> None:
    for uid in ("ncr-overview", "ncr-exporter"):
        assert value(prometheus, uid, "Exporters down", "exporter") == 1
    problems = answer(prometheus, "ncr-overview", "Needs attention", "exporter")
    assert problems[0]["metric"]["problem"] == "exporters down"
    over_the_range = {"Exporters down", "Overwritten tags"}
    numbers = {
        panel["title"]
        for uid in DASHBOARDS
        for panel in panels(DASHBOARDS[uid])
        if panel["type"] in {"stat", "bargauge"}
        if any(answers(prometheus, uid, panel, "exporter"))
    }
    assert numbers == over_the_range


@pytest.mark.parametrize(
    ("job", "fine"),
    [
        ("exporter", set()),
        ("api", {"Exporters down", "Plan, of the limit", "Clock difference", "Configuration"}),
    ],
)
def test_nothing_is_green_in_an_outage_but_what_is_fine(
    job: str, fine: set[str], prometheus: RunningPrometheus
) -> None:
    green = {
        panel["title"]
        for uid in DASHBOARDS
        for panel in panels(DASHBOARDS[uid])
        if panel["type"] == "stat"
        for sample in answers(prometheus, uid, panel, job)[0]
        if colour_of(panel, number(sample)) == "green"
    }
    assert green == fine


def colour_of(panel: Json, shown: float) -> str:
    """Return the colour that a number has in a panel."""
    defaults = panel["fieldConfig"]["defaults"]
    for mapping in defaults["mappings"]:
        if f"{shown:g}" in mapping["options"]:
            return str(mapping["options"][f"{shown:g}"]["color"])
    steps = defaults["thresholds"]["steps"]
    return str(
        [step["color"] for step in steps if step["value"] is None or shown >= step["value"]][-1]
    )


@pytest.mark.parametrize(
    ("owner", "images"), [(".*", 12), ("R&D", 2), ("R&D|platform", 5), ("nobody", None)]
)
def test_an_owner_chooses_images(
    owner: str, images: int | None, prometheus: RunningPrometheus
) -> None:
    counted = answer(prometheus, "ncr-overview", "Images", "well", owner=owner)
    assert [number(sample) for sample in counted] == ([] if images is None else [images])


def test_all_owners_together_have_what_all_images_have(prometheus: RunningPrometheus) -> None:
    by_owner = answer(prometheus, "ncr-overview", "By owner", "many")
    total = value(prometheus, "ncr-overview", "Reclaimable", "many")
    assert sum(map(number, by_owner)) == pytest.approx(total)
    assert "no owner" in {sample["metric"]["owner"] for sample in by_owner}


def test_a_price_makes_money_of_bytes_and_no_price_nothing(prometheus: RunningPrometheus) -> None:
    size = value(prometheus, "ncr-overview", "Reclaimable", "well")
    for price in ("28", "0.028", "35"):  # 035 would be 29
        shown = value(prometheus, "ncr-overview", "Cost a month", "well", cost=price)
        assert shown == pytest.approx(size / 1e9 * float(price), rel=0.005)
    assert answer(prometheus, "ncr-overview", "Cost a month", "well", cost="") == []


@pytest.mark.parametrize("title", ["Size over time", "Tags over time", "Reclaimable over time"])
def test_the_first_registries_and_all_others_are_all_registries(
    title: str, prometheus: RunningPrometheus
) -> None:
    found = answer(prometheus, "ncr-overview", title, "many")
    by_name = {sample["metric"]["shown"]: number(sample) for sample in found}
    total = value(prometheus, "ncr-overview", title.removesuffix(" over time"), "many")
    assert sum(by_name.values()) == pytest.approx(total)
    others = by_name.pop("all others")
    assert len(by_name) == 8
    assert others < total


@pytest.mark.parametrize(
    "title",
    [
        "Clean up first",
        "Largest images",
        "Fastest growing",
        "Longest unused",
        "Most pulled",
        "Overwritten tags",
    ],
)
def test_nothing_that_is_0_is_ranked(title: str, prometheus: RunningPrometheus) -> None:
    ranked = answer(prometheus, "ncr-overview", title, "many")
    assert ranked
    assert min(map(number, ranked)) >= 1


def test_an_outage_at_the_end_hides_no_registry_of_the_time_before(
    prometheus: RunningPrometheus,
) -> None:
    panel = panel_of("ncr-overview", "Size over time")
    expr = filled(panel["targets"][0]["expr"], chosen(DASHBOARDS["ncr-overview"], "exporter"))
    before = prometheus.query_range(expr, minutes=120)
    assert {sample["metric"]["shown"] for sample in before} == {"demo-registry", "demo-base"}


@pytest.mark.parametrize("job", ["well", "many"])
def test_worlds_publish_what_the_catalogue_has(job: str) -> None:
    labels: dict[str, set[str]] = {}
    for series in published(World(JOBS[job][0], 1_795_817_820)):
        name = series.labels["__name__"]
        labels.setdefault(name, set()).update(series.labels.keys() - {"__name__", "instance"})
    expected = {name: set(family.labels) for name, family in FAMILIES.items()}
    for name, of_promised in PROMISED.items():
        expected.setdefault(name, set(of_promised))
    durations = "ncr_api_request_duration_seconds"
    expected[f"{durations}_bucket"] = expected.pop(durations) | {"le"}
    named = {name: found for name, found in labels.items() if name.startswith("ncr_")}
    assert {name: expected.get(name) for name in named} == named
