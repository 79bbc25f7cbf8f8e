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
BUCKETS = 'ncr_api_request_duration_seconds_bucket{{job="{}"}}'


@pytest.fixture(scope="module")
def prometheus(newer_tools: Tools) -> Iterator[RunningPrometheus]:
    """Give a Prometheus 3 that scrapes a demo: as job `native`, and as `both` with classic ones."""
    with demo() as running:
        target = running.url.removeprefix("http://")
        converted = {"convert_classic_histograms_to_nhcb": True}
        jobs = [
            job("native", target, **converted),
            job("both", target, **converted, always_scrape_classic_histograms=True),
        ]
        flags = ["--enable-feature=native-histograms"]
        with RunningPrometheus(*jobs, flags=flags, tools=newer_tools) as found:
            for name in ("native", "both"):
                series = f'ncr_exporter_series{{job="{name}"}}'
                found.wait_for(f"min(count_over_time({series}[1m])) >= 5")
            yield found


def latencies() -> list[str]:
    (latency,) = (
        panel for panel in panels(DASHBOARDS["ncr-exporter"]) if panel["title"] == "Latency"
    )
    return [target["expr"] for target in latency["targets"]]


@pytest.mark.parametrize("name", ["native", "both"])
def test_latencies_are_drawn_once_whatever_the_histograms_are(
    name: str, prometheus: RunningPrometheus
) -> None:
    assert bool(prometheus.query(BUCKETS.format(name))) == (name == "both")
    for expr in latencies():
        (found,) = prometheus.query(filled(expr, {**CHOSEN, "job": name}))
        assert number(found) > 0


def test_native_histograms_say_what_classic_ones_say(prometheus: RunningPrometheus) -> None:
    # Each begins at a scrape of its own, and what is extrapolated before it differs by some ms.
    for expr in latencies():
        asked = " - ".join(filled(expr, {**CHOSEN, "job": "both"}).split("\nor "))
        (difference,) = prometheus.query(asked)
        assert number(difference) == pytest.approx(0, abs=0.05)
