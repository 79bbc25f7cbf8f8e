"""What every test may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests import prometheus
from tools.get_prometheus import must_have_tools

if TYPE_CHECKING:
    from pathlib import Path

    from tools.get_prometheus import Tools

# The same examples each time, so that a red run is about the change at hand;
# --hypothesis-profile=default searches afresh.
hypothesis.settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=100, print_blob=True
)
hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def prometheus_tools() -> Tools:
    """Prometheus and promtool; without them the test is left out, or fails in CI."""
    tools = prometheus.prometheus_tools()
    if tools is None and must_have_tools():
        pytest.fail(prometheus.HOW_TO_GET, pytrace=False)
    if tools is None:
        pytest.skip(prometheus.HOW_TO_GET)
    return tools


@pytest.fixture(scope="session")
def promtool(prometheus_tools: Tools) -> Path:
    """Where promtool is; like `prometheus_tools` where it is not."""
    return prometheus_tools.promtool


@pytest.fixture(autouse=True)
def _marked_tests_need_prometheus(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("prometheus"):
        request.getfixturevalue("prometheus_tools")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that were left out for want of Prometheus."""
    left_out = [
        report.nodeid
        for report in terminalreporter.stats.get("skipped", [])
        if prometheus.HOW_TO_GET in str(report.longrepr)
    ]
    if left_out:
        terminalreporter.section("left out for want of Prometheus", sep="-")
        terminalreporter.line(f"{len(left_out)} left out: each {prometheus.HOW_TO_GET}")
        terminalreporter.line(", ".join(left_out))
