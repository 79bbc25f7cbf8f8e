"""`make check-package`: the tests against the wheel, where the source of the program is not."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.dist import DIST, ROOT, build, wheel_in

SOURCE = "ncr_exporter"
_NOT_COPIED = (SOURCE, ".*", "build", "dist", "__pycache__")
# These read the source itself or build it, or read what is not of the package.
_LEFT_OUT = (
    *("docs/test_documents.py", "docs/test_house.py", "deploy/test_image.py"),
    *("tools/test_package.py", "tools/test_release.py", "tools/test_workflows.py"),
)
_PYTEST = ("-p", "no:cacheprovider", "-n", "auto", "--maxprocesses=4", "--dist=worksteal")


def main(argv: Sequence[str]) -> int:
    """Build a wheel, unless there is one to test, and return the exit code of its tests."""
    parser = argparse.ArgumentParser(prog="check_package", description=__doc__)
    parser.add_argument("--dist", type=Path, help="test the wheel in here instead of a new one")
    options, pytest = parser.parse_known_args(argv)
    wheel = (wheel_in(options.dist) if options.dist else build(DIST)).resolve()
    with tempfile.TemporaryDirectory(prefix="check-package-") as name:
        home = tree_without_source(Path(name) / "home")
        python = installed(wheel, Path(name) / "venv")
        _see_that_the_wheel_is_what_runs(python, home)
        left_out = [f"--ignore=tests/{test}" for test in _LEFT_OUT]
        return subprocess.run(  # noqa: S603 -- our own words
            [python, "-m", "pytest", *_PYTEST, *left_out, *pytest],
            cwd=home,
            check=False,
        ).returncode


def tree_without_source(directory: Path) -> Path:
    """Copy what tests read beside the program; the tools they need stay where they are."""
    shutil.copytree(ROOT, directory, ignore=shutil.ignore_patterns(*_NOT_COPIED), symlinks=True)
    if (ROOT / ".cache").exists():
        (directory / ".cache").symlink_to(ROOT / ".cache")
    return directory


def installed(wheel: Path, venv: Path) -> str:
    """Install the wheel with the locked distributions, and return the Python that has it."""
    _run(sys.executable, "-m", "venv", str(venv))
    python = str(venv / "bin" / "python")
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")
    locks = [f"-r{ROOT / 'requirements' / lock}.txt" for lock in _locks()]
    _run(*pip, "install", "--require-hashes", *locks)
    _run(*pip, "install", "--no-deps", "--no-index", str(wheel))
    _run(*pip, "check")
    return python


def _locks() -> tuple[str, ...]:
    """Return the locks; the last only where `make deploy-tools` could install it."""
    deploy = ("deploy",) if (Path(sys.prefix) / ".deploy").exists() else ()
    return ("runtime", "dev", "build", *deploy)


def _see_that_the_wheel_is_what_runs(python: str, home: Path) -> None:
    code = f"import {SOURCE}; print({SOURCE}.__file__)"
    place = subprocess.run(  # noqa: S603 -- our own words
        [python, "-c", code], cwd=home, check=True, capture_output=True, text=True
    ).stdout
    if "site-packages" not in place:
        raise SystemExit(f"the program came from {place.strip()}, not from the wheel")
    sys.stdout.write(f"testing {place}")
    sys.stdout.flush()


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 -- our own words


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
