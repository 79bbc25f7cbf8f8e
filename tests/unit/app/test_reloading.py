"""Reading the configuration again: a bad one changes nothing, and a changed file is followed."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.typing import EventDict

from ncr_exporter.app.reloading import Reloader
from ncr_exporter.config import Config, load
from ncr_exporter.runtime import timely
from ncr_exporter.runtime.errors import UserError
from tests.support.clock import ManualClock, eventually

GOOD = "registries: [{{name: {name}, images: [app]}}]\n"


class Told:
    """What the reloader did, in order."""

    def __init__(self) -> None:
        self.used: list[str] = []
        self.outcomes: list[str | None] = []
        self.refusal: UserError | None = None
        self.bug: Exception | None = None

    async def use(self, config: Config) -> None:
        if problem := self.refusal or self.bug:
            raise problem
        self.used.append(config.registries[0].name)
        self.outcomes.append(config.digest)

    def record_reload_failure(self) -> None:
        self.outcomes.append(None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "ncr-exporter.yml"
    file.write_text(GOOD.format(name="one"))
    return file


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def reloader(path: Path, told: Told, clock: ManualClock) -> Reloader:
    return reloader_of(path, told, clock)


def reloader_of(path: Path, told: Told, clock: ManualClock) -> Reloader:
    digest = load(str(path), {}).digest
    return Reloader(lambda: load(str(path), {}), told.use, told, clock, digest=digest)


@asynccontextmanager
async def followed(reloader: Reloader, path: Path) -> AsyncIterator[None]:
    """Follow the file until the end of the block."""
    following = asyncio.create_task(reloader.follow(path))
    try:
        yield
        assert not following.done(), "it would follow nothing any more"
    finally:
        following.cancel()


async def test_a_good_file_is_put_in_force(
    reloader: Reloader, told: Told, path: Path, logs: list[EventDict]
) -> None:
    await reloader.reload()
    assert told.used == ["one"]
    assert told.outcomes == [load(str(path), {}).digest]
    assert [entry["event"] for entry in logs] == ["configuration reloaded"]


async def test_a_bad_file_changes_nothing_and_says_why(
    reloader: Reloader, told: Told, path: Path, logs: list[EventDict]
) -> None:
    path.write_text("registries: [{name: two, imagse: [app]}]\n")
    with pytest.raises(UserError, match="did you mean 'images'"):
        await reloader.reload()
    assert told.used == []
    assert told.outcomes == [None]
    (entry,) = logs
    assert entry["log_level"] == "error"
    assert "registries[0].imagse: unknown key" in entry["error"]


async def test_a_file_that_reads_well_and_cannot_be_used_is_refused_likewise(
    reloader: Reloader, told: Told
) -> None:
    told.refusal = UserError("no API key")
    with pytest.raises(UserError, match="no API key"):
        await reloader.reload()
    assert told.outcomes == [None]


async def test_one_reload_runs_and_one_is_due_however_many_are_asked_for(
    path: Path, told: Told, clock: ManualClock
) -> None:
    running, go_on = asyncio.Event(), asyncio.Event()

    async def use(config: Config) -> None:
        await told.use(config)
        running.set()
        await go_on.wait()

    reloader = Reloader(lambda: load(str(path), {}), use, told, clock)
    first = asyncio.create_task(reloader.reload())
    await running.wait()
    path.write_text(GOOD.format(name="two"))
    others = [asyncio.create_task(reloader.reload()) for _ in range(50)]
    await asyncio.sleep(0)
    others[0].cancel()
    go_on.set()
    await asyncio.gather(first, *others[1:])
    assert told.used == ["one", "two"], "whoever asked while one ran is given the newer file"


async def test_all_who_wait_for_a_reload_that_fails_are_told(
    reloader: Reloader, told: Told
) -> None:
    told.refusal = UserError("no API key")
    asked = [asyncio.create_task(reloader.reload()) for _ in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["no API key"] * 3
    assert told.outcomes == [None]


async def test_a_file_that_hangs_fails_the_reload_with_a_sentence_and_holds_nothing_up(
    reloader: Reloader, told: Told, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe that nobody writes to, as a file on a dead file server."""
    monkeypatch.setattr(timely, "FILE_DEADLINE", 0.2)
    path.unlink()
    os.mkfifo(path)
    for _ in range(3):
        with pytest.raises(UserError, match=r"cannot be read: nothing came within 0.2 s"):
            await asyncio.wait_for(reloader.reload(), 5.0)
    path.unlink()
    path.write_text(GOOD.format(name="two"))
    await reloader.reload()
    assert told.used == ["two"]


async def looked(clock: ManualClock, fact: Callable[[], object]) -> None:
    """Let the follower look again, its reading in threads included, until a fact comes true."""

    def waiting() -> bool:
        return bool(fact()) or bool(clock.pending)

    for _ in range(100):
        await eventually(waiting)
        if fact():
            await eventually(lambda: bool(clock.pending))  # a look may be under way
            return
        await clock.advance(5)
    pytest.fail("it never came true")


