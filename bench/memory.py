"""Memory: what so many series take, and whether polling again and again takes more.

`python -m bench.memory` fills an exporter's state with 1k to 1M series, each in a process of its
own, and lists 100 images of 100 tags 1,000 times, every tag pulled anew each time.
"""

import argparse
import subprocess
import sys
import time
from os import getpid

from bench.servers import Inventory
from ncr_exporter.runtime.memory import give_back_large_blocks
from tools.processes import resident_of


def take_in(series: int) -> None:
    """Print what this process is resident in, before and with so many series, scraped once."""
    empty = Inventory(0)
    empty.scrape()
    before = resident_of(getpid())
    inventory = Inventory(series)
    taken_in = resident_of(getpid())
    inventory.scrape()
    after, found = resident_of(getpid()), inventory.exposition.series
    per_series = (after - before) / found * 2**20
    sys.stdout.write(
        f"{found:10,} series {before:6.1f} MiB before, {taken_in:6.1f} with them, {after:6.1f} "
        f"scraped: {per_series:5.0f} bytes a series\n"
    )


def poll_again(polls: int) -> None:
    """Print what this process is resident in as polls go by."""
    inventory = Inventory(100 * 122)
    for poll in range(polls + 1):
        if poll % max(1, polls // 5) == 0:
            inventory.scrape()
            sys.stdout.write(f"{poll:10,} polls  {resident_of(getpid()):6.1f} MiB\n")
        inventory.poll(time.time() + poll * 60)


def main() -> None:
    """Measure each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, nargs="*", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--polls", type=int, default=1000)
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    give_back_large_blocks()  # as `serve` does
    if given.alone is None:
        for alone in (*given.series, 0):
            own = [f"--alone={alone}", f"--polls={given.polls}"]
            words = [sys.executable, "-m", "bench.memory", *own]
            subprocess.run(words, check=True)  # noqa: S603 -- this very module
    elif given.alone:
        take_in(given.alone)
    else:
        poll_again(given.polls)


if __name__ == "__main__":
    main()
