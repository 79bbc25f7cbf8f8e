"""Clocks that jump, sleep, stand in another zone or have a leap second: nothing that lasts."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ncr_exporter.config import Api
from ncr_exporter.ncr.responses import date_of
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.state.persistence import StatePersister
from ncr_exporter.targets.targets import Timing
from tests.support import in_process as inprocess
from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.clock import EPOCH, ManualClock, passing
from tests.support.expositions import samples_of
from tests.support.polling import INTERVAL, Polling, naming, polling_of
from tests.support.states import list_target_of, registry_target, rule
from tools.fault_table import CLOCKS

HOUR, DAY, YEAR = 3600.0, 86_400.0, 365 * 86_400.0
KEY = ("my-registry", "app")
BRIEF = Timing(INTERVAL, expire_after=3 * INTERVAL)
BRIEFLY = list_target_of(registry_target(rules=(rule("app", BRIEF),), timing=BRIEF))
SLOW = Api(requests_per_second=20, timeout=5.0)
JUMPS = [-1, 9 * HOUR, -9 * HOUR, 40 * YEAR, -10 * YEAR, 5 - EPOCH]
"""Seconds: a leap second, a hardware clock in local time, years, and one that lost its battery."""


@pytest.fixture
async def polling() -> AsyncIterator[Polling]:
    async with polling_of() as it:
        yield it


def jump(polling: Polling, seconds: float) -> None:
    """Set the exporter's wall clock; the gateway's stays right."""
    polling.clock.set_wall(polling.clock.time() + seconds)
    polling.registry.clock_offset -= seconds


def samples(polling: Polling) -> dict[str, float]:
    """Return what a scrape says of the image `app`: what follows `ncr_image_` → value."""
    edition, now = polling.exposition.snapshot, polling.corrected.time()
    text = b"".join(edition.text(now, openmetrics=False)).decode()
    read = {name: value for (name, labels), value in samples_of(text).items() if len(labels) == 2}
    return {name.removeprefix("ncr_image_"): value for name, value in read.items()}


async def moments(polling: Polling, intervals: int) -> list[float]:
    """Let intervals pass, and return when within one (0 to 1) `app` was polled."""
    found, polls = [], polling.state().polls
    for _ in range(intervals * 50):
        await polling.clock.advance(INTERVAL / 50)
        await polling.settled()
        if polling.state().polls != polls:
            polls = polling.state().polls
            found.append((polling.clock.monotonic() - polling.began) / INTERVAL % 1)
    return found


# A wall clock that is set


@pytest.mark.parametrize("seconds", JUMPS)
async def test_a_wall_clock_that_jumps_and_comes_back_moves_neither_polls_nor_data(
    polling: Polling, seconds: float
) -> None:
    await polling.first_round(naming("app"))
    before = samples(polling)
    (moment,) = await moments(polling, 1)
    for by in (seconds, -seconds):
        jump(polling, by)
        assert await moments(polling, 3) == pytest.approx([moment] * 3, abs=0.03)
        found = samples(polling)
        assert (found["up"], found["poll_failures_total"]) == (1, 0)
        for family in ("size_bytes", "tags", "last_pulled_timestamp_seconds"):
            assert found[family] == before[family]
        assert 0 <= found["poll_duration_seconds"] < 5
        assert found["last_pulled_age_seconds"] >= 0
    aged = samples(polling)["last_pulled_age_seconds"] - before["last_pulled_age_seconds"]
    assert aged == pytest.approx(7 * INTERVAL, abs=60)
    refused = [seen for seen in polling.registry.requests if seen.status == 401]
    assert len(refused) <= 2, "signed by the gateway's clock as soon as that is known"


@pytest.mark.parametrize("seconds", [YEAR, -YEAR, 90.0, -90.0])
async def test_ages_and_staleness_go_by_the_gateways_clock_where_this_hosts_is_wrong(
    seconds: float,
) -> None:
    tags = [
        tag(f"v{days}", pulled=moment(days), last_updated=moment(days)) for days in (1, 20, 40, 400)
    ]
    async with polling_of(images={"app": tags}) as polling:
        rules = (rule("app", stale_after=30 * DAY, keep_recent=0),)
        target = list_target_of(registry_target(rules=rules))
        await polling.first_round(target)
        right = samples(polling)
        assert right["stale_tags"] == 2
        assert right["last_pulled_age_seconds"] == pytest.approx(DAY, abs=5)
        polling.clock.set_wall(polling.clock.time() + seconds)
        polling.registry.clock_offset -= seconds
        await polling.intervals(1)
        found = samples(polling)
        assert found["stale_tags"] == 2
        assert found["last_pulled_age_seconds"] == pytest.approx(DAY + INTERVAL, abs=60)
        success = found["last_success_timestamp_seconds"]
        assert polling.corrected.time() - success < INTERVAL


def moment(days: float) -> int:
    """Return so many days before the tests begin, in ms."""
    return round((EPOCH - days * DAY) * 1000)


@pytest.mark.parametrize("days", [365, -365])
def test_once_judges_by_the_gateways_clock_and_says_that_this_hosts_is_wrong(
    tmp_path: Path, days: int
) -> None:
    gateway_now = round((time.time() - days * DAY) * 1000)
    used = [gateway_now - round(age * DAY * 1000) for age in (1, 20, 40, 400)]
    tags = [tag(f"v{at}", pulled=at, last_updated=at) for at in used]
    with answering(source_of(app=tags)) as (registry, url):
        registry.clock_offset = -days * DAY
        policy = {"stale_after": "30d", "keep_recent": 0}
        config = write_config(tmp_path, url, "my-registry", defaults=policy)
        done = inprocess.run("once", f"--config.file={config}", "--stale", "--format=json")
    assert done.returncode == 0
    assert sorted(stale["tag"] for stale in json.loads(done.stdout)["stale_tags"]) == sorted(
        f"v{at}" for at in used[2:]
    )
    direction = "ahead of" if days > 0 else "behind"
    assert f"s {direction} the API's; ages and what is stale go by the API's" in done.stderr
    assert "NTP" in done.stderr


def test_once_says_nothing_of_a_clock_that_is_right(tmp_path: Path) -> None:
    with answering(source_of(app=[tag("v1")])) as (_, url):
        done = inprocess.run("once", f"--config.file={write_config(tmp_path, url, 'my-registry')}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("seconds", JUMPS)
async def test_what_people_are_told_of_the_next_poll_jumps_with_it(
    polling: Polling, seconds: float
) -> None:
    await polling.first_round(naming("app"))
    before = polling.poller.next_poll(KEY)
    assert before is not None
    jump(polling, 0.1)
    assert polling.poller.next_poll(KEY) == before, "what people are shown stands still"
    jump(polling, seconds)
    assert polling.poller.next_poll(KEY) == pytest.approx(before + seconds, abs=1)


@pytest.mark.parametrize("seconds", JUMPS)
async def test_data_that_nobody_renews_expires_by_the_time_that_passed(
    polling: Polling, seconds: float
) -> None:
    await polling.first_round(BRIEFLY)
    polling.registry.fault = fault_named("denied")
    jump(polling, seconds)
    await polling.clock.advance(BRIEF.expire_after - 60)
    assert "tags" in samples(polling)
    jump(polling, -seconds)
    await polling.clock.advance(120)
    assert "tags" not in samples(polling)


@pytest.mark.parametrize("seconds", JUMPS)
async def test_a_poll_under_way_meanwhile_took_as_long_as_it_took(
    polling: Polling, seconds: float
) -> None:
    await polling.poller.apply([naming("app")])
    await passing(polling.clock, lambda: polling.tag_requests)
    jump(polling, seconds)
    await passing(polling.clock, lambda: polling.state().polls)
    (poll,) = polling.state().recent
    assert 0 <= poll.duration < 5


@pytest.mark.parametrize("seconds", JUMPS)
async def test_a_pause_lasts_as_long_as_was_asked(polling: Polling, seconds: float) -> None:
    polling.registry.fault = fault_named("throttle-absurd")
    await polling.first_round(naming("app"))
    assert polling.state().up is False
    asked, polling.registry.fault = len(polling.registry.requests), None
    jump(polling, seconds)
    await polling.clock.advance(890)
    await polling.settled()
    assert len(polling.registry.requests) == asked
    await polling.intervals(1)
    assert polling.state().up is True


@pytest.mark.parametrize("seconds", [-9 * HOUR, -10 * YEAR, 5 - EPOCH, 40 * YEAR])
async def test_state_stored_by_a_clock_that_was_wrong_is_not_believed(
    tmp_path: Path, seconds: float
) -> None:
    """It comes from the future, or is too old: unknown until the first poll, and not wrong."""
    async with polling_of() as polling:
        await polling.first_round(naming("app"))
        await StatePersister(tmp_path, polling.clock).write(polling.store)
    clock = ManualClock(EPOCH + seconds)
    saved = StatePersister(tmp_path, clock).read()
    async with polling_of(clock=clock, saved=saved) as polling:
        polling.registry.fault = fault_named("denied")
        await polling.poller.apply([naming("app")])
        assert "tags" not in samples(polling)
        polling.registry.fault = None
        await passing(polling.clock, lambda: polling.state().up)
        assert samples(polling)["tags"] == 2


@pytest.mark.parametrize("seconds", [YEAR, -YEAR, HOUR, -HOUR])
@pytest.mark.parametrize("set_right", [False, True])
async def test_state_outlives_a_restart_on_a_host_whose_clock_is_wrong(
    tmp_path: Path, seconds: float, *, set_right: bool
) -> None:
    """Its times are the gateway's: they are judged by that clock, as far as it is known."""
    async with polling_of() as polling:
        jump(polling, seconds)
        await polling.first_round(naming("app"))
        before = polling.state()
        persister = StatePersister(tmp_path, polling.clock)
        await persister.write(polling.store, polling.corrected.correction)
    clock = ManualClock(EPOCH + (0 if set_right else seconds))
    saved = StatePersister(tmp_path, clock).read()
    assert saved.correction == pytest.approx(0 if set_right else -seconds, abs=5)
    async with polling_of(clock=clock, saved=saved) as polling:
        polling.registry.fault = fault_named("denied")
        await polling.poller.apply([naming("app")])
        state = polling.state()
        assert (state.tags, state.last_success) == (before.tags, before.last_success)
        assert samples(polling)["last_pulled_age_seconds"] == pytest.approx(
            EPOCH - 1_759_000_000, abs=60
        )


