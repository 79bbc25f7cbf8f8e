"""The last good data over a restart: published at once, with its true age."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
import structlog

from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.state import persistence
from ncr_exporter.state.persistence import StatePersister, StorageError, write_state
from ncr_exporter.state.saved import SavedImage, SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import Timing
from tests.support.api_client import Fleet, tag
from tests.support.clock import EPOCH, ManualClock, eventually, settle
from tests.support.expositions import samples_of
from tests.support.polling import INTERVAL, Round, choosing, naming, play
from tests.support.states import (
    NOW,
    catalog_of,
    recorder,
    registry_target,
    rule,
    sample_tags,
    target,
)

EVERY = catalog_of(every=registry_target("*", rules=(rule("*"),)))


def store_with(*images: str) -> Store:
    store, _ = recorder()
    for image in images:
        store.restore(target(image), SavedImage(sample_tags(), NOW, pull_count=1))
    return store


def written(directory: Path, *images: str) -> Path:
    directory.mkdir(exist_ok=True)
    asyncio.run(StatePersister(directory, ManualClock(NOW)).write(store_with(*images)))
    return directory / "ncr-exporter.state"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written(tmp_path, "app", "web")
    kept = StatePersister(tmp_path, ManualClock(NOW)).read()
    assert kept.image(target("app"), NOW) is not None
    assert kept.image(target("web"), NOW) is not None


def test_a_first_start_has_nothing_and_makes_the_directory(tmp_path: Path) -> None:
    keeper = StatePersister(tmp_path / "new" / "directory", ManualClock())
    assert keeper.read() == SavedState()
    assert (tmp_path / "new" / "directory").is_dir()


def test_a_damaged_file_is_set_aside_with_a_warning(tmp_path: Path) -> None:
    path = written(tmp_path, "app")
    path.write_bytes(path.read_bytes()[:-3])
    with structlog.testing.capture_logs() as logs:
        assert StatePersister(tmp_path, ManualClock(NOW)).read() == SavedState()
    (entry,) = logs
    assert (entry["log_level"], entry["event"]) == ("warning", "stored state not used")
    assert Path(entry["file"]).exists()
    assert not path.exists()


def test_a_directory_that_cannot_be_used_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StorageError, match=r"--storage\.path"):
            StatePersister(path, ManualClock()).read()


def test_it_is_written_once_a_minute_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "ncr-exporter.state"

    async def run() -> None:
        clock, store = ManualClock(NOW), store_with("app")
        keeper = StatePersister(tmp_path, clock)
        async with keeper.persisting(store):
            await clock.advance(59)
            assert not path.exists()
            await clock.advance(1)
            await eventually(path.exists)
            path.unlink()
            await settle()
        assert path.exists()

    asyncio.run(run())


def test_the_last_write_waits_for_one_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_goes_on, began, ended = threading.Event(), list[int](), list[int]()

    def slow_at_first(path: Path, lines: list[bytes]) -> None:
        began.append(len(lines))
        if len(began) == 1:
            first_goes_on.wait(5)
        write_state(path, lines)
        ended.append(len(lines))

    monkeypatch.setattr(persistence, "write_state", slow_at_first)

    async def run() -> None:
        clock, store = ManualClock(NOW), store_with("app", "web")
        async with StatePersister(tmp_path, clock).persisting(store):
            await clock.advance(60)
            await eventually(lambda: bool(began))
            store.remove(target("web").key)
            asyncio.get_running_loop().call_later(0.1, first_goes_on.set)

    asyncio.run(run())
    assert ended == [2, 1], "else the older state would replace the newer one"


def test_a_failure_to_write_is_told_once_and_the_old_file_stays(tmp_path: Path) -> None:
    path = written(tmp_path / "state", "app")

    async def run() -> None:
        keeper = StatePersister(tmp_path / "moved", ManualClock(NOW))
        await keeper.write(store_with("app"))
        await keeper.write(store_with("app"))

    with structlog.testing.capture_logs() as logs:
        asyncio.run(run())
    assert [entry["event"] for entry in logs] == ["state not stored"]
    assert path.exists()


# Over a restart


def restarted(
    directory: Path, scenario: Any, *, source: Fleet | None = None, after: float = 0.0
) -> list[dict[str, Any]]:
    """Play a scenario with what an exporter before kept that was stopped `after` s ago."""
    fleet = source or Fleet(**{"my-registry": {"app": [tag("v1"), tag("v2")], "web": [tag("v1")]}})
    ended: list[float] = []

    async def before(polling: Round) -> None:
        await polling.first_round(*scenario.catalogs)
        await StatePersister(directory, polling.clock).write(polling.store)
        ended.append(polling.clock.time())

    play(before, source=fleet)
    clock = ManualClock(ended[0] + after)
    kept = StatePersister(directory, clock).read()
    return play(scenario, source=fleet, clock=clock, kept=kept)


class During:
    """A scenario that begins in an outage of the API."""

    def __init__(self, *catalogs: Any, check: Any) -> None:
        self.catalogs = catalogs
        self._check = check

    async def __call__(self, polling: Round) -> None:
        polling.registry.fault = fault_named("unavailable")
        polling.poller.apply(self.catalogs)
        await self._check(polling)


def text_of(polling: Round) -> str:
    pieces = polling.exposition.snapshot.text(polling.clock.time(), openmetrics=False)
    return b"".join(pieces).decode()


def test_a_restart_in_an_outage_publishes_the_last_good_data_with_its_true_age(
    tmp_path: Path,
) -> None:
    async def check(polling: Round) -> None:
        samples = samples_of(text_of(polling))
        app = (("image", "app"), ("registry", "my-registry"))
        assert samples["ncr_image_tags", app] == 2
        success = samples["ncr_image_last_success_timestamp_seconds", app]
        assert polling.clock.time() - success == pytest.approx(3600, abs=1)
        assert ("ncr_image_up", app) not in samples, "absent before the first poll"
        assert polling.poller.ready, "what was restored counts as tried"
        await polling.settled()
        state = polling.state("app")
        assert (state.up, state.image is not None) == (False, True)
        polling.registry.fault = None
        await polling.intervals(1)
        assert polling.state("app").up is True

    restarted(tmp_path, During(naming("app", "web"), check=check), after=3600)


def test_restored_data_expires_when_it_is_too_old(tmp_path: Path) -> None:
    async def check(polling: Round) -> None:
        assert polling.state("app").image is not None
        await polling.clock.advance(2 * 3600 + INTERVAL)
        assert polling.state("app").image is None

    restarted(tmp_path, During(naming("app"), check=check), after=22 * 3600)


def test_so_does_what_lists_told_of_a_registry_and_of_an_images_pulls(tmp_path: Path) -> None:
    fleet = Fleet(one={"a": [tag("v1")]})
    fleet.public.add("one")

    async def check(polling: Round) -> None:
        assert polling.listed("one").public is True
        assert polling.state("a", registry="one").pull_count == 1
        polling.registry.fault = None
        polling.registry.faults.add(fault_named("denied"), where="repositories?")
        polling.registry.faults.add(fault_named("denied"), where="/one?")
        await polling.clock.advance(2 * 3600 + INTERVAL)
        await polling.settled()
        assert polling.listed("one").public is None
        assert polling.state("a", registry="one").pull_count is None

    restarted(tmp_path, During(EVERY, check=check), source=fleet, after=22 * 3600)


def test_what_a_registry_list_told_does_not_grow_young_by_restarts(tmp_path: Path) -> None:
    """An image list that goes on being read must not lend its age to what another list told."""
    fleet = Fleet(one={"a": [tag("v1")]})
    fleet.public.add("one")
    found: list[bool | None] = []

    async def only_images_listed(polling: Round) -> None:
        polling.registry.fault = None
        polling.registry.faults.add(fault_named("denied"), where="repositories?")
        await polling.intervals(1)
        assert polling.listed("one").up is True
        found.append(polling.listed("one").public)
        await StatePersister(tmp_path, polling.clock).write(polling.store)

    scenario = During(EVERY, check=only_images_listed)
    restarted(tmp_path, scenario, source=fleet, after=10 * 3600)
    clock = ManualClock(EPOCH + 20 * 3600)
    play(scenario, source=fleet, clock=clock, kept=StatePersister(tmp_path, clock).read())
    clock = ManualClock(EPOCH + 30 * 3600)
    play(scenario, source=fleet, clock=clock, kept=StatePersister(tmp_path, clock).read())
    assert found == [True, True, None]


def test_nor_does_it_leave_with_an_image_list_that_is_too_old(tmp_path: Path) -> None:
    fleet = Fleet(one={"a": [tag("v1")]})
    fleet.public.add("one")

    async def only_registries_listed(polling: Round) -> None:
        await polling.first_round(EVERY)
        polling.registry.faults.add(fault_named("denied"), where="/one")
        await polling.intervals(100)
        assert polling.listed("one").images is None
        await StatePersister(tmp_path, polling.clock).write(polling.store)

    async def check(polling: Round) -> None:
        assert (polling.listed("one").images, polling.listed("one").public) == (None, True)

    clock = ManualClock()
    play(only_registries_listed, source=fleet, clock=clock)
    kept = StatePersister(tmp_path, clock).read()
    play(During(EVERY, check=check), source=fleet, clock=ManualClock(clock.time()), kept=kept)


def test_what_a_list_told_of_pulls_is_used_only_where_it_would_be_of_the_registry(
    tmp_path: Path,
) -> None:
    quick = Timing(interval=300.0, expire_after=3600.0)
    rules = (rule("app"),)
    catalog = catalog_of(registry_target(timing=quick, rules=rules))

    async def check(polling: Round) -> None:
        assert polling.listed().images is None
        assert polling.state("app").image is not None
        assert polling.state("app").pull_count is None

    restarted(tmp_path, During(catalog, check=check), after=2 * 3600)


def test_data_that_is_too_old_already_is_not_published(tmp_path: Path) -> None:
    async def check(polling: Round) -> None:
        assert polling.state("app").image is None
        assert not polling.poller.ready

    restarted(tmp_path, During(naming("app"), check=check), after=25 * 3600)


def test_found_registries_and_images_are_published_before_any_list(tmp_path: Path) -> None:
    fleet = Fleet(one={"a": [tag("v1")], "b": [tag("v1")]}, two={"a": [tag("v1")]})
    fleet.public.add("two")

    async def check(polling: Round) -> None:
        assert sorted(polling.store.images) == [("one", "a"), ("one", "b"), ("two", "a")]
        assert polling.listed("one").images == 2
        assert polling.listed("two").public is True
        polling.registry.fault = None
        del fleet.content["one"]["b"]
        await polling.intervals(4)
        assert sorted(polling.store.images) == [("one", "a"), ("two", "a")]

    restarted(tmp_path, During(EVERY, check=check), source=fleet)


def test_the_present_configuration_decides_what_is_used(tmp_path: Path) -> None:
    async def check(polling: Round) -> None:
        assert polling.published == ["app", "web"]
        polling.poller.apply([naming("web")])
        assert polling.published == ["web"]

    restarted(tmp_path, During(naming("app", "web"), check=check))
    kept = StatePersister(tmp_path, ManualClock(NOW + 10)).read()
    assert kept.images

    async def only_web(polling: Round) -> None:
        polling.poller.apply([naming("web")])
        assert polling.published == ["web"]
        assert polling.state("web").image is not None

    play(only_web, kept=kept, clock=ManualClock(NOW + 10))


def test_an_image_found_before_the_restart_stays_over_a_reload_though_nothing_of_it_is_known(
    tmp_path: Path,
) -> None:
    async def check(polling: Round) -> None:
        assert polling.published == ["app", "web"], "asked for, though its data is too old"
        polling.poller.apply([choosing(rule("*", tags_limit=7))])
        assert polling.published == ["app", "web"]

    restarted(tmp_path, During(choosing(rule("*")), check=check), after=25 * 3600)
