"""`python -m tools.demo_history`: what the demo would have published in the days before now.

Prometheus' `promtool tsdb create-blocks-from openmetrics` takes it, so that dashboards can be
looked at with a past. The images come from the demo's own data, which follows from the time asked
about, on the way that a poll takes; the API client's counters are made up, with an hour of being
throttled in them.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf

from ncr_exporter.inventory import ImageSummary, Knowledge, summarize
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.metrics.families.exporter import BUCKETS
from ncr_exporter.ncr.pages import tag_page
from ncr_exporter.simulator.data import GeneratedSource
from ncr_exporter.simulator.releases import tick
from ncr_exporter.simulator.run import demo_config
from ncr_exporter.state.model import ImageState
from ncr_exporter.targets.targets import ImageTarget, registry_list_targets

DAY = 86400
_STEP, _LATE_STEP = 240, 15
"""Seconds between two samples: within the five minutes that Prometheus looks back, and later as
close together as scrapes are, so that rates over a minute exist."""
_LATE = 8 * 3600
"""Seconds before the end when the closer ones begin."""
_FAULT = (3 * 3600, 2 * 3600)
"""Seconds before the end when the API throttles, from and to."""
_POLL = 15.0
"""Seconds between two polls of an image: as between samples, for counters that grow evenly."""
_MEAN = 0.08
"""Seconds that a request takes."""


@dataclass
class History:
    """What an exporter published until `end` (seconds since the epoch)."""

    end: float
    days: float
    job: str
    instance: str

    def lines(self) -> Iterator[str]:
        """Yield lines of OpenMetrics with timestamps."""
        start = self.end - self.days * DAY
        now = start
        while now < self.end:
            yield from self._at(now, now - start)
            now += _STEP if self.end - now > _LATE else _LATE_STEP
        yield "# EOF\n"

    def _at(self, now: float, passed: float) -> Iterator[str]:
        faulty = _FAULT[0] > self.end - now > _FAULT[1]
        exposition = Exposition()
        for state in self._states(now, passed, faulty=faulty):
            exposition.put(state)
        text = b"".join(exposition.snapshot.text(now, openmetrics=True)).decode()
        for line in (*text.splitlines(), *_client(passed, self.end - now)):
            # Per-tag series need no past: only what is there now is shown of them.
            if not line.startswith(("#", "ncr_tag_")):
                yield f"{self._labelled(line)} {now:.0f}\n"

    def _labelled(self, line: str) -> str:
        more = f'job="{self.job}",instance="{self.instance}"'
        head, _, value = line.rpartition(" ")
        name, brace, labels = head.partition("{")
        return f"{name}{{{more},{labels} {value}" if brace else f"{name}{{{more}}} {value}"

    def _states(self, now: float, passed: float, *, faulty: bool) -> Iterator[ImageState]:
        for target, image, pulls in _listed(tick(now * 1000)):
            yield ImageState(
                target=target,
                image=image,
                up=not faulty,
                last_success=self.end - _FAULT[0] if faulty else now,
                duration=0.05 + image.tags / 2000,
                polls=round(passed / _POLL),
                failures=_failures(passed, self.end - now),
                pull_count=pulls,
            )


@lru_cache(maxsize=1)  # the demo's data stands still from one tick to the next
def _listed(now_ms: int) -> list[tuple[ImageTarget, ImageSummary, int]]:
    """Return every image of the demo, with its pulls."""
    source = GeneratedSource()
    found: list[tuple[ImageTarget, ImageSummary, int]] = []
    for target in registry_list_targets(demo_config("http://127.0.0.1:1", source)):
        for registry in target.named:
            listed = source.images(registry.label, now_ms)
            pulls = {image["name"]: image["pull_count"] for image in listed}
            found += [
                (target, _image(source, target, now_ms), pulls[target.name])
                for target in registry.images(pulls)
            ]
    return found


def _image(source: GeneratedSource, target: ImageTarget, now_ms: int) -> ImageSummary:
    results = source.tags(target.registry.label, target.name, now_ms)
    tags = tag_page(json.dumps({"results": results}).encode(), now_ms).records
    return summarize(tags, target.policy, now_ms, Knowledge(registry_records_pulls=True))


def _failures(passed: float, left: float) -> int:
    """Return how many polls of an image failed so far."""
    begun = max(0.0, _FAULT[0] - left) if passed else 0.0
    return round(min(begun, _FAULT[0] - _FAULT[1]) / _POLL)


def _client(passed: float, left: float) -> Iterator[str]:
    """Yield the lines of the API client's own metrics and of the process."""
    failures = _failures(passed, left)
    for registry, share in (("demo-registry", 9), ("demo-base", 2)):
        own = f'registry="{registry}"'
        requests = passed / _POLL * share
        yield f'ncr_api_requests_total{{{own},operation="tag_list"}} {requests}'
        yield f'ncr_api_requests_total{{{own},operation="image_list"}} {passed / _POLL}'
        for reason, count in (("throttled", failures * share), ("timeout", requests // 4000)):
            labels = f'{own},operation="tag_list",reason="{reason}"'
            yield f"ncr_api_request_failures_total{{{labels}}} {count}"
        yield f'ncr_api_retries_total{{{own},operation="tag_list"}} {requests // 4000}'
        yield f"ncr_api_throttled_seconds_total{{{own}}} {failures * _POLL * 0.9}"
        yield f"ncr_api_requests_per_second_limit{{{own}}} 50"
        yield f"ncr_api_requests_per_second_planned{{{own}}} 1.3"
        yield f"ncr_api_clock_skew_seconds{{{own}}} 0.4"
    for bound in (*BUCKETS, inf):
        below = passed / _POLL * 11 * (1 - exp(-bound / _MEAN))
        le = "+Inf" if bound == inf else bound
        labels = f'operation="tag_list",le="{le}"'
        yield f"ncr_api_request_duration_seconds_bucket{{{labels}}} {below}"
    yield "ncr_exporter_series 930"
    yield f"process_cpu_seconds_total {passed * 0.02}"
    yield f"process_resident_memory_bytes {42e6 + passed % 9000 * 100}"
    yield "up 1"
    yield "scrape_duration_seconds 0.004"


def main() -> None:
    """Write the lines to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--job", default="ncr")
    parser.add_argument("--instance", default="localhost:10627")
    given = parser.parse_args()
    history = History(time.time(), given.days, given.job, given.instance)
    sys.stdout.writelines(history.lines())


if __name__ == "__main__":
    main()