# A process or a host that sleeps


async def test_after_a_suspend_polls_go_on_within_an_interval_and_ages_are_right(
    polling: Polling,
) -> None:
    """Monotonic time stands still in a suspend, as Linux has it, and the wall clock goes on."""
    await polling.first_round(naming("app"))
    before = samples(polling)
    polling.clock.set_wall(polling.clock.time() + 3 * DAY)
    asleep = samples(polling)
    aged = asleep["last_pulled_age_seconds"] - before["last_pulled_age_seconds"]
    assert aged == pytest.approx(3 * DAY, abs=1)
    success = asleep["last_success_timestamp_seconds"]
    assert polling.clock.time() - success == pytest.approx(3 * DAY, abs=1), "and says so"
    assert len(await moments(polling, 1)) == 1
    age = polling.clock.time() - samples(polling)["last_success_timestamp_seconds"]
    assert age < INTERVAL


async def test_after_a_freeze_each_image_is_polled_once_and_the_rate_is_kept() -> None:
    """Both clocks go on while a container is paused: every timer is late at once."""
    images = {f"app-{number}": [tag("v1")] for number in range(12)}
    async with polling_of(images=images, api=SLOW) as polling:
        await polling.first_round(naming(*images))
        before, thawed = len(polling.asked), polling.clock.time() + 10 * INTERVAL
        await polling.clock.oversleep(10 * INTERVAL)
        await polling.settled()
        assert sorted(polling.asked[before:]) == sorted(images)
        sent = [seen.at for seen in polling.tag_requests[before:]]
        assert max(sent) - thawed >= (len(images) - 2) / 20, "no burst"
        assert all(state.up for state in polling.store.images.values())


