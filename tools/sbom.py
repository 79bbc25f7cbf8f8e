"""`make sbom`: the bill of materials of what pip installs with the program, as CycloneDX."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ncr_exporter import __version__
from tools.dependencies import distributions
from tools.dist import DIST, ROOT, dated, wheel_in

FILE = ROOT / "build" / f"ncr-exporter-{__version__}.cdx.json"


def main() -> int:
    """Install the wheel of dist/ with its lock, by themselves, and write down what is there."""
    with tempfile.TemporaryDirectory(prefix="sbom-") as name:
        bill = described(environment(Path(name) / "venv", wheel_in(DIST)))
    bill["metadata"]["component"] |= {
        "version": __version__,
        "purl": f"pkg:pypi/ncr-exporter@{__version__}",
    }
    see_that_the_lock_is_in(bill)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{FILE.relative_to(ROOT)}\n")
    return 0


def environment(venv: Path, wheel: Path) -> Path:
    """Make an environment of the wheel and what it runs with, and return its Python."""
    run(sys.executable, "-m", "venv", "--without-pip", str(venv))
    python = venv / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--no-input")
    lock = ROOT / "requirements" / "runtime.txt"
    run(*pip, "install", "--require-hashes", "-r", str(lock))
    run(*pip, "install", "--no-deps", "--no-index", str(wheel))
    return python


def described(python: Path) -> dict[str, Any]:
    """Return what cyclonedx-py, which validates what it writes, finds in an environment."""
    program = shutil.which("cyclonedx-py", path=str(Path(sys.executable).parent))
    if program is None:
        raise SystemExit("needs cyclonedx-py: `make sbom` gets it")
    project = ("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application")
    said = run(program, "environment", *project, "--output-reproducible", str(python))
    bill: dict[str, Any] = json.loads(said)
    return bill


def see_that_the_lock_is_in(bill: dict[str, Any]) -> None:
    """Compare names: an environment that held more, or less, would describe something else."""
    found = {normal(component["name"]) for component in bill["components"]}
    if different := found ^ {normal(locked.name) for locked in distributions()}:
        raise SystemExit(f"the lock and the bill differ in {', '.join(sorted(different))}")


def normal(name: str) -> str:
    """Return a distribution's name as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def run(*command: str) -> str:
    """Return what a command prints."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=dated())  # noqa: S603 -- our own words
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
