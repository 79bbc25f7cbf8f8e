"""The last good data over a restart: published at once, with its true age."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.typing import EventDict

from ncr_exporter.inventory import TagList
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.state import persistence
from ncr_exporter.state.file import write_state
from ncr_exporter.state.persistence import StatePersister, StorageError
from ncr_exporter.state.saved import SavedImage, SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import RegistryListTarget, Timing
from tests.support.api_client import Fleet, tag
from tests.support.clock import EPOCH, ManualClock, eventually, settle
from tests.support.expositions import samples_of
from tests.support.polling import INTERVAL, Polling, choosing, naming, polling_of
from tests.support.states import (
    NOW,
    list_target_of,
    recorder,
    registry_target,
    rule,
    sample_tags,
    target,
)

EVERY = list_target_of(every=registry_target("*", rules=(rule("*"),)))


def store_with(*images: str) -> Store:
    store, _ = recorder()
    for image in images:
        store.restore(target(image), SavedImage(TagList.of(sample_tags()), NOW, pull_count=1))
    return store


async def written(directory: Path, *images: str) -> Path:
    directory.mkdir(exist_ok=True)
    await StatePersister(directory, ManualClock(NOW)).write(store_with(*images))
    return directory / "ncr-exporter.state"


class Told:
    """What the persister told, in order: the moment of a state, or that a write failed."""

    def __init__(self) -> None:
        self.events: list[float | str] = []

    def record_state_write(self, at: float) -> None:
        self.events.append(at)

    def record_state_write_failure(self) -> None:
        self.events.append("failed")


async def test_what_was_written_is_read(tmp_path: Path) -> None:
    await written(tmp_path, "app", "web")
    kept = StatePersister(tmp_path, ManualClock(NOW)).read()
    assert kept.image(target("app"), NOW) is not None
    assert kept.image(target("web"), NOW) is not None


def test_a_first_start_has_nothing_and_makes_the_directory(tmp_path: Path) -> None:
    keeper = StatePersister(tmp_path / "new" / "directory", ManualClock())
    keeper.prepare()
    assert keeper.read() == SavedState()
    assert (tmp_path / "new" / "directory").is_dir()


async def test_a_damaged_file_is_set_aside_with_a_warning(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    path = await written(tmp_path, "app")
    path.write_bytes(path.read_bytes()[:-3])
    assert StatePersister(tmp_path, ManualClock(NOW)).read() == SavedState()
    (entry,) = logs
    assert (entry["log_level"], entry["event"]) == ("warning", "stored state not used")
    assert Path(entry["file"]).exists()
    assert not path.exists()


def test_a_directory_that_cannot_be_used_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StorageError, match=r"--storage\.path"):
            StatePersister(path, ManualClock()).prepare()


async def test_it_is_written_once_a_minute_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "ncr-exporter.state"
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


async def test_the_last_write_waits_for_one_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_goes_on, began, ended = threading.Event(), list[int](), list[int]()

    def slow_at_first(path: Path, frames: Iterable[bytes]) -> None:
        written = list(frames)
        began.append(len(written))
        if len(began) == 1:
            first_goes_on.wait(5)
        write_state(path, written)
        ended.append(len(written))

    monkeypatch.setattr(persistence, "write_state", slow_at_first)
    clock, store = ManualClock(NOW), store_with("app", "web")
    async with StatePersister(tmp_path, clock).persisting(store):
        await clock.advance(60)
        await eventually(lambda: bool(began))
        store.remove(target("web").key)
        asyncio.get_running_loop().call_later(0.1, first_goes_on.set)
    assert ended == [2, 1], "else the older state would replace the newer one"


async def test_a_failure_to_write_is_told_once_and_the_old_file_stays(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    path = await written(tmp_path / "state", "app")
    before = path.read_bytes()
    (tmp_path / "file").write_text("no directory")
    keeper = StatePersister(tmp_path / "state", ManualClock(NOW), told := Told())
    (tmp_path / "state").rename(tmp_path / "moved")
    (tmp_path / "state").write_text("no directory")
    await keeper.write(store_with("web"))
    await keeper.write(store_with("web"))
    assert [entry["event"] for entry in logs] == ["state not stored"]
    assert (tmp_path / "moved" / path.name).read_bytes() == before
    assert told.events == ["failed", "failed"]
    (tmp_path / "state").unlink()
    await keeper.write(store_with("web"))
    assert [entry["event"] for entry in logs] == ["state not stored", "state is stored again"]
    assert told.events == ["failed", "failed", NOW]


async def test_a_directory_that_vanished_is_made_again(tmp_path: Path) -> None:
    path, clock = tmp_path / "state" / "ncr-exporter.state", ManualClock(NOW)
    keeper = StatePersister(path.parent, clock)
    keeper.prepare()
    async with keeper.persisting(store_with("app")):
        shutil.rmtree(path.parent)
        await clock.advance(60)
        await eventually(path.exists)
        again = StatePersister(path.parent, clock, told := Told())
        await again.write(store_with("web"))
        assert told.events == ["failed"], "the claim was made again, too"


async def test_of_two_processes_on_one_path_the_second_says_so_and_does_not_write(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    path, clock = tmp_path / "ncr-exporter.state", ManualClock(NOW)
    first = StatePersister(tmp_path, clock)
    second = StatePersister(tmp_path, clock, told := Told())
    first.prepare()
    await first.write(store_with("app"))
    before = path.read_bytes()
    second.prepare()
    assert second.read().image(target("app"), NOW) is not None, "to read it harms nobody"
    (entry,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert "another process" in entry["event"]
    assert "--storage.path" in entry["remedy"]
    async with first.persisting(store_with("app")):
        await second.write(store_with("web"))
        assert path.read_bytes() == before
        assert told.events[1:] == ["failed"]
    await second.write(store_with("web"))
    assert told.events[2:] == [NOW], "it goes on where the first has ended"
    assert path.read_bytes() != before


async def test_the_state_of_a_newer_version_is_neither_read_nor_moved_nor_replaced(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    path = await written(tmp_path, "app")
    path.write_bytes(newer := path.read_bytes().replace(b"state 3\n", b"state 4\n"))
    keeper = StatePersister(tmp_path, ManualClock(NOW), told := Told())
    assert keeper.read() == SavedState()
    (entry,) = logs
    assert (entry["log_level"], entry["event"]) == ("warning", "stored state not used")
    assert "version 4" in entry["error"]
    await keeper.write(store_with("web"))
    assert [each.name for each in tmp_path.glob("*.state*")] == [path.name]
    assert path.read_bytes() == newer
    assert told.events == ["failed"]
    assert "newer version" in logs[-1]["error"]
    path.unlink()
    await keeper.write(store_with("web"))
    assert told.events == ["failed", NOW]


async def test_what_a_killed_writer_left_is_removed_at_the_start(tmp_path: Path) -> None:
    path = await written(tmp_path, "app")
    left = tmp_path / ".ncr-exporter.state.abcd1234.tmp"
    left.write_bytes(b"half of a state")
    StatePersister(tmp_path, ManualClock(NOW)).prepare()
    assert not left.exists()
    assert path.exists()


@pytest.mark.parametrize("work", ["_snapshot_of", "image_frame"])
async def test_what_nobody_foresaw_is_a_failure_to_write_and_the_next_write_comes(
    work: str, tmp_path: Path, logs: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Iterable[bytes]:
        raise ZeroDivisionError("nobody foresaw this")

    clock, path = ManualClock(NOW), tmp_path / "ncr-exporter.state"
    async with StatePersister(tmp_path, clock, told := Told()).persisting(store_with("app")):
        with monkeypatch.context() as patched:
            patched.setattr(persistence, work, broken)
            await clock.advance(60)
            await eventually(lambda: told.events)
        assert told.events == ["failed"]
        (entry,) = logs
        assert (entry["event"], entry["error"]) == ("state not stored", "nobody foresaw this")
        assert entry["exc_info"], "a bug comes with its traceback"
        await eventually(lambda: clock.pending)
        await clock.advance(60)
        await eventually(path.exists)


async def test_the_age_of_a_state_that_was_read_is_told_at_once(tmp_path: Path) -> None:
    path = await written(tmp_path, "app")
    StatePersister(tmp_path, ManualClock(NOW), told := Told()).read()
    assert told.events == [path.stat().st_mtime]


# Over a restart


@asynccontextmanager
async def in_outage(
    directory: Path, clock: ManualClock, *targets: RegistryListTarget, source: Fleet
) -> AsyncIterator[Polling]:
    """Give a poller that begins in an outage of the API, with what is stored."""
    saved = StatePersister(directory, clock).read()
    async with polling_of(source=source, clock=clock, saved=saved) as polling:
        polling.registry.fault = fault_named("unavailable")
        await polling.poller.apply(targets)
        yield polling


@asynccontextmanager
async def restarted(
    directory: Path, *targets: RegistryListTarget, source: Fleet | None = None, after: float = 0.0
) -> AsyncIterator[Polling]:
    """Give a poller as `in_outage` does, of what an exporter stored that stopped `after` s ago."""
    fleet = source or Fleet(**{"my-registry": {"app": [tag("v1"), tag("v2")], "web": [tag("v1")]}})
    async with polling_of(source=fleet) as before:
        await before.first_round(*targets)
        await StatePersister(directory, before.clock).write(before.store)
    clock = ManualClock(before.clock.time() + after)
    async with in_outage(directory, clock, *targets, source=fleet) as polling:
        yield polling


def text_of(polling: Polling) -> str:
    pieces = polling.exposition.snapshot.text(polling.clock.time(), openmetrics=False)
    return b"".join(pieces).decode()


async def test_a_restart_in_an_outage_publishes_the_last_good_data_with_its_true_age(
    tmp_path: Path,
) -> None:
    async with restarted(tmp_path, naming("app", "web"), after=3600) as polling:
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


async def test_restored_data_make_it_ready_and_the_first_round_ends_when_all_was_asked_for(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    async with restarted(tmp_path, naming("app", "web"), after=3600) as polling:
        assert polling.poller.ready
        assert len(rounds_of(logs)) == 1, "that of the run before"
        await polling.settled()
    assert rounds_of(logs) == [(2, 0), (2, 2)]


def rounds_of(logs: list[EventDict]) -> list[tuple[int, int]]:
    """Return images and failures of each first round that was logged."""
    done = [entry for entry in logs if entry["event"] == "first round done"]
    return [(entry["images"], entry["failed"]) for entry in done]


async def test_restored_data_expires_when_it_is_too_old(tmp_path: Path) -> None:
    async with restarted(tmp_path, naming("app"), after=22 * 3600) as polling:
        assert polling.state("app").image is not None
        await polling.clock.advance(2 * 3600 + INTERVAL)
        assert polling.state("app").image is None


async def test_so_does_what_lists_told_of_a_registry_and_of_an_images_pulls(tmp_path: Path) -> None:
    fleet = Fleet(one={"a": [tag("v1")]})
    fleet.public.add("one")
    async with restarted(tmp_path, EVERY, source=fleet, after=22 * 3600) as polling:
        assert polling.listed("one").public is True
        assert polling.state("a", registry="one").pull_count == 1
        polling.registry.fault = None
        polling.registry.faults.add(fault_named("denied"), where="repositories?")
        polling.registry.faults.add(fault_named("denied"), where="/one?")
        await polling.clock.advance(2 * 3600 + INTERVAL)
        await polling.settled()
        assert polling.listed("one").public is None
        assert polling.state("a", registry="one").pull_count is None


async def test_what_a_registry_list_told_does_not_grow_young_by_restarts(tmp_path: Path) -> None:
    """An image list that goes on being read must not lend its age to what another list told."""
    fleet = Fleet(one={"a": [tag("v1")]})
    fleet.public.add("one")
    found: list[bool | None] = []

    async def list_only_images(polling: Polling) -> None:
        polling.registry.fault = None
        polling.registry.faults.add(fault_named("denied"), where="repositories?")
        await polling.intervals(1)
        assert polling.listed("one").up is True
        found.append(polling.listed("one").public)
        await StatePersister(tmp_path, polling.clock).write(polling.store)

    async with restarted(tmp_path, EVERY, source=fleet, after=10 * 3600) as polling:
        await list_only_images(polling)
    for hours in (20, 30):
        clock = ManualClock(EPOCH + hours * 3600)
        async with in_outage(tmp_path, clock, EVERY, source=fleet) as polling:
            await list_only_images(polling)
    assert found == [True, True, None]


async def test_nor_does_it_leave_with_an_image_list_that_is_too_old(tmp_path: Path) -> None:
    fleet = Fleet(one={"a": [tag("v1")]})
    fleet.public.add("one")
    async with polling_of(source=fleet) as polling:
        await polling.first_round(EVERY)
        polling.registry.faults.add(fault_named("denied"), where="/one")
        await polling.intervals(100)
        assert polling.listed("one").images is None
        await StatePersister(tmp_path, polling.clock).write(polling.store)
    clock = ManualClock(polling.clock.time())
    async with in_outage(tmp_path, clock, EVERY, source=fleet) as polling:
        assert (polling.listed("one").images, polling.listed("one").public) == (None, True)


async def test_what_a_list_told_of_pulls_is_used_only_where_it_would_be_of_the_registry(
    tmp_path: Path,
) -> None:
    quick = Timing(interval=300.0, expire_after=3600.0)
    rules = (rule("app"),)
    target = list_target_of(registry_target(timing=quick, rules=rules))
    async with restarted(tmp_path, target, after=2 * 3600) as polling:
        assert polling.listed().images is None
        assert polling.state("app").image is not None
        assert polling.state("app").pull_count is None


async def test_data_that_is_too_old_already_is_not_published(tmp_path: Path) -> None:
    async with restarted(tmp_path, naming("app"), after=25 * 3600) as polling:
        assert polling.state("app").image is None
        assert not polling.poller.ready


async def test_found_registries_and_images_are_published_before_any_list(tmp_path: Path) -> None:
    fleet = Fleet(one={"a": [tag("v1")], "b": [tag("v1")]}, two={"a": [tag("v1")]})
    fleet.public.add("two")
    async with restarted(tmp_path, EVERY, source=fleet) as polling:
        assert sorted(polling.store.images) == [("one", "a"), ("one", "b"), ("two", "a")]
        assert polling.listed("one").images == 2
        assert polling.listed("two").public is True
        polling.registry.fault = None
        del fleet.content["one"]["b"]
        await polling.intervals(4)
        assert sorted(polling.store.images) == [("one", "a"), ("two", "a")]


async def test_the_present_configuration_decides_what_is_used(tmp_path: Path) -> None:
    async with restarted(tmp_path, naming("app", "web")) as polling:
        assert polling.published == ["app", "web"]
        await polling.poller.apply([naming("web")])
        assert polling.published == ["web"]
    clock = ManualClock(NOW + 10)
    saved = StatePersister(tmp_path, clock).read()
    assert saved.images
    async with polling_of(saved=saved, clock=clock) as polling:
        await polling.poller.apply([naming("web")])
        assert polling.published == ["web"]
        assert polling.state("web").image is not None


async def test_an_image_found_before_the_restart_stays_over_a_reload_though_nothing_of_it_is_known(
    tmp_path: Path,
) -> None:
    async with restarted(tmp_path, choosing(rule("*")), after=25 * 3600) as polling:
        assert polling.published == ["app", "web"], "asked for, though its data is too old"
        await polling.poller.apply([choosing(rule("*", tags_limit=7))])
        assert polling.published == ["app", "web"]
