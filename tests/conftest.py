"""What every test may use."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from coverage import Coverage
from structlog.testing import capture_logs

from ncr_exporter.ncr.versions import V2, VERSIONS, ApiVersion
from tests.support import browser, prometheus
from tests.support.versions import speak
from tools.get_browser import find_browser
from tools.get_node_exporter import find_node_exporter
from tools.get_prometheus import (
    find_alert_tools,
    find_newer_tools,
    find_tools,
    find_victoria_tools,
)
from tools.getting import must_have_tools

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from structlog.typing import EventDict

    from tools.get_prometheus import AlertTools, Tools, VictoriaTools

NEEDS: dict[str, tuple[Callable[[], object], str]] = {
    "prometheus": (find_tools, prometheus.HOW_TO_GET),
    "newer_prometheus": (find_newer_tools, prometheus.HOW_TO_GET_NEWER),
    "victoria": (find_victoria_tools, prometheus.HOW_TO_GET_VICTORIA),
    "alertmanager": (find_alert_tools, prometheus.HOW_TO_GET_ALERTMANAGER),
    "node_exporter": (
        find_node_exporter,
        "needs Debian's node_exporter: `make prometheus` gets it",
    ),
    "browser": (find_browser, browser.HOW_TO_GET),
}
"""What a test so marked needs: how it is found, and how it is got."""

UNMEASURED = {"deploy", "docs", "soak", "tools"}
"""Folders of tests about what stands around the program."""

LONGEST_ASYNC_TEST = 120.0
"""Seconds after which an async test fails: one that hangs must not hold the suite up."""

# The same examples each time, so that a red run is about the change at hand; `make fuzz` searches
# afresh, and its profile remembers what failed (in .hypothesis) to try that first the next time.
hypothesis.settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=60, print_blob=True
)
hypothesis.settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "250")),
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks of what not every machine has."""
    for mark, (_, how_to_get) in NEEDS.items():
        config.addinivalue_line("markers", f"{mark}: {how_to_get}")
    config.addinivalue_line(
        "markers", "unmeasured: a module that runs, and starts programs, without coverage"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than processors: almost half of the time a test waits for others."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what runs without coverage: it takes longest, and at the end one worker waits."""
    items.sort(key=lambda item: item.get_closest_marker("unmeasured") is None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out where what it needs is missing; in CI that is a failure."""
    for mark in NEEDS:
        if item.get_closest_marker(mark):
            _require(mark)


def _require(mark: str) -> None:
    find, how_to_get = NEEDS[mark]
    if not find():
        if must_have_tools():
            pytest.fail(how_to_get, pytrace=False)
        pytest.skip(how_to_get)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Bound an async test in time, unless it is a property, which `make fuzz` runs for longer."""
    is_property = pyfuncitem.get_closest_marker("hypothesis") is not None
    if inspect.iscoroutinefunction(pyfuncitem.obj) and not is_property:
        pyfuncitem.obj = _bounded(pyfuncitem.obj)
    return (yield)


def _bounded(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def run(**arguments: Any) -> None:
        async with asyncio.timeout(LONGEST_ASYNC_TEST):
            await test(**arguments)

    return run


@pytest.fixture(scope="module", autouse=True)
def coverage_measured(request: pytest.FixtureRequest) -> Iterator[None]:
    """Measure coverage, also of the programs that a module starts, unless it says not to.

    What is measured takes twice the time, and memory that no user's program takes.
    """
    folder = request.path.relative_to(Path(__file__).parent).parts[0]
    if folder in UNMEASURED or request.node.get_closest_marker("unmeasured"):
        with _without_coverage():
            yield
    else:
        yield


@contextmanager
def _without_coverage() -> Iterator[None]:
    measuring = Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    try:
        with pytest.MonkeyPatch.context() as environ:
            environ.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
            yield
    finally:
        measuring.start()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Name the event loop of async tests: the one that the program runs on."""
    return "asyncio"


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Iterator[ApiVersion]:
    """Each version of the API in turn; clients speak it until the end of the test."""
    speak(request.param)
    yield VERSIONS[request.param]
    speak(V2.name)


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    """What is logged until the end of the test."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture(scope="session")
def prometheus_tools() -> Tools:
    """Where Prometheus and promtool are; like the mark where they are not."""
    _require("prometheus")
    return prometheus.required_tools()


@pytest.fixture(scope="session")
def alert_tools() -> AlertTools:
    """Where Alertmanager and amtool are; like the mark where they are not."""
    _require("alertmanager")
    tools = find_alert_tools()
    assert tools is not None
    return tools


@pytest.fixture(scope="session")
def promtool(prometheus_tools: Tools) -> Path:
    """Where promtool is; like the mark where it is not."""
    return prometheus_tools.promtool


@pytest.fixture(scope="session")
def newer_tools() -> Tools:
    """Where Prometheus 3 and its promtool are; like the mark where they are not."""
    _require("newer_prometheus")
    tools = find_newer_tools()
    assert tools is not None
    return tools


@pytest.fixture(scope="session")
def victoria_tools() -> VictoriaTools:
    """Where VictoriaMetrics and vmalert are; like the mark where they are not."""
    _require("victoria")
    tools = find_victoria_tools()
    assert tools is not None
    return tools


@pytest.fixture(
    params=[
        pytest.param("prometheus_tools", id="Prometheus 2", marks=pytest.mark.prometheus),
        pytest.param("newer_tools", id="Prometheus 3", marks=pytest.mark.newer_prometheus),
    ]
)
def each_prometheus(request: pytest.FixtureRequest) -> Tools:
    """Where Prometheus and promtool are, of each major version."""
    tools: Tools = request.getfixturevalue(request.param)
    return tools


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that were left out, and what they need."""
    skipped = terminalreporter.stats.get("skipped", [])
    for mark, (_, how_to_get) in NEEDS.items():
        left_out = [report.nodeid for report in skipped if how_to_get in str(report.longrepr)]
        if left_out:
            terminalreporter.section(f"left out for want of {mark}", sep="-")
            terminalreporter.line(f"{len(left_out)} left out: each {how_to_get}")
            terminalreporter.line(", ".join(left_out))
