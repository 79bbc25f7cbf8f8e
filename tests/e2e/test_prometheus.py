"""The whole program, scraped by a real Prometheus: values as a user queries them."""

import json
import time
from pathlib import Path

import pytest

from tests.oracle.computation import (
    DAY_MS,
    Rules,
    busy_image,
    expected_image,
    size,
    updated,
)
from tests.support.expositions import samples_of
from tests.support.program import demo
from tests.support.prometheus import RunningPrometheus, Sample, check_metrics, job, number

pytestmark = pytest.mark.prometheus

RULES = Rules(
    stale_after_ms=90 * DAY_MS,
    keep_recent=3,
    keep_tags={"latest"},
    tag_size_limit=None,
    tags_limit=None,
    tag_series=10,
)
"""What a configuration asks for that says nothing."""
BUSY = '{registry="demo-registry",image="busy"}'


def values(samples: list[Sample]) -> dict[str, float]:
    return {sample["metric"]["__name__"]: number(sample) for sample in samples}


def test_prometheus_stores_what_an_independent_computation_finds_in_the_same_tags(
    tmp_path: Path,
) -> None:
    tags = busy_image(round(time.time() * 1000))
    file = tmp_path / "busy-tags.json"
    file.write_text(json.dumps(tags))
    expected = expected_image(tags, RULES)
    with demo(f"--tags={file}") as program:
        program.ready()
        with RunningPrometheus(job("test", program.address)) as prometheus:
            prometheus.wait_for("ncr_image_tags == 385")
            stored = values(prometheus.query('{__name__=~"ncr_image_.*",image="busy"}'))
            for name, value in expected.items():
                assert stored[name] == pytest.approx(value, abs=0.0005), name
            age = "ncr_image_last_pulled_age_seconds"
            (difference,) = prometheus.query(
                f"time() - ncr_image_last_pulled_timestamp_seconds{BUSY} - {age}{BUSY}"
            )
            assert number(difference) < 5, "the age is the time since the newest pull"
            assert stored[age] == pytest.approx(
                time.time() - expected["ncr_image_last_pulled_timestamp_seconds"], abs=30
            )
            by_name = {tag["name"]: tag for tag in tags}
            exposed = prometheus.query("ncr_tag_info")
            assert 10 <= len(exposed) <= 20
            for sample in prometheus.query("ncr_tag_size_bytes"):
                assert number(sample) == size(by_name[sample["metric"]["tag"]])
            for sample in prometheus.query("ncr_tag_last_updated_timestamp_seconds"):
                moment = updated(by_name[sample["metric"]["tag"]])
                assert moment is not None
                assert number(sample) == pytest.approx(moment / 1000, abs=0.0005)
            newest = sorted(tags, key=lambda tag: (-(updated(tag) or 0), tag["name"]))[:10]
            names = {sample["metric"]["tag"] for sample in exposed}
            assert {tag["name"] for tag in newest} <= names


def test_prometheus_scrapes_the_demo_without_a_complaint() -> None:
    with demo() as program:
        program.ready()
        with RunningPrometheus(job("test", program.address)) as prometheus:
            prometheus.wait_for('up{job="test"} == 1')
            (target,) = prometheus.targets()
            assert (target["health"], target["lastError"]) == ("up", "")
            dropped = prometheus.query(
                "scrape_samples_scraped - scrape_samples_post_metric_relabeling"
            )
            assert [number(sample) for sample in dropped] == [0]
            (series,) = prometheus.query("ncr_exporter_series")
            stored = prometheus.query('count({__name__=~"ncr_(image|tag|registry)_.*"})')
            assert number(series) == number(stored[0])
            (failures,) = prometheus.query("sum(ncr_api_request_failures_total)")
            assert number(failures) == 0


def test_promtool_finds_no_fault_with_live_output() -> None:
    with demo() as program:
        program.ready()
        assert check_metrics(program.get().content) == ""


def test_both_formats_of_a_live_scrape_hold_the_same_series() -> None:
    with demo() as program:
        program.ready()
        text = program.get().text
        openmetrics = program.get(accept="application/openmetrics-text").text
    assert set(samples_of(text)) == set(samples_of(openmetrics, openmetrics=True))
