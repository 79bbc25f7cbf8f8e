"""Answers made to take memory: the process that gets them stays within 50 MiB of before."""

from pathlib import Path

import pytest

from ncr_exporter.simulator.faults import fault_named
from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.program import exporter
from tools.processes import forget_peak, peak_of, resident_of
from tools.waiting import wait_until

pytestmark = pytest.mark.unmeasured
IMAGES = [f"app-{number}" for number in range(16)]
TAGS = 100
ALLOWED = 50  # MiB
LARGE = {
    "endless": "too_large",
    "gzip-bomb": "too_large",
    "nested": "malformed",
    "long-names": "",
}


@pytest.mark.parametrize("name", LARGE)
def test_memory_stays_within_50_mib_of_before_and_the_last_good_data_stands(
    name: str, tmp_path: Path
) -> None:
    source = source_of(**{image: [tag(f"v{n}") for n in range(TAGS)] for image in IMAGES})
    with answering(source) as (registry, url):
        entry = {"name": "my-registry", "images": IMAGES, "interval": "1s"}
        with exporter(write_config(tmp_path, url, entry, timeout="30s")) as program:
            program.ready()
            before = resident_of(program.process.pid)
            forget_peak(program.process.pid)
            asked = len(registry.requests)
            registry.fault = fault_named(name)
            wait_until(lambda: len(registry.requests) >= asked + 2 * len(IMAGES), 60)
            text = program.get().text
            peak = peak_of(program.process.pid)
            registry.fault = None
    assert peak - before <= ALLOWED, f"{peak - before:.0f} MiB"
    assert 'ncr_image_size_bytes{registry="my-registry",image="app-0"}' in text
    reason = f'operation="tag_list",reason="{LARGE[name]}"'
    assert not LARGE[name] or counted(text, reason) > 0


def counted(text: str, labels: str) -> float:
    lines = [line for line in text.splitlines() if "ncr_api_request_failures_total{" in line]
    return sum(float(line.split()[-1]) for line in lines if labels in line)
