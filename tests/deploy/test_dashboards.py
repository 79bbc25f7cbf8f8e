"""The dashboards against the catalogue, against themselves, and against a living Prometheus."""

import re
from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from ncr_exporter.metrics.families import FAMILIES
from tests.support.dashboards import (
    DASHBOARDS,
    FILES,
    links,
    panels,
    provisioned,
    queries,
    used_variables,
    variables,
)
from tools.dashboards.__main__ import DASHBOARDS as DEFINED
from tools.dashboards.__main__ import file_of, text_of

TARGET = {"job", "instance"}
"""Labels that Prometheus gives to everything it scrapes."""
FOREIGN = {
    "up": "made by Prometheus",
    "scrape_duration_seconds": "made by Prometheus",
    "process_cpu_seconds_total": "prometheus_client's",
    "process_resident_memory_bytes": "prometheus_client's",
    "process_start_time_seconds": "prometheus_client's",
}
"""Metrics that the catalogue does not have, and whose they are."""

every_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
every_query = pytest.mark.parametrize(
    "expr",
    [
        pytest.param(expr, id=f"{uid}: {asker}")
        for uid, dashboard in DASHBOARDS.items()
        for asker, expr in queries(dashboard)
    ],
)


def family_labels(metric: str) -> set[str] | None:
    """Return the labels of a metric, or None where nothing is known of it."""
    family = FAMILIES.get(re.sub(r"_(bucket|sum|count)$", "", metric)) or FAMILIES.get(metric)
    if family is not None:
        return {*family.labels, *TARGET, *({"le"} if family.type == "histogram" else ())}
    return TARGET if metric in FOREIGN else None


def test_the_files_hold_what_is_defined() -> None:
    assert [file_of(dashboard) for dashboard in sorted(DEFINED, key=file_of)] == FILES
    for dashboard in DEFINED:
        assert file_of(dashboard).read_text() == text_of(dashboard), "make dashboards"


def test_uids_are_the_promised_ones() -> None:
    assert set(DASHBOARDS) == {"ncr-overview", "ncr-image", "ncr-exporter"}


@every_dashboard
def test_ids_and_titles_are_unique_and_queries_are_told_apart(dashboard: dict[str, Any]) -> None:
    rows = [panel for panel in dashboard["panels"] if panel["type"] == "row"]
    ids = Counter(panel["id"] for panel in [*rows, *panels(dashboard)])
    assert set(ids.values()) == {1}
    titles = Counter((panel["type"], panel["title"]) for panel in panels(dashboard))
    assert set(titles.values()) == {1}
    for panel in panels(dashboard):
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        assert refs


@every_dashboard
def test_every_panel_says_what_it_shows_in_which_unit_and_from_where(
    dashboard: dict[str, Any],
) -> None:
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels(dashboard):
        assert re.fullmatch(r"[A-Z].+\.", panel["description"]), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == source
        assert all(target["datasource"] == source for target in panel["targets"])
    for asker in (*dashboard["annotations"]["list"], *variables(dashboard).values()):
        assert asker.get("datasource", source) == source


@every_dashboard
def test_every_value_of_a_table_has_a_unit(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        if panel["type"] != "table":
            continue
        (organize,) = (t["options"] for t in panel["transformations"] if t["id"] == "organize")
        shown = {
            title
            for name, title in organize["renameByName"].items()
            if name.startswith("Value") and name not in organize["excludeByName"]
        }
        with_unit = {
            override["matcher"]["options"]
            for override in panel["fieldConfig"]["overrides"]
            if any(look["id"] == "unit" for look in override["properties"])
        }
        assert shown <= with_unit, panel["title"]


@every_dashboard
def test_what_is_said_of_an_empty_table_is_not_said_in_an_empty_cell(
    dashboard: dict[str, Any],
) -> None:
    for panel in panels(dashboard):
        if panel["type"] == "table" and "noValue" in panel["fieldConfig"]["defaults"]:
            for override in panel["fieldConfig"]["overrides"]:
                looks = {look["id"]: look["value"] for look in override["properties"]}
                if "unit" in looks:
                    assert looks["noValue"] == "", panel["title"]


@every_dashboard
def test_panels_fill_the_width_and_do_not_overlap(dashboard: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    for place, other in combinations(places, 2):
        apart = (
            place["x"] + place["w"] <= other["x"]
            or other["x"] + other["w"] <= place["x"]
            or place["y"] + place["h"] <= other["y"]
            or other["y"] + other["h"] <= place["y"]
        )
        assert apart, (place, other)
    area = sum(place["w"] * place["h"] for place in places)
    assert area == 24 * max(place["y"] + place["h"] for place in places)


@every_dashboard
def test_every_variable_that_is_used_is_defined_and_the_other_way_round(
    dashboard: dict[str, Any],
) -> None:
    used = set().union(*(used_variables(expr) for _, expr in queries(dashboard)))
    assert used | {"datasource"} == set(variables(dashboard))


@every_dashboard
def test_links_lead_to_dashboards_and_set_variables_they_have(dashboard: dict[str, Any]) -> None:
    found = list(links(dashboard))
    assert found
    for url in found:
        match = re.match(r"/d/([\w-]+)\?", url)
        assert match, url
        assert match[1] in DASHBOARDS
        assert match[1] != dashboard["uid"]
        kept = set(re.findall(r"\$\{(\w+):queryparam\}", url))
        assert kept <= set(variables(dashboard)), url
        given = kept | set(re.findall(r"var-(\w+)=", url))
        assert given <= set(variables(DASHBOARDS[match[1]])), url


def test_an_image_is_one_link_away_wherever_it_is_named() -> None:
    one_image = "&var-registry=${__data.fields.Registry}&var-image=${__data.fields.Image}&"
    for uid in ("ncr-overview", "ncr-exporter"):
        tables = [
            panel
            for panel in panels(DASHBOARDS[uid])
            if panel["type"] == "table" and "image, " in str(panel["transformations"])
        ]
        for panel in tables:
            assert one_image in str(panel["fieldConfig"]["overrides"]), panel["title"]


@every_query
def test_every_metric_and_label_is_in_the_catalogue(expr: str) -> None:
    plain = re.sub(r'"[^"]*"', '""', expr)
    selected = re.findall(r"(\w+)\{([^{}]*)\}|^(\w+)$", plain)
    assert selected
    known: set[str] = set()
    for named, matchers, bare in selected:
        labels = family_labels(named or bare)
        assert labels is not None, named or bare
        assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)) <= labels
        known |= labels
    words = set(re.findall(r"\b(?:ncr|process|scrape|python)_\w+", plain))
    assert words <= {named or bare for named, _, bare in selected}, "a metric without a selector"
    grouped = re.findall(r"\b(?:by|on|ignoring|without) \(([^()]*)\)", plain)
    assert {label for labels in grouped for label in labels.split(", ")} <= known


@pytest.mark.parametrize("uid", ["ncr-overview", "ncr-image"])
def test_what_is_said_of_images_depends_on_no_exporter(uid: str) -> None:
    for asker, expr in queries(DASHBOARDS[uid]):
        assert "instance" not in expr, asker


def test_provisioning_names_a_data_source_that_stays_and_where_the_dashboards_are() -> None:
    (source,) = provisioned("datasources")["datasources"]
    assert (source["type"], source["uid"]) == ("prometheus", "prometheus")
    (provider,) = provisioned("dashboards")["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards/ncr-exporter"