async def test_a_changed_file_is_followed_and_an_unchanged_one_is_not_read_again(
    reloader: Reloader, told: Told, clock: ManualClock, path: Path
) -> None:
    async with followed(reloader, path):
        await looked(clock, lambda: clock.monotonic() > 1030)
        assert told.used == []
        path.write_text(GOOD.format(name="two"))
        await looked(clock, lambda: told.used == ["two"])
        path.write_text("broken: [")
        await looked(clock, lambda: told.outcomes[-1] is None)
        path.write_text(GOOD.format(name="three"))
        await looked(clock, lambda: told.used == ["two", "three"])
        path.touch()
        await looked(clock, lambda: clock.monotonic() > 1100)
        assert told.used == ["two", "three"]


async def test_a_file_is_compared_with_what_is_in_force_not_with_what_it_was(
    reloader: Reloader, told: Told, clock: ManualClock, path: Path
) -> None:
    """SIGHUP puts B in force, and A is restored before the next look."""
    first = path.read_text()
    async with followed(reloader, path):
        await looked(clock, lambda: clock.monotonic() > 1010)
        path.write_text(GOOD.format(name="two"))
        await reloader.reload()
        path.write_text(first)
        await looked(clock, lambda: told.used == ["two", "one"])


async def test_a_file_that_is_gone_is_said_once_and_what_follows_it_is_read(
    reloader: Reloader, told: Told, clock: ManualClock, path: Path, logs: list[EventDict]
) -> None:
    async with followed(reloader, path):
        await looked(clock, lambda: clock.monotonic() > 1010)
        content = path.read_text()
        path.unlink()
        await looked(clock, lambda: told.outcomes == [None])
        await looked(clock, lambda: clock.monotonic() > 1200)
        assert [entry["event"] for entry in logs] == [
            "reload failed; the configuration in force stays"
        ]
        assert "cannot be read" in logs[0]["error"]
        path.write_text(content)
        await looked(clock, lambda: told.used == ["one"])
        assert told.outcomes[-1], "the same as before, and the reload succeeded"


async def test_a_file_that_is_gone_for_a_moment_is_no_news(
    reloader: Reloader, told: Told, clock: ManualClock, path: Path, logs: list[EventDict]
) -> None:
    async with followed(reloader, path):
        await looked(clock, lambda: clock.monotonic() > 1010)
        content = path.read_text()
        path.unlink()
        await looked(clock, lambda: clock.monotonic() > 1015)
        path.write_text(content)
        await looked(clock, lambda: clock.monotonic() > 1060)
        assert (told.outcomes, logs) == ([], [])


async def test_a_refused_reload_is_tried_again_for_what_it_lacked_may_have_come(
    reloader: Reloader, told: Told, clock: ManualClock, path: Path, logs: list[EventDict]
) -> None:
    told.refusal = UserError("secret_key_file: no such file")
    async with followed(reloader, path):
        path.write_text(GOOD.format(name="two"))
        await looked(clock, lambda: len(told.outcomes) > 2)
        refused = [entry for entry in logs if entry["log_level"] == "error"]
        assert len(refused) == 1, "the same reason is said once"
        told.refusal = None
        await looked(clock, lambda: told.used == ["two"])
        await looked(clock, lambda: clock.monotonic() > 1400)
        assert told.used == ["two"]


async def test_so_is_one_that_somebody_asked_for(
    reloader: Reloader, told: Told, clock: ManualClock, path: Path
) -> None:
    async with followed(reloader, path):
        await looked(clock, lambda: clock.monotonic() > 1010)
        told.refusal = UserError("no API key")
        with pytest.raises(UserError):
            await reloader.reload()
        told.refusal = None
        await looked(clock, lambda: told.used == ["one"])


async def test_what_nobody_foresaw_is_a_failed_reload_and_the_file_is_followed_on(
    path: Path, told: Told, clock: ManualClock, logs: list[EventDict]
) -> None:
    def vanishing_at_first() -> Config:
        if not told.outcomes:
            raise FileNotFoundError(2, "gone while it was read")
        return load(str(path), {})

    reloader = Reloader(vanishing_at_first, told.use, told, clock)
    async with followed(reloader, path):
        await looked(clock, lambda: told.outcomes == [None])
        assert logs[0]["exc_info"], "a bug comes with its traceback"
        await looked(clock, lambda: told.used == ["one"])


async def test_who_asks_for_a_reload_is_told_of_what_nobody_foresaw(
    told: Told, clock: ManualClock
) -> None:
    def broken() -> Config:
        raise ZeroDivisionError

    with pytest.raises(UserError, match="unexpected ZeroDivisionError"):
        await Reloader(broken, told.use, told, clock).reload()
    assert told.outcomes == [None]


async def test_a_mounted_configmap_is_followed(
    tmp_path: Path, told: Told, clock: ManualClock
) -> None:
    """Kubernetes swaps a symlink: config.yml → ..data/config.yml, ..data → a dated directory."""
    for name, day in (("one", "..2026_01_01"), ("two", "..2026_01_02")):
        (tmp_path / day).mkdir()
        (tmp_path / day / "config.yml").write_text(GOOD.format(name=name))
    (tmp_path / "..data").symlink_to("..2026_01_01")
    mounted = tmp_path / "config.yml"
    mounted.symlink_to("..data/config.yml")
    reloader = reloader_of(mounted, told, clock)
    async with followed(reloader, mounted):
        await looked(clock, lambda: clock.monotonic() > 1010)
        (tmp_path / "..tmp").symlink_to("..2026_01_02")
        (tmp_path / "..tmp").rename(tmp_path / "..data")
        await looked(clock, lambda: told.used == ["two"])
