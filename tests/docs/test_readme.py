"""Every command and every configuration of the READMEs, run as printed.

What needs an account runs against the simulated registry. What needs Docker, a cluster or systemd
is read by the programs that read it there, or compared with what it names.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from ncr_exporter import __version__
from tests.support import deployed
from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering
from tests.support.key_files import SECRETS, with_keys
from tests.support.program import exporter
from tests.support.readme import ENGLISH, KOREAN, ROOT, words
from tools.waiting import wait_until

CONFIG = ENGLISH.configuration("registries")
IMAGES = {"hello/world": [tag("1.0")], "batch/nightly": [tag("latest")], "other": [tag("1")]}
DEMOS = [command for command in ENGLISH.commands if command.startswith("make demo")]
ENDING = [c for c in ENGLISH.commands if re.match("ncr-exporter (check|once)", c)]
# Named with the reason; whatever else is printed must be run by a test below.
NOT_RUN = {
    "pip install .": "asks an index for hatchling: make venv and make check-package do the same",
    "make image": "needs Docker, and an image registry: make check-image does it",
}
RUN_BELOW = (*DEMOS, *ENDING)
BY_OTHER_MEANS = ("curl ", "ncr-exporter --config", "docker run ", "helm install ", "systemctl ")
COMPOSE = "docker compose -f deploy/compose/compose.yml "


def test_no_command_is_forgotten() -> None:
    known = (*RUN_BELOW, *NOT_RUN, *BY_OTHER_MEANS, COMPOSE)
    assert [command for command in ENGLISH.commands if not command.startswith(known)] == []
    assert len(DEMOS) == 2
    assert len(ENDING) == 3
    kinds = {language for language, _ in ENGLISH.blocks}
    assert kinds == {"sh", "yaml"}


def test_both_languages_have_the_same_outline_blocks_code_and_links() -> None:
    assert KOREAN.blocks == ENGLISH.blocks
    assert KOREAN.levels == ENGLISH.levels
    assert KOREAN.code == ENGLISH.code
    swapped = {"README.ko.md": "README.md", "README.md": "README.ko.md"}
    assert sorted(swapped.get(link, link) for link in KOREAN.links) == sorted(ENGLISH.links)


@pytest.mark.parametrize("link", sorted({*ENGLISH.links, *KOREAN.links}))
def test_a_link_leads_somewhere(link: str) -> None:
    assert link.startswith("https://") or (ROOT / link.partition("#")[0]).exists()


@pytest.fixture
def account(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Have the printed configuration in a directory, and give the environment it needs."""
    text, variables = with_keys(CONFIG, tmp_path)
    with answering(source_of(**IMAGES), keys={"made-up": "made-up"}) as (_, url):
        (tmp_path / "ncr-exporter.yml").write_text(f"{text}api: {{base_url: '{url}'}}\n")
        yield variables


