"""`make dist`: the source distribution and the wheel, the same bytes whoever builds a commit."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"


def main() -> int:
    """Build both into dist/, and see that the wheel is what the source distribution makes."""
    wheel = build(DIST)
    if made_from(source_in(DIST)) != wheel.read_bytes():
        raise SystemExit("the source distribution makes another wheel: what does it lack?")
    return 0


def build(directory: Path) -> Path:
    """Write both into a directory, which is emptied before, and return the wheel."""
    shutil.rmtree(directory, ignore_errors=True)
    hatchling(directory, ROOT)
    return wheel_in(directory)


def wheel_in(directory: Path) -> Path:
    """Return the only wheel there; raises ValueError where there is another number of them."""
    (wheel,) = directory.glob("*.whl")
    return wheel


def source_in(directory: Path) -> Path:
    """Return the only source distribution there, likewise."""
    (source,) = directory.glob("*.tar.gz")
    return source


def made_from(source: Path) -> bytes:
    """Return the wheel that a source distribution makes."""
    with tempfile.TemporaryDirectory(prefix="made-from-") as name:
        # tarfile cannot be told how far to trust it, the same way on 3.11.0 and on 3.14.
        unpack = ("tar", "-xf", str(source), "-C", name)
        subprocess.run(unpack, check=True)  # noqa: S603 -- our own words
        (tree,) = Path(name).iterdir()
        hatchling(Path(name) / "dist", tree, "-t", "wheel")
        return wheel_in(Path(name) / "dist").read_bytes()


def hatchling(directory: Path, tree: Path, *options: str) -> None:
    """Build a tree."""
    command = (sys.executable, "-m", "hatchling", "build", "-d", str(directory), *options)
    subprocess.run(command, cwd=tree, env=dated(), check=True)  # noqa: S603 -- our own words


def dated() -> dict[str, str]:
    """Return the environment in which a tool takes the last commit's time for the present."""
    return {"SOURCE_DATE_EPOCH": moment_of_last_commit(), **os.environ}


def moment_of_last_commit() -> str:
    """Return seconds since 1970; outside a repository those of 1980, the first that ZIP knows."""
    git = ("git", "log", "-1", "--format=%ct")
    try:
        done = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 -- our own words
    except (OSError, subprocess.CalledProcessError):
        return "315532800"
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
