"""From a fact in the registry to somebody's pager: demo, Prometheus, Alertmanager, webhook."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import alertmanager, rules
from tests.support.http_server import Inbox, exposition, webhook
from tests.support.program import demo
from tests.support.prometheus import RunningPrometheus, job
from tools.get_prometheus import AlertTools
from tools.waiting import wait_until

pytestmark = pytest.mark.prometheus


@pytest.fixture
def impatient_rules(tmp_path: Path) -> list[Path]:
    """The real rules, each second and `for` a second."""
    return rules.hurried(tmp_path)


@contextmanager
def told_by(
    tools: AlertTools, config: str | None = None
) -> Iterator[tuple[alertmanager.Alertmanager, Inbox]]:
    """Give an Alertmanager that waits for nothing, by default the example, and what it tells."""
    text = config or alertmanager.EXAMPLE.read_text()
    with (
        webhook() as inbox,
        alertmanager.running(tools, alertmanager.hurried(text, inbox.address)) as manager,
    ):
        yield manager, inbox


def is_alert(name: str, **labels: str) -> Any:
    wanted = {"alertname": name, **labels}
    return lambda alert: alert["status"] == "firing" and wanted.items() <= alert["labels"].items()


def test_an_oversized_tag_reaches_the_team_and_the_last_exporter_the_pager(
    alert_tools: AlertTools, impatient_rules: list[Path]
) -> None:
    with (
        told_by(alert_tools) as (manager, inbox),
        demo() as good,
        demo("--fault=wrong-key") as refused,
        RunningPrometheus(
            job("any", good.address),
            job("other", refused.address),
            rule_files=impatient_rules,
            alertmanagers=[manager.address],
        ),
    ):
        oversized = inbox.wait_for("/ncr", is_alert("NCRTagOversized"))
        assert oversized["labels"]["image"] == "ml/recommender"
        assert oversized["group"] == {"alertname": "NCRTagOversized", "job": "any"}
        assert re.fullmatch(
            r"\d+ tag\(s\) of demo-registry/ml/recommender are larger than the tag_size_limit of "
            r"500MB; the largest has [\d.]+MB\.",
            oversized["annotations"]["description"],
        )

        inbox.wait_for("/pager", is_alert("NCRAuthenticationFailing", job="other"))
        wait_until(lambda: "NCRImageListFailing" in manager.suppressed(), seen=manager.suppressed)

        good.stop()
        down = inbox.wait_for("/pager", is_alert("NCRAllExportersDown", job="any"))
        assert down["labels"]["severity"] == "critical"
        wait_until(lambda: "NCRExporterDown" in manager.suppressed(), seen=manager.suppressed)
        told = {alert["labels"]["alertname"] for alert in inbox.alerts("/pager")}
        assert told == {"NCRAuthenticationFailing", "NCRAllExportersDown"}


def test_one_of_two_exporters_that_is_down_silences_nothing(
    alert_tools: AlertTools, impatient_rules: list[Path]
) -> None:
    with (
        told_by(alert_tools) as (manager, inbox),
        demo() as left,
        demo() as stopped,
        RunningPrometheus(
            job("any", left.address, stopped.address),
            rule_files=impatient_rules,
            alertmanagers=[manager.address],
        ) as prometheus,
    ):
        prometheus.wait_for("count(ncr_exporter_build_info) == 2")
        stopped.stop()
        down = inbox.wait_for("/pager", is_alert("NCRExporterDown", job="any"))
        assert down["labels"]["instance"] == stopped.url.removeprefix("http://")
        inbox.wait_for("/ncr", is_alert("NCRTagOversized"))
        assert manager.suppressed() == {}


TARGET = 'registry="r",image="team-a/big"'
OVERSIZED = f"""ncr_image_up{{{TARGET}}} 1
ncr_image_info{{{TARGET},owner="%s"}} 1
ncr_image_largest_tag_size_bytes{{{TARGET}}} 7e8
ncr_image_tag_size_limit_bytes{{{TARGET}}} 5e8
"""


def test_whoever_owns_an_image_hears_of_it(
    alert_tools: AlertTools, impatient_rules: list[Path]
) -> None:
    with (
        told_by(alert_tools) as (manager, inbox),
        exposition(OVERSIZED % "team-a") as target,
        RunningPrometheus(
            job("test", target), rule_files=impatient_rules, alertmanagers=[manager.address]
        ),
    ):
        alert = inbox.wait_for("/team-a", is_alert("NCRTagOversized", owner="team-a"))
        assert alert["group"] == {"alertname": "NCRTagOversized", "job": "test"}
        assert not [each for each in inbox.alerts("/ncr") if "owner" in each["labels"]]


def test_a_team_may_read_its_alerts_in_korean(
    alert_tools: AlertTools, impatient_rules: list[Path]
) -> None:
    with webhook() as inbox:
        korean = alertmanager.in_korean(alertmanager.EXAMPLE.read_text(), inbox.address)
        hurried = alertmanager.hurried(korean, inbox.address)
        with (
            alertmanager.running(alert_tools, hurried) as manager,
            exposition(OVERSIZED % "team-b") as target,
            RunningPrometheus(
                job("test", target), rule_files=impatient_rules, alertmanagers=[manager.address]
            ),
        ):
            (attachment,) = inbox.wait_for_post("/chat")["attachments"]
    assert attachment["title"] == "[발생 1건] NCRTagOversized, test"
    assert attachment["text"] == (
        "- r/team-a/big 이미지에 700MB 크기의 태그가 있습니다\n"
        "  r/team-a/big 이미지에서 태그의 크기가 tag_size_limit(500MB)을 넘었습니다. "
        "가장 큰 태그는 700MB입니다.\n"
    )


UNUSED = """ncr_image_up{registry="r",image="old"} 1
ncr_image_stale_tags{registry="r",image="old"} 0
ncr_image_last_used_timestamp_seconds{registry="r",image="old"} 1
ncr_image_stale_after_seconds{registry="r",image="old"} 60
ncr_image_size_bytes{registry="r",image="old"} 3e9
"""
INFO_INHIBITOR = """groups:
  - name: general
    rules:
      - alert: InfoInhibitor
        expr: |
          ALERTS{severity="info"} == 1 unless on (namespace)
          ALERTS{alertname!="InfoInhibitor",severity=~"warning|critical",alertstate="firing"} == 1
        labels: {severity: none}
