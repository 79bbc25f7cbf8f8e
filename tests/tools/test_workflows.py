"""The workflows of .github/: their linters, and what is promised of them beyond those."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.deployed import ROOT, program, run

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in WORKFLOWS}
# What others can put words into, and a shell would take for commands.
NO_WORDS_OF_OTHERS = re.compile(r"\$\{\{")
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")

Job = dict[str, Any]


def jobs() -> Iterator[tuple[str, Job]]:
    for name, text in TEXTS.items():
        for key, job in yaml.safe_load(text)["jobs"].items():
            yield f"{name}: {key}", job


JOBS = dict(jobs())
STEPS = [(name, step) for name, job in JOBS.items() for step in job["steps"]]


@pytest.fixture(params=JOBS, ids=str)
def job(request: pytest.FixtureRequest) -> Job:
    return JOBS[request.param]


def test_both_are_there() -> None:
    assert set(TEXTS) == {"ci.yml", "release.yml"}


def test_actionlint_finds_no_fault_in_them_nor_shellcheck_in_their_steps() -> None:
    shellcheck = program("shellcheck")
    assert run("actionlint", "-no-color", "-shellcheck", shellcheck, *map(str, WORKFLOWS)) == ""


def test_zizmor_finds_no_way_in() -> None:
    audit = ("--offline", "--persona=pedantic", "--strict-collection", "--no-progress")
    said = run("zizmor", *audit, "--color=never", str(ROOT / ".github"))
    assert "No findings to report." in said


def test_each_action_is_the_commit_that_its_version_was_when_it_was_looked_at() -> None:
    lines = [line for text in TEXTS.values() for line in text.splitlines() if "uses:" in line]
    assert len(lines) > 10
    assert [line for line in lines if not PINNED.search(line)] == []


def test_one_action_has_one_version() -> None:
    found = set(re.findall(r"uses: (\S+)@(\w+)", "".join(TEXTS.values())))
    assert len(found) == len({name for name, _ in found})


def test_nothing_is_allowed_that_a_job_does_not_ask_for(job: Job) -> None:
    assert all(yaml.safe_load(text)["permissions"] == {} for text in TEXTS.values())
    assert job["permissions"]
    if "write" in job["permissions"].values():
        assert "container" not in job, "a tag that moves must not hold a right"


def test_no_job_runs_for_hours(job: Job) -> None:
    assert job["timeout-minutes"] <= 45


def test_pull_requests_get_no_right_to_write() -> None:
    found = yaml.safe_load(TEXTS["ci.yml"])
    # YAML 1.1 takes `on` for true.
    assert set(found[True]) == {"push", "pull_request"}
    assert {right for job in found["jobs"].values() for right in job["permissions"].values()} == {
        "read"
    }


def test_every_python_that_is_promised_is_tested_and_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    for name in ("ci.yml: test", "release.yml: test"):
        assert JOBS[name]["strategy"]["matrix"]["python"] == named
        assert JOBS[name]["container"] == "python:${{ matrix.python }}-bookworm"


def test_the_tested_wheel_is_the_published_one() -> None:
    taken = {
        name: step["with"]["name"]
        for name, step in STEPS
        if "download-artifact" in step.get("uses", "") and step["with"].get("path") == "dist"
    }
    assert taken == dict.fromkeys(
        ["release.yml: test", "release.yml: pypi", "release.yml: publish"], "dist"
    )
    made = [name for name, step in STEPS if step.get("with", {}).get("path") == "dist/"]
    assert made == ["release.yml: build"]


def test_nothing_is_published_before_it_was_tested() -> None:
    def before(key: str) -> set[str]:
        needs = JOBS[f"release.yml: {key}"].get("needs", [])
        direct = {needs} if isinstance(needs, str) else set(needs)
        return direct.union(*map(before, direct))

    for key in ("image", "chart", "pypi", "publish"):
        assert {"build", "test"} <= before(key)
    assert before("publish") == {"build", "test", "image", "chart", "pypi"}


@pytest.mark.parametrize(("name", "step"), STEPS, ids=lambda found: found if found is str else "")
def test_no_shell_reads_words_of_others_or_a_secret(name: str, step: Job) -> None:
    words = step.get("run", "")
    assert not NO_WORDS_OF_OTHERS.search(words), f"{name}: hand it on in env"
    assert not re.search(r"TOKEN|secrets\.", words), f"{name}: a command line is no place for it"


def test_every_target_that_they_make_is_there() -> None:
    made = {
        target
        for _, step in STEPS
        for call in re.findall(r"(?:make|\.ci/run) ([a-z -]+)", step.get("run", ""))
        for target in call.split()
    }
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert made >= {"check-package", "check-image", "check-cluster", "chart", "sbom"}
    assert {target for target in made if not re.search(f"^{target}:", makefile, re.MULTILINE)} == (
        set()
    )
