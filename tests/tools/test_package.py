"""What is in the wheel, what is not, and what it says of itself."""

import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from ncr_exporter import __version__

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "ncr_exporter"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    directory = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(argv, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 -- fixed words
    (path,) = directory.iterdir()
    assert path.name == f"ncr_exporter-{__version__}-py3-none-any.whl"
    return zipfile.ZipFile(path)


def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    return message_from_bytes(wheel.read(name))


def test_the_wheel_holds_the_whole_program_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    files = [path for path in SOURCE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    source = {str(path.relative_to(ROOT)) for path in files}
    assert {"ncr_exporter/py.typed", "ncr_exporter/config/schema.json"} < source
    information = f"ncr_exporter-{__version__}.dist-info/"
    held = {name for name in wheel.namelist() if not name.startswith(information)}
    assert held == source


def test_it_says_of_itself_what_an_index_and_pip_ask(wheel: zipfile.ZipFile) -> None:
    told = metadata(wheel)
    assert told["Name"] == "ncr-exporter"
    assert told["Version"] == __version__
    assert told["License-Expression"] == "Apache-2.0"
    assert told["Requires-Python"] == ">=3.11"
    assert "Typing :: Typed" in told.get_all("Classifier", [])
    assert str(told.get_payload()).startswith("# ncr-exporter")
    names = wheel.namelist()
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    (entries,) = (name for name in names if name.endswith("/entry_points.txt"))
    assert b"[console_scripts]\nncr-exporter = ncr_exporter.cli.main:run" in wheel.read(entries)


def test_it_asks_for_what_pyproject_names(wheel: zipfile.ZipFile) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[<>=!~ ;\[]", each)[0] for each in requirements}

    assert names(metadata(wheel).get_all("Requires-Dist", [])) == names(project["dependencies"])


def test_the_version_stands_in_one_place_and_its_copies_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    pattern = re.compile(r"(?:ncr-exporter:|newTag: |[vV]ersion: )(\d+\.\d+\.\d+)")
    texts = [path.read_text(encoding="utf-8") for path in copies()]
    found = [version for text in texts for version in pattern.findall(text)]
    assert len(found) > 5
    assert set(found) == {__version__}


def copies() -> list[Path]:
    deploy = [*(ROOT / "deploy").rglob("*.md"), *(ROOT / "deploy").rglob("*.y*ml")]
    return [path for path in deploy if "alertmanager" not in path.parts] + [*ROOT.glob("*.md")]


def test_the_changelog_tells_of_this_version_first() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[?([\w.]+)", changelog, re.MULTILINE)[0] == __version__
