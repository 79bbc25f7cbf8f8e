"""What getting a program for the tests has in common, whichever it is.

Where one cannot be had, one sentence says why, and only CI takes that for a failure.
"""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

APT_OPTIONS = (
    *("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=30"),
    *("-o", "DPkg::Lock::Timeout=120"),
)


class CannotGetError(Exception):
    """Why something cannot be had here, as the end of a sentence."""


def must_have_tools() -> bool:
    """Whether doing without is a failure, as it is in CI."""
    return os.environ.get("CI", "").lower() == "true"


def get(name: str, get_it: Callable[[], Path | None]) -> int:
    """Get something and say in one line what came of it; None is for what was there already."""
    try:
        if place := get_it():
            say(f"{name} is ready: {place}")
    except (CannotGetError, OSError) as error:
        say(f"{name} cannot be had here: {error}")
        return 1 if must_have_tools() else 0
    return 0


@dataclass(frozen=True)
class Commands:
    """Runs programs, all of them within one deadline."""

    deadline: float

    def run(self, *command: str, directory: Path) -> None:
        """Run one; whatever goes wrong becomes a `CannotGetError`."""
        program = Path(command[0]).name
        try:
            subprocess.run(  # noqa: S603 - fixed words, no shell
                command,
                cwd=directory,
                env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=True,
                timeout=max(1.0, self.deadline - time.monotonic()),
            )
        except subprocess.TimeoutExpired as error:
            raise CannotGetError(f"{program}: not done in time.") from error
        except subprocess.CalledProcessError as error:
            said = error.stdout.strip().splitlines() or ["no reason given"]
            raise CannotGetError(f"{program} failed: {said[-1]}") from error


def say(sentence: str) -> None:
    """Tell the person who ran this."""
    print(sentence, flush=True)  # noqa: T201 - a command's answer
