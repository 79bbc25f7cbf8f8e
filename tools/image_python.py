"""Run the tests of TLS and of the API's client on the Python of the image, where it can be had.

What Python itself decides differs between its versions: which certificates it trusts, for one. The
image has one Python, and who works on the program mostly another.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.getting import say

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-image"
LOCKS = ("requirements/runtime.txt", "requirements/dev.txt")
TESTS = (
    "tests/unit/ncr/test_authorities.py",
    "tests/unit/ncr/test_body.py",
    "tests/unit/ncr/test_client.py",
    "tests/unit/ncr/test_proxies.py",
    "tests/unit/ncr/test_server_role.py",
    "tests/unit/ncr/test_transport.py",
    "tests/unit/httpd/webconfig/test_load.py",
    "tests/unit/cli/test_health.py",
)
_TELL_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
_VERSION = re.compile(r"^ARG PYTHON_VERSION=(\S+)$", re.MULTILINE)


def version_of_image() -> str:
    """Return the version of the image's Python, such as 3.13."""
    match = _VERSION.search((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    if match is None:
        raise ValueError("the Dockerfile has no ARG PYTHON_VERSION")
    return match[1]


def find_python(version: str) -> Path | None:
    """Return a Python of this version that runs: of the PATH, or one that pyenv has; else None."""
    for path in _candidates(version):
        if _version_of(path) == version:
            return path
    return None


def _candidates(version: str) -> Iterator[Path]:
    if found := shutil.which(f"python{version}"):
        yield Path(found)
    pyenv = shutil.which("pyenv")
    if pyenv is not None:  # what it puts on the PATH runs only versions that were chosen
        root = Path(_output(pyenv, "root"))
        yield from sorted(root.glob(f"versions/{version}*/bin/python"), reverse=True)


def _version_of(python: Path) -> str:
    return _output(str(python), "-c", _TELL_VERSION)


def _output(*command: str) -> str:
    """Return what a command prints; nothing where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 -- paths of this host
    return done.stdout.strip()


def main() -> int:
    """Run the tests; return the exit code, which is 0 where that Python cannot be had."""
    version = version_of_image()
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        say(f"Python {version}, that of the image, runs all tests: nothing to repeat.")
        return 0
    python = find_python(version)
    if python is None:
        say(f"Python {version}, that of the image, cannot be had here: no test was run on it.")
        return 0
    return _run_tests(_environment_of(python), version)


def _environment_of(python: Path) -> Path:
    """Make an environment with what the locks name, and return its Python."""
    uv, inside = shutil.which("uv", path=str(Path(sys.executable).parent)), ENVIRONMENT / "bin"
    if uv is None:
        raise FileNotFoundError("uv is missing: make venv")
    _must_run(uv, "venv", "--quiet", "--clear", f"--python={python}", str(ENVIRONMENT))
    locks = [f"--requirements={ROOT / lock}" for lock in LOCKS]
    python = inside / "python"
    _must_run(uv, "pip", "install", "--quiet", "--require-hashes", f"--python={python}", *locks)
    return python


def _run_tests(python: Path, version: str) -> int:
    say(f"The tests of TLS and of the API's client on Python {version}, that of the image:")
    flags = ("-q", "-n", "2", "-p", "no:cacheprovider")
    tests = sys.argv[1:] or TESTS
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(python), "-m", "pytest", *flags, *tests]
    return subprocess.run(command, cwd=ROOT, check=False, env=environ).returncode  # noqa: S603 -- our own tests


def _must_run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 -- uv of this environment


if __name__ == "__main__":
    sys.exit(main())