@pytest.mark.parametrize("command", ENDING)
def test_a_command_that_ends_does_so_well(
    command: str, account: dict[str, str], tmp_path: Path
) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 -- what the README prints
        words(command),
        cwd=tmp_path,
        env={**os.environ, **account, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "hello/world" in done.stdout
    assert "other" not in done.stdout


def test_it_serves_what_the_configuration_names(account: dict[str, str], tmp_path: Path) -> None:
    (command,) = (c for c in ENGLISH.commands if c.startswith("ncr-exporter --config"))
    assert words(command) == ["ncr-exporter", "--config.file=ncr-exporter.yml"]
    with exporter(tmp_path / "ncr-exporter.yml", **account) as program:
        program.ready()
        text = program.get().text
    assert 'ncr_image_tags{registry="my-registry",image="hello/world"} 1' in text
    assert 'ncr_image_poll_interval_seconds{registry="my-registry",image="batch/nightly"} 3600' in (
        text
    )


def make_is_ready() -> bool:
    """Whether `make` has nothing to build: it would empty the environment that runs this."""
    stamp = Path(sys.prefix) / ".program"
    argv = ["make", "--question", f"VENV={sys.prefix}", str(stamp)]
    made = (ROOT / "Makefile").exists() and shutil.which("make") and stamp.exists()
    return bool(made) and subprocess.run(argv, cwd=ROOT, check=False).returncode == 0  # noqa: S603 -- fixed words


@contextmanager
def typed(command: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run a demo as printed, on a free port; give its address, and press Ctrl-C in the end."""
    environ = {"VENV": sys.prefix, "NCR_EXPORTER_WEB_LISTEN_ADDRESS": "127.0.0.1:0"}
    running = subprocess.Popen(  # noqa: S603 -- what the README prints
        words(command),
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with running:
        try:
            said = ""
            while (match := re.search(r"address=(\S+)", said)) is None:
                line = running.stdout.readline() if running.stdout else ""
                assert line, said
                said += line
            yield f"http://{match[1]}", running
        finally:
            os.killpg(running.pid, signal.SIGINT)
            running.communicate(timeout=20)


@pytest.mark.skipif(not make_is_ready(), reason="make would build its environment anew")
def test_the_demo_shows_what_nobody_noticed() -> None:
    (asked,) = (command for command in ENGLISH.commands if command.startswith("curl"))
    match = re.fullmatch(r"curl -s http://localhost:10627(/\S+) \| grep (\w+)", asked)
    assert match
    path = match[1]
    with typed(DEMOS[0]) as (url, _), httpx.Client(base_url=url, trust_env=False) as client:
        age = re.compile(rf'^{match[2]}.*image="legacy/report"}} (\S+)', re.MULTILINE)
        found = wait_until(lambda: age.search(client.get(path).text))
        assert client.get("/").status_code == httpx.codes.OK
    assert found
    assert float(found[1]) > 365 * 86400


@pytest.mark.skipif(not make_is_ready(), reason="make would build its environment anew")
def test_the_demo_shows_an_outage() -> None:
    with typed(DEMOS[1]) as (_, running):
        assert running.stdout
        assert any("reason=throttled" in line for line in running.stdout)


def test_docker_gives_the_image_what_the_configuration_names() -> None:
    (command,) = (command for command in ENGLISH.commands if command.startswith("docker run"))
    given = words(command)
    assert given[-1] == f"ncr-exporter:{__version__}"
    mounts = [given[at + 1].split(":") for at, word in enumerate(given) if word == "-v"]
    places = {place for _, place, mode in mounts if mode == "ro"}
    (key,) = re.findall(rf"{SECRETS}\S+", CONFIG)
    assert places == {"/etc/ncr-exporter/ncr-exporter.yml", key}
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "\nWORKDIR /etc/ncr-exporter\n" in dockerfile
    passed = [given[at + 1] for at, word in enumerate(given) if word == "-e"]
    assert passed == re.findall(r"\$\{(\w+)\}", CONFIG)
    assert given[given.index("-p") + 1] == f"{deployed.PORT}:{deployed.PORT}"


def test_helm_takes_the_values_and_the_program_the_configuration_in_them(tmp_path: Path) -> None:
    (command,) = (command for command in ENGLISH.commands if command.startswith("helm"))
    values = tmp_path / "values.yaml"
    values.write_text(ENGLISH.configuration("image"))
    _, verb, name, chart, *rest = words(command.replace("values.yaml", str(values)))
    assert verb == "install"
    argv = (name, str(ROOT / chart), f"--kube-version={deployed.KUBERNETES}", *rest)
    rendered = deployed.objects(deployed.run("helm", "template", *argv))
    deployed.validate(rendered)
    config = tmp_path / "ncr-exporter.yml"
    config.write_text(deployed.by_kind(rendered, "ConfigMap")["data"]["ncr-exporter.yml"])
    mounted = yaml.safe_load(config.read_text())["credentials"]
    assert all(name.endswith("_file") for name in mounted)
    deployed.check_config(config, {})


def test_prometheus_takes_the_scrape_configuration(promtool: Path, tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text(ENGLISH.configuration("scrape_configs"))
    subprocess.run([promtool, "check", "config", file], check=True, capture_output=True)  # noqa: S603 -- fixed words
    (job,) = yaml.safe_load(file.read_text())["scrape_configs"]
    example = yaml.safe_load((deployed.DEPLOY / "prometheus" / "prometheus.yml").read_text())
    kept = ("sample_limit", "body_size_limit", "static_configs")
    assert {key: job[key] for key in kept} == {
        key: example["scrape_configs"][0][key] for key in kept
    }


def test_the_service_and_the_compose_file_are_there() -> None:
    (command,) = (command for command in ENGLISH.commands if command.startswith("systemctl"))
    unit = deployed.DEPLOY / "systemd" / f"{words(command)[-1]}.service"
    assert "\n[Install]\n" in unit.read_text(), "test_deploy_systemd has systemd read it"
    (command,) = (command for command in ENGLISH.commands if command.startswith(COMPOSE))
    assert (ROOT / words(command)[3]).exists(), "test_deploy_compose has compose read it"


def test_the_number_of_alerts_is_the_one_named() -> None:
    rules = (deployed.DEPLOY / "prometheus" / "rules").glob("*.yml")
    alerts = sum(len(re.findall(r"^ *- alert:", file.read_text(), re.MULTILINE)) for file in rules)
    for text in (ENGLISH.text, KOREAN.text):
        assert re.search(rf"\b{alerts}(?= alerts|개)", text)
