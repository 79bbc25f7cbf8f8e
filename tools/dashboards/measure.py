"""`python -m tools.dashboards.measure URL`: how long Prometheus takes for the dashboards' queries.

For a world that was written by `tools.dashboards.world`, or any other Prometheus. Each query is
asked as Grafana asks it: at one time, or for as many points as a wide panel has.
"""

import argparse
import json
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from tools.dashboards.__main__ import DASHBOARDS
from tools.dashboards.look import Json
from tools.dashboards.shell import Dashboard

_RANGES = {"6h": 6 * 3600, "7d": 7 * 86400}
_POINTS = 900
"""Of a graph that is half as wide as a screen."""
_LEAST_STEP = 60


@dataclass(frozen=True)
class Timing:
    """How long one query of a panel took, and how much came back."""

    seconds: float
    cpu: float
    """Seconds of a processor that Prometheus took: what it waited for others is not in them."""
    series: int
    size: int
    asker: str
    expr: str


def timings(url: str, dashboard: Dashboard, end: float, chosen: dict[str, str]) -> Iterator[Timing]:
    """Yield a timing for each query of a dashboard's panels."""
    whole = dashboard.json()
    length = _RANGES[whole["time"]["from"].removeprefix("now-")]
    for panel in (one for each in whole["panels"] for one in (each, *each.get("panels", ()))):
        for target in panel.get("targets", ()):
            asker = f"{dashboard.uid}: {panel['title']} {target['refId']}"
            yield _asked(url, asker, panel, target, (end, length), chosen)


def _asked(  # noqa: PLR0913, PLR0917 -- whom, who, what, when, about what
    url: str, asker: str, panel: Json, target: Json, when: tuple[float, int], chosen: dict[str, str]
) -> Timing:
    end, length = when
    step = max(_LEAST_STEP, length // panel.get("maxDataPoints", _POINTS))
    values = {
        "__range": f"{length}s",
        "__rate_interval": f"{max(step + _LEAST_STEP, 4 * _LEAST_STEP)}s",
        **chosen,
    }
    expr = target["expr"]
    for name in sorted(values, key=len, reverse=True):
        expr = expr.replace(f"${name}", values[name])
    path, times = (
        ("query", {"time": end})
        if target["instant"]
        else ("query_range", {"start": end - length, "end": end, "step": step})
    )
    body = urllib.parse.urlencode({"query": expr, **times}).encode()
    started, used = time.monotonic(), _cpu_of(url)
    with urllib.request.urlopen(f"{url}/api/v1/{path}", body, timeout=120) as answer:  # noqa: S310 -- as told
        text = answer.read()
    took = time.monotonic() - started
    return Timing(
        took, _cpu_of(url) - used, len(json.loads(text)["data"]["result"]), len(text), asker, expr
    )


def _cpu_of(url: str) -> float:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310 -- as told
        found = re.search(rb"^process_cpu_seconds_total (\S+)$", answer.read(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def _sizes(timing: Timing) -> tuple[float, float, int]:
    return timing.cpu, timing.seconds, timing.size


def main() -> None:
    """Print the slowest queries, and what each dashboard takes in all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--end", type=float, default=time.time())
    parser.add_argument("--choose", action="append", default=[], help="a variable, as owner=web")
    parser.add_argument("--slowest", type=int, default=15)
    given = parser.parse_args()
    chosen = {"job": ".+", "registry": ".+", "image": ".+", "instance": ".+", "owner": ".*"}
    chosen |= {"cost": "28", **dict(pair.split("=", 1) for pair in given.choose)}
    found: list[Timing] = []
    for dashboard in DASHBOARDS:
        ours = list(timings(given.url, dashboard, given.end, chosen))
        used, took, size = (sum(values) for values in zip(*map(_sizes, ours), strict=True))
        sys.stdout.write(
            f"{dashboard.uid}: {len(ours)} queries, {used:.1f} CPU s, {took:.1f} s one after the "
            f"other, {size / 1e6:.1f} MB\n"
        )
        found += ours
    for each in sorted(found, key=lambda one: -one.cpu)[: given.slowest]:
        sys.stdout.write(
            f"{each.cpu:6.2f} CPU s, {each.seconds:6.2f} s, {each.series:5} series  {each.asker}\n"
        )


if __name__ == "__main__":
    main()
