"""The systemd units: systemd reads them, the sandbox is tight, and they call the program right."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ncr_exporter.cli.main import command_named
from tests.support import deployed
from tests.support.deployed import DEPLOY

FOLDER = DEPLOY / "systemd"
PROGRAM = "/opt/ncr-exporter/bin/ncr-exporter"
SERVICES = ("ncr-exporter.service", "ncr-exporter-textfile.service")
OF_ITS_OWN = {
    *("Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus"),
    *("TimeoutStartSec", "TimeoutStopSec", "StateDirectory", "UMask"),
    *("SupplementaryGroups", "ReadWritePaths"),
}


def settings(name: str) -> list[tuple[str, str]]:
    """Key and value of each line, in order: systemd's keys may be repeated."""
    lines = (FOLDER / name).read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line[:1] not in {"", "#", "["}]
    return [(key, value) for key, _, value in pairs]


def analyze(*arguments: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    done = subprocess.run(  # noqa: S603 -- fixed words, no shell
        ["systemd-analyze", "--no-pager", *arguments],  # noqa: S607 -- where the system has it
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_systemd_takes_all_units(tmp_path: Path) -> None:
    for file in (*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")):
        text = file.read_text().replace(PROGRAM, sys.executable)
        (tmp_path / file.name).write_text(text)
    files = sorted(map(str, tmp_path.iterdir()))
    assert len(files) == 3
    assert analyze("--man=no", "verify", *files) == ""


@pytest.mark.parametrize("name", SERVICES)
def test_the_sandbox_leaves_little_open(name: str) -> None:
    # 1.1 of 10 when written: the network, and a root directory that is the machine's.
    analyze("security", "--offline=true", "--threshold=12", str(FOLDER / name))


@pytest.mark.parametrize("name", SERVICES)
def test_the_program_has_the_flags_that_a_unit_gives_it(name: str) -> None:
    program, *arguments = dict(settings(name))["ExecStart"].split()
    assert program == PROGRAM
    deployed.check_arguments(arguments)


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_known_survives_a_run(name: str) -> None:
    keys = dict(settings(name))
    assert f"--storage.path=/var/lib/{keys['StateDirectory']}" in keys["ExecStart"].split()


def test_the_two_services_do_not_write_to_one_state() -> None:
    assert len({dict(settings(name))["StateDirectory"] for name in SERVICES}) == len(SERVICES)


def test_a_reload_fails_where_the_file_is_broken_before_anything_is_signalled() -> None:
    checking, signalling = (value for key, value in settings(SERVICES[0]) if key == "ExecReload")
    program, *arguments = checking.split()
    assert program == PROGRAM
    deployed.check_arguments(arguments)
    assert arguments[:2] == ["check", "--file-only"], "systemd 252 hides the key from it"
    assert arguments[2] in dict(settings(SERVICES[0]))["ExecStart"].split()
    assert signalling == "/bin/kill -HUP $MAINPID"


def test_both_services_are_sandboxed_alike() -> None:
    one, other = (
        [pair for pair in settings(name) if pair[0] not in {*OF_ITS_OWN, "Description", "WantedBy"}]
        for name in SERVICES
    )
    assert one == other


def test_the_timer_starts_the_service_of_its_name() -> None:
    keys = dict(settings("ncr-exporter-textfile.timer"))
    assert "Unit" not in keys
    analyze("calendar", keys["OnCalendar"])


def test_the_environment_file_sets_flags_that_there_are_and_no_secret() -> None:
    lines = (FOLDER / "ncr-exporter.env").read_text().splitlines()
    names = {line.lstrip("#").partition("=")[0] for line in lines if "=" in line}
    twins = {flag.env_var for flag in command_named("serve").flags}
    assert names - twins == {"NCLOUD_ACCESS_KEY"}


def test_the_program_takes_the_configuration_with_what_the_unit_sets() -> None:
    credential, _, source = dict(settings(SERVICES[0]))["LoadCredential"].partition(":")
    assert (credential, source) == ("secret-key", "/etc/ncr-exporter/secret-key")
    environ = {"NCLOUD_ACCESS_KEY": "made-up", "CREDENTIALS_DIRECTORY": "/run/credentials/x"}
    deployed.check_config(FOLDER / "ncr-exporter.yml", environ)
    text = (FOLDER / "ncr-exporter.yml").read_text()
    assert f"secret_key_file: ${{CREDENTIALS_DIRECTORY}}/{credential}" in text
