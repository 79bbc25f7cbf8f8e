"""The dashboards against the catalogue, against themselves, and against a living Prometheus."""

import re
from collections import Counter
from itertools import combinations
from typing import Any

import pytest
import yaml

from ncr_exporter.metrics.families import FAMILIES
from tests.support.dashboards import (
    DASHBOARDS,
    FILES,
    GRAFANA,
    PROMISED,
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
        labels = {*family.labels, *TARGET, *({"le"} if family.type == "histogram" else ())}
        # An image's owner is a label of ncr_image_info alone: elsewhere "All" is what matches.
        return labels | ({"owner"} if "image" in labels else set())
    if metric in PROMISED:
        return {*PROMISED[metric], *TARGET, *({"owner"} if "image" in PROMISED[metric] else ())}
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
        kept = set(re.findall(r"\$\{(\w+):queryparam\}", url))
        assert kept <= set(variables(dashboard)), url
        given = kept | set(re.findall(r"var-(\w+)=", url))
        assert given <= set(variables(DASHBOARDS[match[1]])), url


def test_an_image_is_one_link_away_wherever_it_is_named() -> None:
    one_image = (
        "&var-registry=${__data.fields.Registry:percentencode}"
        "&var-image=${__data.fields.Image:percentencode}&"
    )
    for uid in ("ncr-overview", "ncr-exporter"):
        tables = [
            panel
            for panel in panels(DASHBOARDS[uid])
            if panel["type"] == "table" and "'image': 'Image'" in str(panel["transformations"])
        ]
        assert tables
        for panel in tables:
            assert one_image in str(panel["fieldConfig"]["overrides"]), panel["title"]


def test_a_registry_is_a_link_wherever_it_is_named() -> None:
    for uid in ("ncr-overview", "ncr-exporter"):
        for panel in panels(DASHBOARDS[uid]):
            if "'registry': 'Registry'" in str(panel.get("transformations")):
                url = look_of(panel, "Registry")["links"][0]["url"]
                assert url.startswith("/d/ncr-overview?"), panel["title"]
                assert "&var-registry=${__data.fields.Registry:percentencode}" in url


@every_dashboard
def test_tables_can_be_filtered_and_cut_no_names(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        if panel["type"] == "table":
            assert panel["fieldConfig"]["defaults"]["custom"]["filterable"]
            (names,) = (
                transformation["options"]["renameByName"]
                for transformation in panel["transformations"]
                if transformation["id"] == "organize"
            )
            keys = [title for name, title in names.items() if not name.startswith("Value")]
            assert keys
            for title in keys:
                look = look_of(panel, title)
                assert look["custom.wrapText"], (panel["title"], title)
                assert look["custom.cellOptions"]["wrapText"], (panel["title"], title)


def look_of(panel: dict[str, Any], title: str) -> dict[str, Any]:
    """Return what is different for the column of this title."""
    (found,) = (
        override["properties"]
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == title
    )
    return {look["id"]: look["value"] for look in found}


@every_dashboard
def test_graphs_say_their_last_values_the_largest_first(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        if panel["type"] == "timeseries":
            legend = panel["options"]["legend"]
            assert legend["displayMode"] == "table"
            assert (legend["sortBy"], legend["sortDesc"]) == ("Last *", True)


@every_dashboard
def test_graphs_draw_no_line_for_each_of_many_registries_or_images(
    dashboard: dict[str, Any],
) -> None:
    for panel in panels(dashboard):
        for target in panel["targets"] if panel["type"] == "timeseries" else ():
            assert not re.search(r"\{\{(registry|image)\}\}", target["legendFormat"])


@every_dashboard
def test_units_are_those_of_the_status_page(dashboard: dict[str, Any]) -> None:
    units = {panel["fieldConfig"]["defaults"]["unit"] for panel in panels(dashboard)} | {
        look["value"]
        for panel in panels(dashboard)
        for override in panel["fieldConfig"]["overrides"]
        for look in override["properties"]
        if look["id"] == "unit"
    }
    sizes = {"decbytes"}  # 1 GB is 1,000,000,000 bytes, as in reports
    counts, shares = {"locale", "none", "hex"}, {"percentunit", "reqps", "cps"}
    times = {"s", "suffix:d", "suffix:d ago", "suffix:intervals"}
    assert units <= sizes | counts | shares | times


@every_dashboard
def test_no_empty_panel_says_that_all_is_well(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        said = panel["fieldConfig"]["defaults"].get("noValue")
        if panel["type"] == "timeseries":
            assert said is None  # Grafana's own "No data"
        else:
            assert re.search(r"unknown|no answer", said), panel["title"]


@every_dashboard
def test_nothing_promises_what_deleting_tags_frees(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        text = f"{panel['title']}: {panel['description']}"
        text = text.replace("What deleting tags frees, and when, the registry decides.", "")
        assert not re.search(r"\bfree[sd]?\b|\bsaves?\b|\bsavings?\b", text), text
        if "Reclaimable" in panel["title"]:
            assert re.search(r"[Bb]ytes that only stale tags refer to", text), text


@every_dashboard
def test_rates_have_samples_where_targets_are_scraped_each_minute(
    dashboard: dict[str, Any],
) -> None:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            assert target["interval"] == "1m", panel["title"]
    for asker, expr in queries(dashboard):
        for window in re.findall(r"\[(\w+)\]", expr):
            minutes = int(window[:-1]) * {"m": 1, "h": 60, "d": 1440}[window[-1]]
            assert minutes >= 5, asker


def test_what_to_clean_up_stands_on_the_first_screen() -> None:
    height = (1080 - 140) // 38  # of a screen, less Grafana's own bars, in rows of the grid
    seen = {
        panel["title"]
        for panel in panels(DASHBOARDS["ncr-overview"])
        if panel["gridPos"]["y"] + panel["gridPos"]["h"] <= height
    }
    assert {"Reclaimable", "Cost a month", "Clean up first", "By owner"} <= seen
    assert {"By registry", "Failing images", "Exporters down"} <= seen


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
    grouped = re.findall(r"\b(?:by|on|ignoring|without|group_left) \(([^()]*)\)", plain)
    known |= set(re.findall(r'label_replace\(.*?, "(\w+)", "', expr))
    assert {label for labels in grouped for label in labels.split(", ")} <= known


@pytest.mark.parametrize("uid", ["ncr-overview", "ncr-image"])
def test_what_is_said_of_images_depends_on_no_exporter(uid: str) -> None:
    for asker, expr in queries(DASHBOARDS[uid]):
        assert "instance" not in expr, asker


def test_provisioning_names_a_data_source_that_stays_and_where_the_dashboards_are() -> None:
    (source,) = provisioned("datasources")["datasources"]
    assert (source["type"], source["uid"]) == ("prometheus", "prometheus")
    scraped = yaml.safe_load((GRAFANA.parent / "prometheus" / "prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"] == "1m"
    (provider,) = provisioned("dashboards")["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards/ncr-exporter"
