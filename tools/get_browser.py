#!/usr/bin/env python3
"""Install Debian's Chromium for the tests, with a font, where it is missing and root may."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

from tools.getting import APT_OPTIONS, CannotGetError, Commands, get

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-dejavu-core", "libatomic1")
"""The last for playwright's own node, which does not bring it."""
TIME_LIMIT = 480.0
"""Seconds for everything together."""


def find_browser() -> Path | None:
    """The browser on the PATH, or None."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


def main() -> int:
    """Get it where it is missing."""
    return get("Chromium", lambda: None if find_browser() else install())


def install() -> Path:
    """Have apt install it, and see that it runs."""
    if shutil.which("apt-get") is None:
        raise CannotGetError("apt-get is missing, and only Debian's packages are known here.")
    if os.geteuid() != 0:
        raise CannotGetError("only root may install it: apt-get install chromium")
    commands, here = Commands(deadline=time.monotonic() + TIME_LIMIT), Path.cwd()
    quiet = ("apt-get", "-qq", "-y", *APT_OPTIONS)
    commands.run(*quiet, "update", directory=here)
    commands.run(*quiet, "install", "--no-install-recommends", *PACKAGES, directory=here)
    program = find_browser()
    if program is None:
        raise CannotGetError("apt-get installed it, and it is not on the PATH.")
    commands.run(str(program), "--version", directory=here)
    return program


if __name__ == "__main__":
    sys.exit(main())
