"""What Prometheus 3 does otherwise, where the rules meet it."""

import pytest

from tests.support.program import demo
from tests.support.prometheus import RunningPrometheus, job, number
from tests.support.rules import RULES, records
from tools.get_prometheus import Tools

LATENCY = """
histogram_quantile(
  0.9,
  sum by (le) (operation_le:ncr_api_request_duration_seconds_bucket:rate15m)
)
  or
histogram_quantile(0.9, sum(operation:ncr_api_request_duration_seconds:rate15m))
"""


@pytest.mark.newer_prometheus
@pytest.mark.parametrize("converted", [False, True], ids=["classic", "native"])
def test_latencies_are_recorded_in_either_form_of_histograms(
    newer_tools: Tools, *, converted: bool
) -> None:
    with (
        demo() as program,
        RunningPrometheus(
            job("any", program.address, convert_classic_histograms_to_nhcb=converted),
            rule_files=RULES,
            flags=["--enable-feature=native-histograms"],
            tools=newer_tools,
        ) as prometheus,
    ):
        (sample,) = prometheus.wait_for(LATENCY, lambda found: any(number(x) > 0 for x in found))
        assert 0 < number(sample) < 30
        buckets = prometheus.query("ncr_api_request_duration_seconds_bucket")
        assert bool(buckets) is not converted


def test_the_query_is_the_one_that_the_rules_name() -> None:
    (text,) = (path.read_text() for path in RULES if path.stem == "ncr-recording")
    commented = text.replace("#", "")
    assert "".join(LATENCY.split()) in "".join(commented.split())
    assert {"operation:ncr_api_request_duration_seconds:rate15m"} < records().keys()
