"""Answers made to take memory: the process that gets them stays within 50 MiB of before."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ncr_exporter.simulator.faults import fault_named
from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.program import Program, exporter

IMAGES = [f"app-{number}" for number in range(16)]
TAGS = 100
MIB = 1024  # KiB
ALLOWED = 50 * MIB
FORGET_THE_PEAK = "5"  # to /proc/PID/clear_refs: see proc(5)
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
            before = kib(program, "VmRSS")
            Path(f"/proc/{program.process.pid}/clear_refs").write_text(FORGET_THE_PEAK)
            asked = len(registry.requests)
            registry.fault = fault_named(name)
            wait_for(lambda: len(registry.requests) >= asked + 2 * len(IMAGES))
            text = program.get().text
            peak = kib(program, "VmHWM")
            registry.fault = None
    assert peak - before <= ALLOWED, f"{(peak - before) / MIB:.0f} MiB"
    assert 'ncr_image_size_bytes{registry="my-registry",image="app-0"}' in text
    reason = f'operation="tag_list",reason="{LARGE[name]}"'
    assert not LARGE[name] or counted(text, reason) > 0


def kib(program: Program, field: str) -> int:
    """Return a field of the program's memory (KiB)."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    match = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    assert match
    return int(match[1])


def counted(text: str, labels: str) -> float:
    lines = [line for line in text.splitlines() if "ncr_api_request_failures_total{" in line]
    return sum(float(line.split()[-1]) for line in lines if labels in line)


def wait_for(fact: Callable[[], bool], within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.05)
