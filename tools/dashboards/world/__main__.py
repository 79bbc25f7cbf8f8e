"""`python -m tools.dashboards.world URL`: write a generated world into a running Prometheus."""

import argparse
import sys
import time

from tools.dashboards.world.images import large, small
from tools.dashboards.world.series import OUTAGES, World
from tools.dashboards.world.writing import WorldWriter, write

SIZES = {"small": small, "large": large}


def main() -> None:
    """Write it, and say how much it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="of Prometheus, run with --web.enable-remote-write-receiver")
    parser.add_argument("--size", choices=SIZES, default="large")
    parser.add_argument("--outage", choices=OUTAGES, default="none")
    parser.add_argument("--hours", type=int, default=7 * 24)
    parser.add_argument("--job", default="ncr")
    given = parser.parse_args()
    end = int(time.time()) // 60 * 60
    writer = WorldWriter(World(SIZES[given.size](), end, given.job, given.outage))
    started = time.monotonic()
    write(given.url, given.hours, writer)
    took = time.monotonic() - started
    sys.stdout.write(f"{writer.size} series until {end} written in {took:.0f} s\n")


if __name__ == "__main__":
    main()