"""
"""As kube-prometheus-stack has it, and as its Alertmanager is configured."""
ITS_INHIBITION = """inhibit_rules:
  - source_matchers: [alertname="InfoInhibitor"]
    target_matchers: [severity="info"]
    equal: [namespace]
"""


@pytest.mark.parametrize("severity", ["info", "notice"])
def test_with_kube_prometheus_stack_info_reaches_nobody_and_another_severity_does(
    severity: str, alert_tools: AlertTools, tmp_path: Path
) -> None:
    inhibitor = tmp_path / "general.yml"
    inhibitor.write_text(INFO_INHIBITOR)
    files = [inhibitor, *rules.hurried(tmp_path, severity)]
    example = alertmanager.EXAMPLE.read_text().replace('severity="info"', f'severity="{severity}"')
    config = example.replace("inhibit_rules:\n", ITS_INHIBITION)
    with (
        told_by(alert_tools, config) as (manager, inbox),
        exposition(UNUSED) as target,
        RunningPrometheus(
            job("ncr", target), rule_files=files, alertmanagers=[manager.address]
        ) as prometheus,
    ):
        told = is_alert("NCRImageUnused", severity=severity)
        if severity == "info":
            wait_until(lambda: "NCRImageUnused" in manager.suppressed(), seen=manager.suppressed)
            assert not [each for each in inbox.alerts("/ncr-housekeeping") if told(each)]
        else:
            inbox.wait_for("/ncr-housekeeping", told)
        assert prometheus.query('ALERTS{alertname="NCRImageUnused",alertstate="firing"}')


ROUTES = {
    "alertname=NCRDataOld severity=critical": "ncr-pager",
    "alertname=NCRTagOversized severity=warning": "ncr-team",
    "alertname=NCRTagOversized severity=warning owner=team-a": "team-a",
    "alertname=NCRStaleTags severity=info": "ncr-housekeeping",
    "alertname=NCRStaleTags severity=info owner=team-a": "team-a",
    "alertname=NCRStaleTags severity=info owner=others": "ncr-housekeeping",
    "alertname=NCRDataOld severity=critical owner=team-a": "ncr-pager",
    "alertname=NCRFromTheFuture": "ncr-team",
}


@pytest.mark.parametrize(("labels", "receiver"), ROUTES.items(), ids=ROUTES)
def test_amtool_finds_the_receiver(labels: str, receiver: str, alert_tools: AlertTools) -> None:
    assert receiver_of(dict(word.split("=") for word in labels.split()), alert_tools) == receiver


def receiver_of(labels: Mapping[str, str], tools: AlertTools) -> str:
    words = [f'{name}="{value}"' for name, value in labels.items()]
    done = subprocess.run(  # noqa: S603 - fixed words, no shell
        [tools.amtool, "config", "routes", "test", f"--config.file={alertmanager.EXAMPLE}", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return done.stdout.strip()


def test_amtool_finds_no_fault_with_the_example(alert_tools: AlertTools) -> None:
    done = subprocess.run(  # noqa: S603 - fixed words, no shell
        [alert_tools.amtool, "check-config", alertmanager.EXAMPLE],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 inhibit rules" in done.stdout
    assert "1 templates" in done.stdout
