"""Every fault of the simulated registry through the whole program, over sockets.

One test for all of `tools.fault_table`: what is published, counted and logged while a
fault lasts, and that the first good answer afterwards heals it.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.typing import EventDict

from ncr_exporter.ncr.versions import VERSIONS
from ncr_exporter.simulator.faults import FAULTS
from tests.support.exporter import APP
from tests.support.faulty_exporter import INTERVAL, Samples, Trial, inventory, trial
from tools.fault_table import NETWORK, TABLE, TAGS, Seen

ROOT = Path(__file__).parents[2]
TAG_LIST = (("operation", "tag_list"), ("registry", "my-registry"))
UP = ("ncr_image_up", APP)
POLLS = ("ncr_image_polls_total", APP)
SKEW = ("ncr_api_clock_skew_seconds", (("registry", "my-registry"),))
ITS_WORK = 2.0
"""Seconds by the moved clock that a poll may take while sockets work."""
SHORT = {"hang", "drip"}
"""Faults that end with `api.timeout`."""


def test_each_fault_has_its_row() -> None:
    assert TABLE.keys() == FAULTS.keys()


@pytest.mark.parametrize("what", NETWORK)
def test_what_is_told_of_the_network_is_tried_somewhere(what: str) -> None:
    path, _, name = NETWORK[what].test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", TABLE)
async def test_a_fault_shows_as_it_should_and_the_first_good_answer_heals_it(
    name: str, version: str, tmp_path: Path, logs: list[EventDict]
) -> None:
    seen, fault = TABLE[name], FAULTS[name]
    fault = replace(fault, seconds=min(fault.seconds, 0.05))
    deadline = "500ms" if name in SHORT else "20s"
    encrypted = bool(fault.certificate)
    async with trial(
        tmp_path, tags=TAGS, deadline=deadline, encrypted=encrypted, version=version
    ) as its:
        before = await its.samples()
        its.registry.fault = fault
        during = await polled(its, before)
        if not seen.fails:  # what must not change a thing comes twice
            during = await polled(its, during)
        judge(before, during, seen)
        its.mend()
        await healed(its, seen, before)
    said(logs, seen)


async def polled(its: Trial, before: Samples) -> Samples:
    """Let the image be polled again, and return the scrape that says so."""
    await its.polled_again()
    return await its.until(lambda now: now[POLLS] > before[POLLS])


def judge(before: Samples, during: Samples, seen: Seen) -> None:
    """Look at the two scrapes: what moved, and what stands."""
    assert during[UP] == (0 if seen.fails else 1)
    assert moved_reasons(before, during) == {seen.refused or seen.fails or seen.retried} - {""}
    for counter in ("ncr_api_malformed_records_total", "ncr_api_count_mismatches_total"):
        moved = during[counter, TAG_LIST] > before[counter, TAG_LIST]
        assert moved == (counter == seen.counter), counter
    if seen.stands:
        assert inventory(during) == inventory(before)
    names = {name for name, _ in inventory(during)}
    assert seen.absent not in names
    assert during["ncr_image_tags", APP] == seen.tags
    for image in ("app", "web"):
        present = ("ncr_image_present", (("image", image), ("registry", "my-registry")))
        assert during[present] == 1, "no fault shows that an image is gone"
    assert during[SKEW] == pytest.approx(seen.skew, abs=2)


def moved_reasons(before: Samples, during: Samples) -> set[str]:
    """Return the reasons for which requests failed, whatever was asked for."""
    return {
        dict(labels)["reason"]
        for (name, labels), value in during.items()
        if name == "ncr_api_request_failures_total" and value > before[name, labels]
    }


async def healed(its: Trial, seen: Seen, before: Samples) -> None:
    """Wait for the pause, if any, without a request; then all must be well within an interval."""
    if seen.pause:
        await pause_ends(its, seen)
    mended = its.clock.monotonic()
    await its.until(lambda now: now[UP] == 1 and inventory(now) == inventory(before))
    assert its.clock.monotonic() - mended <= INTERVAL + ITS_WORK


async def pause_ends(its: Trial, seen: Seen) -> None:
    asked = its.registry.requests[-1]
    assert asked.status == 429
    ends = asked.at + seen.pause - its.clock.time()
    if ends <= 0.1:
        return
    await its.clock.advance(ends - 0.1)
    assert its.registry.requests[-1] is asked, "asked during the pause"
    await its.clock.advance(0.2)


def said(logs: list[EventDict], seen: Seen) -> None:
    """Look at the log: what, where, what to do; and that it works again."""
    failed = [entry for entry in logs if entry["event"] == "poll failed"]
    if not seen.fails:
        assert not failed
        return
    loud = [
        entry for entry in failed if entry["image"] == "app" and entry["log_level"] == "warning"
    ]
    assert len(loud) == 1, "said once, however often it fails"
    assert (loud[0]["registry"], loud[0]["reason"]) == ("my-registry", seen.fails)
    assert loud[0]["error"]
    assert loud[0]["remedy"]
    again = [entry for entry in logs if entry["event"] == "poll succeeds again"]
    assert [entry["image"] for entry in again].count("app") == 1
