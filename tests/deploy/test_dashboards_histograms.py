"""Latency panels, with the histograms that Prometheus 3 can make native ones of.

`convert_classic_histograms_to_nhcb` in a scrape config leaves no series `_bucket`.
"""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.support.dashboards import DASHBOARDS, filled, panels
from tests.support.http_server import exposition
from tests.support.program import demo
from tests.support.prometheus import RunningPrometheus, job, number
from tools.get_prometheus import Tools

pytestmark = pytest.mark.newer_prometheus
CHOSEN = {"instance": ".+", "__rate_interval": "10s"}
HISTOGRAM = "ncr_api_request_duration_seconds"
OBSERVED = {
    "registry_list": {"0.05": 9, "0.1": 9, "0.5": 10, "2.5": 10, "+Inf": 10},
    "tag_list": {"0.05": 3, "0.1": 40, "0.5": 70, "2.5": 99, "+Inf": 100},
}
"""By operation, how many of the requests between two scrapes took no longer than a bucket says."""
BUCKETS = 'ncr_api_request_duration_seconds_bucket{{job="{}"}}'


def growing() -> Callable[[], str]:
    """Return what gives histograms that have all grown by the same share at each scrape.

    Prometheus takes no counter to have been below 0 before the first sample of a range. Of a native
    histogram it looks at the count for that, of a classic one at each bucket. So the two differ
    where a bucket had nothing yet, as those of slow requests in a demo that has just begun.
    """
    scrapes = itertools.count(1000)

    def text() -> str:
        times = next(scrapes)
        lines = [f"# TYPE {HISTOGRAM} histogram"]
        for operation, buckets in OBSERVED.items():
            of = f'operation="{operation}"'
            lines += [
                f'{HISTOGRAM}_bucket{{{of},le="{le}"}} {count * times}'
                for le, count in buckets.items()
            ]
            lines += [f"{HISTOGRAM}_sum{{{of}}} {times}"]
            lines += [f"{HISTOGRAM}_count{{{of}}} {buckets['+Inf'] * times}"]
        return "\n".join((*lines, "ncr_exporter_series 1", ""))

    return text


@pytest.fixture(scope="module")
def prometheus(newer_tools: Tools) -> Iterator[RunningPrometheus]:
    """Give a Prometheus 3 that scrapes a demo: as job `native`, and as `both` with classic ones.

    Job `growing` has both of histograms that grow evenly.
    """
    with demo() as running, exposition(growing()) as evenly:
        target = running.url.removeprefix("http://")
        native = {"convert_classic_histograms_to_nhcb": True}
        both = {**native, "always_scrape_classic_histograms": True}
        jobs = [
            job("native", target, **native),
            job("both", target, **both),
            job("growing", evenly, **both),
        ]
        flags = ["--enable-feature=native-histograms"]
        with RunningPrometheus(*jobs, flags=flags, tools=newer_tools) as found:
            for name in ("native", "both", "growing"):
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
    expected = [0.1 + 0.4 * 6 / 31, 0.5 + 2 * 19 / 29, 0.5 + 2 * 28.9 / 29]  # of 110 requests
    for expr, seconds in zip(latencies(), expected, strict=True):
        for form in filled(expr, {**CHOSEN, "job": "growing"}).split("\nor "):
            (found,) = prometheus.query(form)
            assert number(found) == pytest.approx(seconds, rel=1e-6)
