"""From a fact in the registry to somebody's pager: demo, Prometheus, Alertmanager, webhook."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import alertmanager
from tests.support.http_server import webhook
from tests.support.program import demo
from tests.support.prometheus import RunningPrometheus, job
from tests.support.rules import RULES
from tools.get_prometheus import AlertTools
from tools.waiting import wait_until

pytestmark = pytest.mark.prometheus


@pytest.fixture
def impatient_rules(tmp_path: Path) -> list[Path]:
    """The real rules, each `for` a second."""
    copies = []
    for path in RULES:
        copy = tmp_path / path.name
        copy.write_text(re.sub(r"( for): \w+", r"\1: 1s", path.read_text()))
        copies.append(copy)
    return copies


def is_alert(name: str, **labels: str) -> Any:
    wanted = {"alertname": name, **labels}
    return lambda alert: alert["status"] == "firing" and wanted.items() <= alert["labels"].items()


def test_an_oversized_tag_reaches_the_team_and_a_stopped_exporter_the_pager(
    alert_tools: AlertTools, impatient_rules: list[Path]
) -> None:
    with (
        webhook() as inbox,
        alertmanager.running(
            alert_tools, alertmanager.hurried(alertmanager.EXAMPLE.read_text(), inbox.address)
        ) as manager,
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
        assert oversized["group"] == {
            "alertname": "NCRTagOversized",
            "job": "any",
            "registry": "demo-registry",
        }
        assert re.fullmatch(
            r"\d+ tag\(s\) of demo-registry/ml/recommender are larger than the tag_size_limit of "
            r"476\.8MiB; the largest has [\d.]+MiB\.",
            oversized["annotations"]["description"],
        )

        inbox.wait_for("/pager", is_alert("NCRAuthenticationFailing", job="other"))
        wait_until(lambda: "NCRImageListFailing" in manager.suppressed(), seen=manager.suppressed)

        good.stop()
        down = inbox.wait_for("/pager", is_alert("NCRExporterDown", job="any"))
        assert down["labels"]["severity"] == "critical"
        told = {alert["labels"]["alertname"] for alert in inbox.alerts("/pager")}
        assert told <= {"NCRAuthenticationFailing", "NCRExporterDown"}


ROUTES = {
    ("NCRDataOld", "critical"): "ncr-pager",
    ("NCRTagOversized", "warning"): "ncr-team",
    ("NCRStaleTags", "info"): "ncr-housekeeping",
    ("NCRFromTheFuture", ""): "ncr-team",
}


@pytest.mark.parametrize(("alert", "receiver"), ROUTES.items(), ids=ROUTES.values())
def test_amtool_finds_the_receiver(
    alert: tuple[str, str], receiver: str, alert_tools: AlertTools
) -> None:
    labels = dict(zip(("alertname", "severity"), alert, strict=True))
    assert receiver_of(labels, alert_tools) == receiver


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
