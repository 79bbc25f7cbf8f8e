"""Latency panels, with the histograms that Prometheus 3 can make native ones of.

`convert_classic_histograms_to_nhcb` in a scrape config leaves no series `_bucket`.
"""

from collections.abc import Iterator

import pytest

from tests.support.dashboards import DASHBOARDS, filled, panels
from tests.support.program import demo
from tests.support.prometheus import RunningPrometheus, job, number
from tools.get_prometheus import Tools

pytestmark = pytest.mark.newer_prometheus
CHOSEN = {"instance": ".+", "__rate_interval": "10s"}
BUCKETS = 'ncr_api_request_duration_seconds_bucket{job="native"}'


@pytest.fixture(scope="module")
def prometheus(newer_tools: Tools) -> Iterator[RunningPrometheus]:
    """Give a Prometheus 3 that scrapes one demo as two jobs: `classic` and `native`."""
    with demo() as running:
        names, target = ("classic", "native"), running.url.removeprefix("http://")
        jobs = [
            job(name, target, convert_classic_histograms_to_nhcb=name == "native") for name in names
        ]
        flags = ["--enable-feature=native-histograms"]
        with RunningPrometheus(*jobs, flags=flags, tools=newer_tools) as found:
            for name in names:
                found.wait_for(
                    f'min(count_over_time(ncr_exporter_series{{job="{name}"}}[1m])) >= 5'
                )
            yield found


def test_latencies_are_the_same_with_classic_and_with_native_histograms(
    prometheus: RunningPrometheus,
) -> None:
    assert prometheus.query(BUCKETS) == []
    (latency,) = (
        panel for panel in panels(DASHBOARDS["ncr-exporter"]) if panel["title"] == "Latency"
    )
    for target in latency["targets"]:
        classic, native = (
            prometheus.query(filled(target["expr"], {**CHOSEN, "job": name}))
            for name in ("classic", "native")
        )
        assert len(classic) == len(native) == 1
        # The two jobs are scraped at other moments of a second.
        assert number(native[0]) == pytest.approx(number(classic[0]), rel=0.3)
