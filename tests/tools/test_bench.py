"""Every comparison of `bench/` runs, with sizes so small that it tells nothing but that."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BRIEFLY = {
    "large": (
        "--images 20 --registries 2 --tags 5 --interval 1 --latency 0",
        (
            r"first round: .*\n    .* 20 tag_list\)\na quiet round.*\n(.*\n)+restart: .*\n(.*\n)+"
            r"a round of lists at 5 requests a second: .*\n"
        ),
    ),
    "memory": ("--series 200 --polls 5", r"\d+ series .* bytes a series\n( +\d polls .*\n){6}"),
    "peaks": (
        "--images 3 --tags 10 --limit 0 --briefly",
        r"first round .* MiB.*\n(.*\n)+.*restart .* MiB.*\n(.*\n)+.*once .* MiB, exit code 0",
    ),
    "poll": ("--images 5 --tags 10 --latency 0", r"exporter: .*\n +\d+ series.*\nonce more: "),
    "scrape": (
        "--series 200 --seconds 0.05 --only ours constant gauges collector",
        r"(  (ours|constant|gauges|collector) +identity .* MB, gzip .*\n){4}",
    ),
    "stalls": ("--images 5 --tags 10 --seconds 0.2 --storage", r"(  .* turns; late by .*\n){9}"),
    "start": ("--times 1", r"ncr-exporter .*\n  of which imports .*\nprometheus_client .*\n"),
}
"""Module → its words, and what it prints at least."""
BY_OTHERS = {"beside", "large_account", "registry", "servers"}
"""What those run and import."""


def test_each_comparison_is_run_by_the_test_below() -> None:
    modules = {path.stem for path in (ROOT / "bench").glob("*.py")}
    assert modules - {"__init__"} == {*BRIEFLY, *BY_OTHERS}


def run(module: str, words: str) -> str:
    """Run a comparison and return what it prints."""
    done = subprocess.run(  # noqa: S603 -- fixed words
        [sys.executable, "-m", f"bench.{module}", *words.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.mark.parametrize("module", BRIEFLY)
def test_a_comparison_runs_and_prints_its_figures(module: str) -> None:
    words, figures = BRIEFLY[module]
    printed = run(module, words)
    assert re.search(figures, printed), printed


def test_a_large_account_speaks_version_3_too() -> None:
    words, figures = BRIEFLY["large"]
    printed = run("large", f"{words} --api-version v3")
    assert re.search(figures, printed), printed


@pytest.mark.node_exporter
def test_a_comparison_with_node_exporter_runs() -> None:
    printed = run("scrape", "--series 200 --seconds 0.05 --only node_exporter")
    assert re.search(r"  node_exporter +identity .* MB, gzip ", printed), printed