async def test_what_expired_in_a_freeze_leaves_before_anything_is_asked(polling: Polling) -> None:
    await polling.first_round(BRIEFLY)
    polling.registry.fault = fault_named("denied")
    await polling.clock.oversleep(BRIEF.expire_after + 1)
    assert "tags" not in samples(polling)


async def test_the_systems_monotonic_time_is_the_one_that_timers_go_by() -> None:
    """Were it another, which goes on in a suspend, every delay would be wrong after one."""
    assert abs(asyncio.get_running_loop().time() - SystemClock().monotonic()) < 1


# Zones and leap seconds


@pytest.fixture(params=["Asia/Seoul", "America/New_York", "Australia/Lord_Howe"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Have the process stand in a zone; each has another summer time, one of half an hour."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sun, 30 Mar 2025 02:30:00 GMT", 1_743_301_800),
        ("Sun, 02 Nov 2025 01:30:00 GMT", 1_762_047_000),
        ("Thu, 09 Oct 2025 08:53:20 -0000", EPOCH),
        ("Thu Oct  9 08:53:20 2025", EPOCH),
        ("Thursday, 09-Oct-25 08:53:20 GMT", EPOCH),
        ("Thu, 09 Oct 2025 17:53:20 +0900", EPOCH),
    ],
)
def test_dates_of_the_gateway_are_read_in_their_own_zone(text: str, moment: float) -> None:
    assert date_of({"date": text}) == moment


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_reports_are_in_utc_whatever_the_zone_of_the_process(
    tmp_path: Path, zone: str, form: str
) -> None:
    midnight = 1_759_276_800_000
    tags = [tag("v1", pulled=midnight + 1000, last_updated=midnight - 1000)]
    with answering(source_of(app=tags)) as (_, url):
        config = write_config(tmp_path, url, "my-registry")
        done = inprocess.run("once", f"--config.file={config}", f"--format={form}")
    assert done.returncode == 0, zone
    assert "2025-10-01" in done.stdout
    assert "2025-09-30" in done.stdout or form == "table"


def test_a_leap_second_in_a_date_is_no_failure() -> None:
    assert date_of({"date": "Sat, 31 Dec 2016 23:59:60 GMT"}) is None


@pytest.mark.parametrize("what", CLOCKS)
def test_what_is_told_of_clocks_is_tried_here(what: str) -> None:
    assert CLOCKS[what].test in globals()
