"""Every command and every configuration of the READMEs, run as printed.

What needs an account runs against the simulated registry. What needs Docker, a cluster or systemd
is read by the programs that read it there, or compared with what it names.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ncr_exporter import __version__
from ncr_exporter.config.zones import ZONES
from tests.support import deployed, walkthrough
from tests.support.api_client import source_of, tag
from tests.support.api_thread import KEYS, answering
from tests.support.program import demo, exporter, run
from tests.support.prometheus import RunningPrometheus, job
from tests.support.readme import ENGLISH, KOREAN, ROOT, Readme, words

CHAIN = ENGLISH.configuration("registries")
IMAGES = {"hello/world": [tag("1.0")], "batch/nightly": [tag("latest")]}
LONGEST = 310
COMPOSE = "docker compose -f deploy/compose/compose.yml "


def test_it_can_be_read_in_one_go() -> None:
    assert len(ENGLISH.text.splitlines()) <= LONGEST
    assert {language for language, _ in ENGLISH.blocks} == {"sh", "yaml", "text", "promql"}


def make_is_ready() -> bool:
    """Whether `make` has nothing to build: it would empty the environment that runs this."""
    stamp = Path(sys.prefix) / ".program"
    argv = ["make", "--question", f"VENV={sys.prefix}", str(stamp)]
    made = (ROOT / "Makefile").exists() and shutil.which("make") and stamp.exists()
    return bool(made) and subprocess.run(argv, cwd=ROOT, check=False).returncode == 0  # noqa: S603 -- fixed words


@pytest.fixture(scope="module")
def transcript(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Walk through the README in a checkout of its own; keep what was seen in build/readme.txt."""
    if not make_is_ready():
        pytest.skip("make would build its environment anew")
    folder = tmp_path_factory.mktemp("walk") / "ncr-exporter"
    left_out = shutil.ignore_patterns(".*", "build", "dist", "tests", "__pycache__")
    shutil.copytree(ROOT, folder, ignore=left_out)
    (folder / ".venv").symlink_to(sys.prefix)
    alone = walkthrough.isolation()
    argv = [*alone, sys.executable, "-m", "tests.support.walkthrough", str(folder)]
    done = subprocess.run(  # noqa: S603 -- what the README prints
        [*argv, *(["--isolated"] if alone else [])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    kept = ROOT / "build" / "readme.txt"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(done.stdout, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_newcomer_gets_through_it_from_top_to_bottom(transcript: str) -> None:
    for command in ENGLISH.commands:
        assert f"$ {command}\n" in transcript or f"# {command}\n" in transcript, command
    ran = [command for command in ENGLISH.commands if f"$ {command}\n" in transcript]
    assert sum(command.startswith("ncr-exporter") for command in ran) == 4
    assert sum(command.startswith("make demo") for command in ran) == 2


def test_a_newcomer_sees_what_is_told(transcript: str) -> None:
    age = re.search(r'last_pulled_age_seconds\{.*image="legacy/report"} (\S+)', transcript)
    assert age
    assert float(age[1]) > 365 * 86400, "nobody noticed"
    for told in ("Status page:", "Configuration:  ncr-exporter-demo.yml", "11 ok\n", "7 images, "):
        assert told in transcript
    assert "ncr-exporter.yml is valid\n" in transcript, "with an account, before anything is asked"
    assert "registry my-registry, kr\n" in transcript
    assert "reason=throttled" in transcript


def test_whatever_is_not_run_has_its_reason() -> None:
    for start in walkthrough.NOT_RUN:
        assert any(command.startswith(start) for command in ENGLISH.commands), start


@pytest.mark.parametrize("command", [("check", "--online"), ("once", "--format=table")])
def test_the_chain_works_with_an_account(command: tuple[str, ...], tmp_path: Path) -> None:
    exported = [words(c)[1].partition("=")[0] for c in ENGLISH.commands if "export NCLOUD" in c]
    environ = dict(zip(exported, (KEYS["access_key"], KEYS["secret_key"]), strict=True))
    assert len(CHAIN.splitlines()) == 3
    with answering(source_of(**IMAGES)) as (_, url):
        file = tmp_path / "ncr-exporter.yml"
        file.write_text(f"{CHAIN}api: {{base_url: '{url}'}}\n")
        done = run(*command, f"--config.file={file}", environ=environ)
        assert (done.returncode, done.stderr) == (0, "")
        assert "hello/world" in done.stdout
        with exporter(file, **environ) as program:
            program.ready()
            assert (
                'ncr_image_tags{registry="my-registry",image="hello/world"} 1' in program.get().text
            )


def test_the_hosts_to_allow_are_those_that_the_program_asks() -> None:
    network = (ROOT / "docs" / "network.md").read_text(encoding="utf-8")
    for text in (ENGLISH.text, KOREAN.text, network):
        for zone, url in ZONES.items():
            row = next(line for line in text.splitlines() if line.startswith(f"| `{zone}` |"))
            assert f"`{url.removeprefix('https://')}`" in row


@pytest.fixture(scope="module")
def scraped() -> Iterator[str]:
    """What the demo publishes."""
    with demo() as program:
        program.ready()
        yield program.get().text


def test_the_ten_lines_are_the_demos(scraped: str) -> None:
    (lines,) = (text.splitlines() for kind, text in ENGLISH.blocks if kind == "text")
    assert len(lines) == 10
    passing = "ncr_image_last_pulled_age_seconds"
    for line in lines:
        series = line.rpartition(" ")[0]
        (found,) = [each for each in scraped.splitlines() if each.startswith(f"{series} ")]
        assert found == line or line.startswith(passing), found


def test_the_numbers_of_the_demo_are_right_within_a_tenth(scraped: str) -> None:
    lines = [line for line in scraped.splitlines() if not line.startswith("#")]
    images = [int(x.rpartition(" ")[2]) for x in lines if x.startswith("ncr_image_tags{")]
    for text in (ENGLISH.text, KOREAN.text):
        row = next(line for line in text.splitlines() if re.search(r"^\| .*460.* \|", line))
        told = [float(x.replace(",", "")) for x in re.findall(r"[\d,]*\d(?:\.\d+)?", row)]
        assert told[0] == len(images)
        seen = [sum(images), len(lines), len(scraped) / 1e6]
        assert told[1:4] == pytest.approx(seen, rel=0.1)


LIMITED = re.compile(r"^\| [^|]*?(?:`sample_limit: (\d+)`)? \| ([\d,]+) \|", re.MULTILINE)
"""A row of the table of sizes: its own limit, if it names one, and the series."""


def test_the_limits_are_enough_for_what_is_told() -> None:
    (job,) = yaml.safe_load(ENGLISH.configuration("scrape_configs"))["scrape_configs"]
    for text in (ENGLISH.text, KOREAN.text):
        rows = re.findall(
            r"^\| [^|]*?(?:`sample_limit: (\d+)`)? \| ([\d,]+) \|", text, re.MULTILINE
        )
        assert len(rows) == 4
        for limit, series in rows:
            assert int(series.replace(",", "")) < int(limit or job["sample_limit"])


def queries() -> list[str]:
    """The questions people ask, as Prometheus takes them."""
    (text,) = (text for kind, text in ENGLISH.blocks if kind == "promql")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.prometheus
def test_prometheus_answers_the_three_questions() -> None:
    asked = queries()
    assert len(asked) == 3
    with demo() as program, RunningPrometheus(job("ncr", program.address)) as prometheus:
        idle, freed, stale = (prometheus.wait_for(query) for query in asked)
    assert {each["metric"]["image"] for each in idle} == {"legacy/report"}
    assert {each["metric"]["registry"] for each in freed} == {"demo-registry", "demo-base"}
    assert 0 < len(stale) <= 10
    assert all(each["metric"]["tag"] for each in stale)


MINUTES = tuple(
    Readme((ROOT / "docs" / name).read_text(encoding="utf-8"))
    for name in ("first-minutes.md", "first-minutes.ko.md")
)
IN_KOREAN = {"README.md", "../README.md", "first-minutes.md", "docs/first-minutes.md"}
"""Links to what there is in both languages."""


@pytest.mark.parametrize(("english", "korean"), [(ENGLISH, KOREAN), MINUTES])
def test_both_languages_have_the_same_outline_blocks_code_and_links(
    english: Readme, korean: Readme
) -> None:
    assert korean.blocks == english.blocks
    assert korean.levels == english.levels
    assert korean.code == english.code
    assert sorted(map(other_language, outside(korean))) == sorted(outside(english))


def outside(document: Readme) -> list[str]:
    """Return the links that lead out of a document."""
    return [link for link in document.links if not link.startswith("#")]


def other_language(link: str) -> str:
    """Return the link to the same in the other language, or the link itself."""
    if link.endswith(".ko.md"):
        return link.replace(".ko.md", ".md")
    return link.replace(".md", ".ko.md") if link in IN_KOREAN else link


def test_docker_gives_the_image_what_the_configuration_names() -> None:
    config = ENGLISH.configuration("credentials")
    (command,) = (command for command in ENGLISH.commands if command.startswith("docker run"))
    given = words(command)
    assert given[-1] == f"ncr-exporter:{__version__}"
    mounts = [given[at + 1].split(":") for at, word in enumerate(given) if word == "-v"]
    places = {place for _, place, mode in mounts if mode == "ro"}
    (key,) = re.findall(r"secret_key_file: (\S+)", config)
    assert places == {"/etc/ncr-exporter/ncr-exporter.yml", key}
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "\nWORKDIR /etc/ncr-exporter\n" in dockerfile
    passed = [given[at + 1] for at, word in enumerate(given) if word == "-e"]
    assert passed == re.findall(r"\$\{(\w+)\}", config)
    assert given[given.index("-p") + 1] == f"{deployed.PORT}:{deployed.PORT}"


def test_the_containers_user_is_the_one_that_gets_the_key() -> None:
    (user,) = re.findall(r"^USER (\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    (owner,) = (words(command) for command in ENGLISH.commands if "chown" in command)
    assert owner[2] == user
    (mounted,) = re.findall(r"-v \./(\S+):/run", " ".join(ENGLISH.commands))
    assert owner[3] == mounted


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


def test_systemd_is_set_up_as_its_manual_says_with_two_files_to_edit() -> None:
    manual = Readme((deployed.DEPLOY / "README.md").read_text(encoding="utf-8"))
    (steps,) = (text for _, text in ENGLISH.blocks if "systemctl" in text)
    assert ("sh", steps) in manual.blocks
    edited = ["deploy/systemd/ncr-exporter.yml", "deploy/systemd/ncr-exporter.env"]
    for text in (ENGLISH.text, KOREAN.text):
        assert re.findall(r"`(deploy/systemd/[\w.-]+)`", text) == edited
    assert all(name in steps for name in edited)


def test_the_compose_file_is_there() -> None:
    (command,) = (command for command in ENGLISH.commands if command.startswith(COMPOSE))
    assert (ROOT / words(command)[3]).exists(), "test_deploy_compose has compose read it"


def test_the_number_of_alerts_is_the_one_named() -> None:
    rules = (deployed.DEPLOY / "prometheus" / "rules").glob("*.yml")
    alerts = sum(len(re.findall(r"^ *- alert:", file.read_text(), re.MULTILINE)) for file in rules)
    for text in (ENGLISH.text, KOREAN.text):
        assert re.search(rf"\b{alerts}(?= alerts|개)", text)
