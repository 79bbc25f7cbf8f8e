"""Versions 2 and 3 of the API: the same reports, and a reload from one to the other."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ncr_exporter.app.serve import exporter
from ncr_exporter.config import load
from ncr_exporter.ncr.versions import VERSIONS
from ncr_exporter.simulator.data import GeneratedSource
from tests.support.api_client import simulated, source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.clock import ManualClock, passing
from tests.support.exporter import APP, HERE, Running, listening
from tests.support.expositions import Key, samples_of
from tests.support.in_process import run
from tests.support.program import demo

INTERVAL, STEP = 60.0, 6.0
POLLS = ("ncr_image_polls_total", APP)
OF_THE_RUN = ("ncr_api_", "ncr_exporter_", "process_", "python_", "ncr_registry_last_success")
"""Families that tell of one run."""
OF_THE_POLL = ("age_seconds", "duration_seconds", "last_success_timestamp_seconds")
"""Ends of families that tell of one poll."""


def of_the_registry(text: str) -> dict[Key, float]:
    """Return what an exposition says of registries, images and tags, whenever it was polled."""
    return {
        key: value
        for key, value in samples_of(text).items()
        if not key[0].startswith(OF_THE_RUN) and not key[0].endswith(OF_THE_POLL)
    }


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], str]:
    """What `once` prints of one registry, by version and format."""
    found: dict[tuple[str, ...], str] = {}
    with answering(GeneratedSource()) as (_, url):
        for version in VERSIONS:
            directory = tmp_path_factory.mktemp(version)
            config = write_config(directory, url, {"name": "*"}, version=version)
            for argv in ((), ("--format=json",), ("--tags", "--format=csv")):
                done = run("once", f"--config.file={config}", *argv)
                assert (done.returncode, done.stderr) == (0, "")
                found[version, *argv] = done.stdout
    return found


def test_once_publishes_the_same_of_either_version(reports: dict[tuple[str, ...], str]) -> None:
    v2, v3 = (of_the_registry(reports[(version,)]) for version in VERSIONS)
    assert len(v2) > 100
    assert v2 == v3


def without_ages(report: Any) -> Any:
    """Return a report without what a second changes."""
    if isinstance(report, dict):
        return {
            key: without_ages(value)
            for key, value in report.items()
            if not any(word in key for word in ("age", "success", "generated"))
        }
    return [without_ages(each) for each in report] if isinstance(report, list) else report


def test_once_reports_the_same_of_either_version(reports: dict[tuple[str, ...], str]) -> None:
    v2, v3 = (without_ages(json.loads(reports[version, "--format=json"])) for version in VERSIONS)
    assert v2 == v3
    v2, v3 = (reports[version, "--tags", "--format=csv"].splitlines() for version in VERSIONS)
    assert len(v2) > 50
    assert [line.split(",")[:4] for line in v2] == [line.split(",")[:4] for line in v3]


async def test_a_reload_to_another_version_and_back_keeps_data_and_schedule(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    source = source_of(app=[tag("v1"), tag("v2", pulled=0)])
    async with simulated(source, clock=clock) as (registry, url):
        entry = {"name": "my-registry", "images": ["app", "w*"], "interval": f"{INTERVAL:.0f}s"}

        def configured(version: str) -> Path:
            return write_config(tmp_path, url, entry, version=version)

        path = configured("v2")
        options = replace(HERE, config_file=path)
        async with (
            exporter(load(str(path)), options, clock=clock) as running,
            listening(registry, running) as at,
        ):
            before = await next_poll(at, clock, 0)
            for version in ("v3", "v2", "v3"):
                asked = len(registry.requests)
                configured(version)
                await running.reload()
                text = await at.text()
                assert of_the_registry(text) == of_the_registry(before)
                assert samples_of(text)["ncr_exporter_config_last_reload_successful", ()] == 1
                assert len(registry.requests) == asked, "a reload asks for nothing"
                before = await next_poll(at, clock, samples_of(text)[POLLS])
                since = [seen.target for seen in list(registry.requests)[asked:]]
                path_of_version = {"v2": "/ncr/api/v2/", "v3": "/api/v3/"}[version]
                assert since
                assert all(target.startswith(path_of_version) for target in since)


async def next_poll(at: Running, clock: ManualClock, polls: float) -> str:
    """Let an interval pass at most until the image was polled once more; return a scrape."""
    ends = clock.monotonic() + INTERVAL + 2 * STEP

    async def polled() -> str | None:
        text = await at.text()
        return text if samples_of(text).get(POLLS, 0) > polls else None

    found: str = await passing(clock, polled, step=STEP)
    assert clock.monotonic() <= ends, "the schedule was moved"
    return found


def test_the_demo_asks_in_the_version_that_it_is_told() -> None:
    with demo("--api-version=v3") as program:
        program.ready()
        text = program.get().text
        assert "version: v3" in program.get("/config").text
        assert program.stop()[0] == 0
    assert 'ncr_image_up{registry="demo-registry",image="web/frontend"} 1' in text
    malformed = [line for line in text.splitlines() if line.startswith("ncr_api_malformed")]
    assert malformed
    assert all(line.endswith(" 0") for line in malformed)
