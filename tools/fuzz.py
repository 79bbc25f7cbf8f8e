"""Searches for long what `make test` looks at briefly: every property, again and again.

Each run is a process of its own with a seed of its own, so that no property can spoil another, and
the seed repeats what was found. A property that failed is not run again.
"""

import argparse
import os
import random
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_LONGEST_RUN = 900.0  # seconds
_PASSING = re.compile(r"(\d+) passing")
_HOW_TO_KEEP = """\
The example found is in .hypothesis, too, and tried first by each run with that profile. To keep it
for good write it as an @example, or as a test of its own."""


class Run(NamedTuple):
    """One property, searched once."""

    nodeid: str
    seed: int
    output: str
    failed: bool

    @property
    def examples(self) -> int:
        """How many examples it tried; 0 where it does not tell, as those over a socket do not."""
        return sum(map(int, _PASSING.findall(self.output)))


@dataclass
class Search:
    """What was done, and what was found."""

    examples_per_run: int
    runs: list[Run] = field(default_factory=list)

    def run(self, nodeid: str) -> Run:
        """Search one property with fresh randomness."""
        seed = random.randrange(2**32)  # noqa: S311 -- chooses examples, guards nothing
        words = [*_command(nodeid, seed), "--hypothesis-show-statistics"]
        environ = {**os.environ, "FUZZ_EXAMPLES": str(self.examples_per_run)}
        try:
            done = subprocess.run(  # noqa: S603 -- this Python, with arguments of our own
                words,
                env=environ,
                timeout=_LONGEST_RUN,
                capture_output=True,
                check=False,
            )
            output, failed = done.stdout + done.stderr, done.returncode != 0
        except subprocess.TimeoutExpired as error:
            output, failed = (error.stdout or b"") + b"\nhangs\n", True
        run = Run(nodeid, seed, output.decode(errors="replace"), failed)
        self.runs.append(run)
        return run

    @property
    def failures(self) -> list[Run]:
        """The runs that found something."""
        return [run for run in self.runs if run.failed]

    def report(self, seconds: float) -> Iterator[str]:
        """Yield what was done, and how to repeat what failed."""
        searched = {run.nodeid for run in self.runs}
        examples = sum(run.examples for run in self.runs)
        done = f"{len(searched)} properties, {len(self.runs)} runs, {examples:,} examples counted"
        yield f"{done} in {seconds:.0f} s: {len(self.failures)} failed"
        for run in self.failures:
            words = ["FUZZ_EXAMPLES=" + str(self.examples_per_run), *_command(run.nodeid, run.seed)]
            yield f"  {run.nodeid}\n    repeat: {shlex.join(words)}"
        if self.failures:
            yield _HOW_TO_KEEP


def _command(nodeid: str, seed: int) -> list[str]:
    profile = ["--hypothesis-profile=fuzz", f"--hypothesis-seed={seed}"]
    return [sys.executable, "-m", "pytest", "-q", *profile, nodeid]


def properties(tests: Sequence[str], words: str) -> list[str]:
    """Return the node ids of the properties in some files, those whose names match `words`."""
    collect = ["-q", "--collect-only", "-m", "hypothesis", "-k", words, *tests]
    command = [sys.executable, "-m", "pytest", *collect]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- as above
    nodeids = [line for line in found.stdout.splitlines() if "::" in line]
    if not nodeids:
        raise SystemExit(f"no property found\n{found.stdout}{found.stderr}")
    return nodeids


def search(nodeids: Sequence[str], seconds: float, examples: int) -> Search:
    """Run properties round after round until time is up, or all have failed."""
    found, ends = Search(examples), time.monotonic() + seconds
    left = list(nodeids)
    while left:
        for nodeid in random.sample(
            left, len(left)
        ):  # a round cut short leaves out others each time
            if time.monotonic() >= ends:
                return found
            run = found.run(nodeid)
            if run.failed:
                left.remove(nodeid)
                sys.stdout.write(f"{run.output}\n")
            sys.stdout.write(f"{'FAILED' if run.failed else 'ok'}  {run.examples:6} {nodeid}\n")
            sys.stdout.flush()
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Search as long as asked; return 1 where something was found."""
    arguments = _parser().parse_args(argv)
    nodeids, started = properties(arguments.tests, arguments.k), time.monotonic()
    found = search(nodeids, arguments.seconds, arguments.examples)
    sys.stdout.write("\n".join(found.report(time.monotonic() - started)) + "\n")
    return 1 if found.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="a run begun is finished")
    parser.add_argument("--examples", type=int, default=1000, help="of each property in each run")
    parser.add_argument(
        "-k", default="", help="only properties whose names match, as pytest has it"
    )
    parser.add_argument("tests", nargs="*", default=["tests"], help="files or node ids")
    return parser


if __name__ == "__main__":
    sys.exit(main())
