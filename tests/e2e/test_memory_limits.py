"""The peaks of memory: what is documented fits into the limits that are shipped, at any moment.

A limit counts at the moment when most is taken: in the first round, while the state is written or
read, during a reload, a first scrape of each kind, the report.
"""

import re
import signal
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import yaml

from bench import registry
from tests.support.program import LISTEN, Program
from tools.memory_groups import MemoryGroup, NoMemoryGroupError, memory_group
from tools.processes import peak_of
from tools.waiting import wait_until

pytestmark = pytest.mark.unmeasured
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PATIENCE = 600.0
"""Seconds: where others use the machine too, polling half a million tags takes a while."""
OFTEN = """
from ncr_exporter.state import persistence
persistence._SHORTEST_PAUSE, persistence._CPU_SHARE = 0.2, 1.0
from ncr_exporter.cli.main import run
run()
"""


def mebibytes(text: str) -> int:
    """Return a limit as systemd (M), Kubernetes (Mi) or Compose (m) has it."""
    match = re.fullmatch(r"(\d+)(M|Mi|m)", text)
    assert match, text
    return int(match[1])


def limit_of_systemd() -> int:
    unit = (DEPLOY / "systemd" / "ncr-exporter.service").read_text()
    return mebibytes(*re.findall(r"^MemoryMax=(.+)$", unit, re.MULTILINE))


def limit_of_kubernetes() -> int:
    """Return the limit of the chart, of the kustomization and of Compose: the same."""
    values = yaml.safe_load((DEPLOY / "helm" / "ncr-exporter" / "values.yaml").read_text())
    base = yaml.safe_load((DEPLOY / "kubernetes" / "base" / "deployment.yaml").read_text())
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yml").read_text())
    (container,) = base["spec"]["template"]["spec"]["containers"]
    limits = {
        mebibytes(values["resources"]["limits"]["memory"]),
        mebibytes(container["resources"]["limits"]["memory"]),
        mebibytes(compose["services"]["ncr-exporter"]["mem_limit"]),
    }
    (limit,) = limits
    return limit


class Size(NamedTuple):
    """How much a registry holds."""

    images: int
    tags: int
    platforms: int = 1


DOCUMENTED = {
    "5,000 images of 100 tags, systemd": (Size(5000, 100), limit_of_systemd),
    "2,000 images of 100 tags, Kubernetes": (Size(2000, 100), limit_of_kubernetes),
    "one image of 50,000 tags of 5 platforms, Kubernetes": (
        Size(1, 50_000, 5),
        limit_of_kubernetes,
    ),
}


@contextmanager
def configured(size: Size, directory: Path) -> Iterator[Path]:
    """Give a configuration of a registry of this size."""
    with registry.running(size.images, size.tags, 0, size.platforms) as url:
        path = directory / "ncr-exporter.yml"
        path.write_text(registry.config_for(url, size.images, 8, interval="1h"), encoding="utf-8")
        yield path


def scrape(program: Program, **headers: str) -> bytes:
    """Scrape as Prometheus does, without keeping more than the end of the text."""
    inflater, end = zlib.decompressobj(31), b""
    gzip = headers.get("accept-encoding") == "gzip"
    url = f"{program.url}/metrics"
    with httpx.stream("GET", url, headers=headers, timeout=300, trust_env=False) as answer:
        for piece in answer.iter_raw():
            end = (end + (inflater.decompress(piece) if gzip else piece))[-100_000:]
    return end


def requests_of(program: Program) -> int:
    """Return how many requests for tags the exporter has sent."""
    text = scrape(program, **{"accept-encoding": "gzip"}).decode(errors="ignore")
    sent = re.findall(r'ncr_api_requests_total\{.*operation="tag_list"\} (\d+)', text)
    return int(sent[0]) if sent else 0


def do_everything(program: Program, config: Path) -> None:
    """Ask for all that takes memory, and reload with a change that concerns every image."""
    for encoding in ("gzip", "identity"):
        for accept in ("text/plain", "application/openmetrics-text"):
            assert scrape(program, **{"accept": accept, "accept-encoding": encoding})
    assert program.get("/report.csv").is_success
    assert program.get("/").is_success
    config.write_text(config.read_text().replace('"1h"', '"2h"'))
    program.process.send_signal(signal.SIGHUP)
    program.wait_for_line("configuration reloaded", PATIENCE)
    assert scrape(program, **{"accept-encoding": "gzip"})


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_shipped_limit_holds_the_documented_size_at_every_moment(
    name: str, tmp_path: Path
) -> None:
    size, limit_of = DOCUMENTED[name]
    with configured(size, tmp_path) as config, limited(limit_of()) as group:
        argv = (f"--config.file={config}", f"--storage.path={tmp_path / 'state'}", LISTEN)
        with Program(*argv, within=group) as program:
            program.ready(PATIENCE)
            do_everything(program, config)
            assert program.stop(within=PATIENCE)[0] == 0, "the state was written"
        assert group.kills == 0
        with Program(*argv, within=group) as program:
            program.ready(PATIENCE)
            pages = size.images * size.tags // 100
            wait_until(lambda: requests_of(program) >= pages, PATIENCE, every=1.0)
            do_everything(program, config)
            assert program.stop(within=PATIENCE)[0] == 0
        assert group.kills == 0


@contextmanager
def limited(limit: float) -> Iterator[MemoryGroup]:
    try:
        with memory_group(limit) as group:
            yield group
    except NoMemoryGroupError as error:
        pytest.skip(f"no group with a limit of memory can be made here: {error}")


def wait_until_written_again(path: Path) -> None:
    before = path.stat().st_mtime_ns
    wait_until(lambda: path.stat().st_mtime_ns > before, PATIENCE)


ALLOWED = 8.0
"""MiB that writing the state may take beside what an exporter without storage takes."""


def test_to_write_and_to_read_the_state_takes_little_whatever_its_size(tmp_path: Path) -> None:
    """Once all of it was encoded before the first byte was written: 40 MiB at this size."""
    state = tmp_path / "state" / "ncr-exporter.state"
    with configured(Size(1000, 100), tmp_path) as config:
        flags = (f"--config.file={config}", LISTEN)
        with Program(*flags) as program:
            program.ready(PATIENCE)
            scrape(program)
            without = peak_of(program.process.pid)
        argv = (*flags, f"--storage.path={state.parent}")
        with Program(*argv, start=("-c", OFTEN)) as program:
            program.ready(PATIENCE)
            scrape(program)
            for _ in range(2):
                wait_until_written_again(state)
            assert peak_of(program.process.pid) - without < ALLOWED
            assert program.stop()[0] == 0
        with Program(*argv) as program:
            program.ready(PATIENCE)
            assert peak_of(program.process.pid) < without, "it is not scraped yet"
