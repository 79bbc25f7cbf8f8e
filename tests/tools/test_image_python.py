"""The tests on the image's Python: which Python that is, and where it is looked for."""

import sys
from pathlib import Path

import pytest

from tools import image_python
from tools.image_python import LOCKS, ROOT, TESTS, find_python, version_of_image

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def script(directory: Path, name: str, content: str) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{content}\n")
    path.chmod(0o755)
    return path


def test_the_images_python_is_the_one_that_the_dockerfile_names() -> None:
    assert f"FROM python:{version_of_image()}" in (ROOT / "Dockerfile").read_text().replace(
        "${PYTHON_VERSION}", version_of_image()
    )


@pytest.mark.parametrize("name", [*LOCKS, *TESTS])
def test_what_it_needs_and_runs_is_there(name: str) -> None:
    assert (ROOT / name).is_file()


def test_a_python_on_the_path_is_found_if_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_python(HERE) is None
    broken = script(tmp_path, f"python{HERE}", "exit 127")
    assert find_python(HERE) is None
    broken.unlink()
    working = script(tmp_path, f"python{HERE}", f'exec "{sys.executable}" "$@"')
    assert find_python(HERE) == working


def test_a_python_of_pyenv_is_found_though_it_is_not_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    script(tmp_path, f"python{HERE}", "exit 127")
    script(tmp_path, "pyenv", f"echo {tmp_path}")
    run = f'exec "{sys.executable}" "$@"'
    python = script(tmp_path, f"versions/{HERE}.7/bin/python", run)
    assert find_python(HERE) == python


def test_where_it_cannot_be_had_a_sentence_says_so_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(image_python, "version_of_image", lambda: "9.9")
    assert image_python.main() == 0
    assert "9.9, that of the image, cannot be had here" in "".join(capsys.readouterr())
