"""What a release needs to know: whether a tag is the version's, and what the changelog says of it.

python -m tools.release check v1.2.3
python -m tools.release notes
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ncr_exporter import __version__

ROOT = Path(__file__).resolve().parents[1]
_HEADING = re.compile(r"^## \[(?P<version>[^]]+)\] - (?P<moment>\S+)\n", re.MULTILINE)


class NotReadyError(Exception):
    """Why this must not be released; a sentence."""


def main(argv: Sequence[str]) -> int:
    """Check a tag, or print the notes; 1 where something speaks against a release."""
    parser = argparse.ArgumentParser(prog="release", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="is the tag this version's?").add_argument("tag")
    commands.add_parser("notes", help="print the changelog's section")
    options = parser.parse_args(argv)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    try:
        if options.command == "check":
            check(options.tag, __version__, changelog)
            see_that_pypi_leads_home(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))
        else:
            sys.stdout.write(f"{section(changelog, __version__)[1]}\n")
    except NotReadyError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def check(tag: str, version: str, changelog: str) -> None:
    """See that a tag may be released; raises NotReadyError."""
    if tag != f"v{version}":
        raise NotReadyError(f"the tag is {tag}, and __version__ says {version}")
    moment, notes = section(changelog, version)
    try:
        date.fromisoformat(moment)
    except ValueError:
        raise NotReadyError(f"CHANGELOG.md has no date for {version}: {moment}") from None
    if not notes:
        raise NotReadyError(f"CHANGELOG.md says nothing of {version}")


def see_that_pypi_leads_home(pyproject: Mapping[str, Any]) -> None:
    """See that the package's page can name where its source is; raises NotReadyError."""
    if "Source" not in pyproject["project"].get("urls", {}):
        raise NotReadyError("pyproject.toml has no Source in [project.urls]: see docs/releasing.md")


def section(changelog: str, version: str) -> tuple[str, str]:
    """Return the date of a version, as written, and what is said of it; raises NotReadyError."""
    headings = list(_HEADING.finditer(changelog))
    for heading in headings:
        if heading["version"] == version:
            rest = changelog[heading.end() :]
            following = re.search(r"^(?:## |\[[^]]+\]: )", rest, re.MULTILINE)
            return heading["moment"], rest[: following.start() if following else None].strip()
    raise NotReadyError(f"CHANGELOG.md has no section for {version}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
