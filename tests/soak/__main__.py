"""`python -m tests.soak --minutes 5 --seed 7`: exit 0 where nothing grew and all was right."""

import argparse
import asyncio
import sys
from pathlib import Path

from tests.soak.report import report
from tests.soak.run import soak

_ROOT = Path(__file__).parents[2]


def main() -> int:
    """Soak, write the report, and return the exit code."""
    parser = argparse.ArgumentParser("make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (5)")
    parser.add_argument("--seed", type=int, default=7, help="what happens follows from it (7)")
    parser.add_argument("--output", type=Path, default=_ROOT / "build" / "soak.md")
    given = parser.parse_args()
    call = f'make soak ARGS="--minutes {given.minutes:g} --seed {given.seed}"'
    given.output.parent.mkdir(parents=True, exist_ok=True)
    log = given.output.with_suffix(".log")
    found = asyncio.run(soak(given.seed, given.minutes * 60, call=call, log=log))
    text = report(found)
    given.output.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0 if found.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
