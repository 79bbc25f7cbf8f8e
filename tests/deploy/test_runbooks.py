"""What runbooks tell to type, typed: against a real Prometheus, Alertmanager and exporter."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import alertmanager, rules
from tests.support.program import Program, demo
from tests.support.prometheus import RunningPrometheus, job
from tools.get_prometheus import AlertTools, Tools

pytestmark = pytest.mark.prometheus

RUNBOOKS = sorted(rules.RUNBOOKS.glob("*.md"))
OURS = ("bash", "curl", "date", "grep", "tr")
"""Programs that every machine with a shell has."""
SCRIPT = """
exec 3>&2
failed() { echo "FAILED $*" >&3; }
command_not_found_handle() { failed "no such program: $*"; }
%s
promtool() { command promtool "$@" || failed promtool "$@"; }
amtool() { command amtool "$@" || failed amtool "$@"; }
curl() { # nothing beyond this machine is asked
  case "${*: -1}" in
    http://127.0.0.1:*) command curl --fail --max-time 10 "$@" || failed curl "$@" ;;
    https://ncr.apigw.ntruss.com/) ;;
    *) failed "curl asks somebody else: $*" ;;
  esac
}
"""


@dataclass(frozen=True)
class Surroundings:
    """Everything that a runbook's commands talk to."""

    prometheus: RunningPrometheus
    manager: alertmanager.Alertmanager
    exporter: Program
    path: Path
    """The folder of the programs."""

    def typed(self, document: Path) -> str:
        """Return the commands of a document, with the addresses of this moment in them."""
        text = "\n".join(rules.shell_blocks(document.read_text()))
        places = {
            "http://localhost:9090": self.prometheus.url,
            "http://localhost:9093": f"http://{self.manager.address}",
            "localhost:10627": self.exporter.address,
            "my-registry": "demo-registry",
            "image=team-a/app": "image=legacy/report",
        }
        for example, place in places.items():
            text = text.replace(example, place)
        return text


@pytest.fixture(scope="module")
def surroundings(
    prometheus_tools: Tools, alert_tools: AlertTools, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Surroundings]:
    path = tmp_path_factory.mktemp("bin")
    programs = {name: shutil.which(name) for name in OURS}
    programs |= {"promtool": str(prometheus_tools.promtool), "amtool": str(alert_tools.amtool)}
    for name, place in programs.items():
        assert place, name
        (path / name).symlink_to(place)
    with (
        demo() as exporter,
        alertmanager.running(alert_tools, alertmanager.EXAMPLE.read_text()) as manager,
        RunningPrometheus(job("ncr", exporter.address), rule_files=rules.RULES) as prometheus,
    ):
        prometheus.wait_for("registry:ncr_image_tags:sum")
        yield Surroundings(prometheus, manager, exporter, path)


@pytest.mark.parametrize("document", RUNBOOKS, ids=lambda path: path.stem)
def test_every_command_runs_as_it_is_written(document: Path, surroundings: Surroundings) -> None:
    said = run(surroundings.typed(document), surroundings)
    assert "FAILED" not in said.stderr, said.stderr
    assert "error" not in said.stderr.lower(), said.stderr


def test_what_a_silence_names_is_silenced(surroundings: Surroundings) -> None:
    document = rules.RUNBOOKS / "NCRRegistryBecamePublic.md"
    run(surroundings.typed(document), surroundings)
    matchers = [
        {matcher["name"]: matcher["value"] for matcher in silence["matchers"]}
        for silence in surroundings.manager.silences()
    ]
    assert {"alertname": document.stem, "registry": "demo-registry"} in matchers


@pytest.mark.parametrize("document", RUNBOOKS, ids=lambda path: path.stem)
def test_a_command_that_silences_names_its_own_alert(document: Path) -> None:
    text = document.read_text()
    assert set(re.findall(r"alertname=(\w+)", text)) <= {document.stem}


def test_a_command_that_fails_is_noticed(surroundings: Surroundings) -> None:
    for wrong in (
        f'promtool query instant "{surroundings.prometheus.url}" "sum("',
        "curl https://elsewhere.example/",
        f"amtool silence add --alertmanager.url=http://{surroundings.manager.address}",
        "frobnicate",
    ):
        assert "FAILED" in run(wrong, surroundings).stderr, wrong


def run(commands: str, surroundings: Surroundings) -> subprocess.CompletedProcess[str]:
    stand_ins = "\n".join(f"{program}() {{ :; }}" for program in rules.ELSEWHERE)
    return subprocess.run(  # noqa: S603 -- our own documents, and what they may reach is above
        [shutil.which("bash") or "bash", "-c", SCRIPT % stand_ins + commands],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(surroundings.path), "HOME": str(surroundings.path)},
        timeout=60,
    )
