"""Every alert fires, and is silent, in every way of running in which it can.

Rule tests are written for an exporter that Prometheus scrapes. Here their series are changed as
shards, a pair, a second job, node_exporter's textfiles and remote write change them.
"""

from pathlib import Path

import pytest

from tests.support import rule_tests, rules
from tests.support.rule_tests import RuleTest, Way

TEXTFILE = rules.PROMETHEUS / "tests" / "textfile.test.yml"
"""Tests that are written for that mode: there a failed poll leaves no trace of the ones before."""
WAYS: dict[str, Way] = {
    way.__name__: way
    for way in (
        rule_tests.serve,
        rule_tests.textfile,
        rule_tests.shards,
        rule_tests.pair,
        rule_tests.two_jobs,
        rule_tests.remote_written,
    )
}
OF_A_RUNNING_EXPORTER = {
    *("NCRAuthenticationFailing", "NCRThrottled", "NCRPlanExceedsRateLimit", "NCRClockOff"),
    *("NCRReloadFailed", "NCRStateWritesFailing", "NCRLogLinesDropped"),
    "NCRImmutableTagOverwritten",  # a run remembers nothing of the one before
    "NCRExporterNeverScraped",  # node_exporter is somebody else's
}
WITHOUT_UP = {"NCRExporterDown", "NCRExporterNeverScraped"}
FOR_AS_LONG_AS_UP = "NCRAllExportersDown goes on while there are targets, else for a day"
NOT_IN = {"textfile": OF_A_RUNNING_EXPORTER, "remote_written": WITHOUT_UP}
WRITTEN_FOR_TEXTFILES = {look.alert for test in rule_tests.read(TEXTFILE) for look in test.looks}

TESTS = [test for path in rules.RULE_TESTS for test in rule_tests.read(path) if path != TEXTFILE]


def restricted(test: RuleTest, way: str) -> RuleTest | None:
    """Return the test with the alerts that exist in this way of running, or None without any."""
    if way == "remote_written" and test.name == FOR_AS_LONG_AS_UP:
        return None  # a day is all that it can know without `up`
    without = NOT_IN.get(way, set()) | (WRITTEN_FOR_TEXTFILES if way == "textfile" else set())
    looks = tuple(look for look in test.looks if look.alert not in without)
    return RuleTest(**{**vars(test), "looks": looks}) if looks else None


def cases(way: str) -> list[RuleTest]:
    """Return the tests with the alerts that exist in this way of running."""
    return [found for test in TESTS if (found := restricted(test, way))]


@pytest.mark.prometheus
@pytest.mark.parametrize("way", WAYS)
def test_alerts_fire_and_stay_silent_in_this_way_of_running(
    way: str, promtool: Path, tmp_path: Path
) -> None:
    changed = [WAYS[way](test) for test in cases(way)]
    assert changed
    files = [rule_tests.written(test, tmp_path / str(n)) for n, test in enumerate(changed)]
    rule_tests.run(promtool, "test", "rules", *files)


@pytest.mark.parametrize("way", WAYS)
def test_no_alert_is_left_out_of_a_way_of_running(way: str) -> None:
    firing = {look.alert for test in cases(way) for look in test.looks if look.firing}
    if way == "textfile":
        firing |= {
            look.alert for test in rule_tests.read(TEXTFILE) for look in test.looks if look.firing
        }
    assert firing == rules.alerts().keys() - NOT_IN.get(way, set())


def test_a_rule_that_forgets_a_pair_is_found(promtool: Path, tmp_path: Path) -> None:
    (test,) = (each for each in TESTS if each.name.startswith("NCRStaleTags is one alert"))
    path = rule_tests.written(rule_tests.pair(test), tmp_path)
    broken = tmp_path / "rules.yml"
    broken.write_text(broken.read_text().replace("max by (cluster,", "sum by (cluster,"))
    with pytest.raises(AssertionError, match="FAILED"):
        rule_tests.run(promtool, "test", "rules", path)
