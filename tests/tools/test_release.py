"""Whether a tag may be released, what its page says, and that two builds are the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import dist
from tools.release import NotReadyError, check, section, see_that_pypi_leads_home

CHANGELOG = """\
# Changelog

Words before.

## [1.1.0] - unreleased

### Added

- Something to come.

## [1.0.0] - 2026-11-25

### Fixed

- A tag's [size](docs/metrics.md).

## [0.1.0] - 2026-10-01
"""


def test_a_tag_of_the_version_with_a_dated_section_may_be_released() -> None:
    check("v1.0.0", "1.0.0", CHANGELOG)


@pytest.mark.parametrize(
    ("tag", "version", "why"),
    [
        ("v1.0.1", "1.0.0", "the tag is v1.0.1, and __version__ says 1.0.0"),
        ("1.0.0", "1.0.0", "the tag is 1.0.0, and __version__ says 1.0.0"),
        ("v1.1.0", "1.1.0", "CHANGELOG.md has no date for 1.1.0: unreleased"),
        ("v2.0.0", "2.0.0", "CHANGELOG.md has no section for 2.0.0"),
        ("v0.1.0", "0.1.0", "CHANGELOG.md says nothing of 0.1.0"),
    ],
    ids=lambda word: word if word.startswith("v") else "",
)
def test_what_speaks_against_a_release_is_said(tag: str, version: str, why: str) -> None:
    with pytest.raises(NotReadyError) as raised:
        check(tag, version, CHANGELOG)
    assert str(raised.value) == why


def test_a_package_that_says_nowhere_where_its_source_is_may_not_be_released() -> None:
    see_that_pypi_leads_home({"project": {"urls": {"Source": "https://git.example/it"}}})
    with pytest.raises(NotReadyError, match=r"no Source in \[project\.urls\]"):
        see_that_pypi_leads_home({"project": {}})


def test_the_notes_are_the_section_without_its_heading() -> None:
    assert section(CHANGELOG, "1.0.0")[1] == ("### Fixed\n\n- A tag's [size](docs/metrics.md).")


def test_it_is_a_command_that_says_why_not() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.release", "check", "v0.0.0"],
        cwd=dist.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("the tag is v0.0.0, and __version__ says ")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("built")
    dist.build(directory)
    return directory


def test_the_source_distribution_makes_the_same_wheel_elsewhere_later(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Seoul")
    before = os.umask(0o077)
    try:
        assert dist.made_from(dist.source_in(built)) == dist.wheel_in(built).read_bytes()
    finally:
        os.umask(before)
