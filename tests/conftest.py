"""What every test may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import hypothesis
import pytest

from tests import prometheus
from tools.get_prometheus import find_alert_tools, must_have_tools

if TYPE_CHECKING:
    from pathlib import Path

    from tools.get_prometheus import AlertTools, Tools

Found = TypeVar("Found")
_HOW_TO_GET = (prometheus.HOW_TO_GET, prometheus.HOW_TO_GET_ALERTMANAGER)

# The same examples each time, so that a red run is about the change at hand;
# --hypothesis-profile=default searches afresh.
hypothesis.settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=100, print_blob=True
)
hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def prometheus_tools() -> Tools:
    """Prometheus and promtool; without them the test is left out, or fails in CI."""
    return _found(prometheus.prometheus_tools(), prometheus.HOW_TO_GET)


@pytest.fixture(scope="session")
def alert_tools() -> AlertTools:
    """Alertmanager and amtool; likewise."""
    return _found(find_alert_tools(), prometheus.HOW_TO_GET_ALERTMANAGER)


def _found(tools: Found | None, how_to_get: str) -> Found:
    if tools is None and must_have_tools():
        pytest.fail(how_to_get, pytrace=False)
    if tools is None:
        pytest.skip(how_to_get)
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
    """Name the tests that were left out for want of Prometheus or Alertmanager."""
    left_out = [
        report.nodeid
        for report in terminalreporter.stats.get("skipped", [])
        if any(how in str(report.longrepr) for how in _HOW_TO_GET)
    ]
    if left_out:
        terminalreporter.section("left out for want of Prometheus or Alertmanager", sep="-")
        terminalreporter.line(f"{len(left_out)} left out: `make prometheus` gets it on Debian")
        terminalreporter.line(", ".join(left_out))
