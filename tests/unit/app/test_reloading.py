"""Reading the configuration anew: a bad one changes nothing, and a changed file is followed."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import structlog

from ncr_exporter.app.reloading import Reloader
from ncr_exporter.config import Config, load
from ncr_exporter.runtime.errors import UserError
from tests.support.clock import ManualClock, eventually

GOOD = "registries: [{{name: {name}, images: [app]}}]\n"


class Told:
    """What the reloader did, in order."""

    def __init__(self) -> None:
        self.used: list[str] = []
        self.outcomes: list[str | None] = []
        self.refusal: UserError | None = None

    def use(self, config: Config) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.used.append(config.registries[0].name)
        self.outcomes.append(config.digest)

    def record_reload_failure(self) -> None:
        self.outcomes.append(None)


Scenario = Callable[[Reloader, Told, ManualClock], Coroutine[Any, Any, None]]


def play(path: Path, scenario: Scenario) -> list[dict[str, Any]]:
    async def run() -> None:
        told, clock = Told(), ManualClock()
        reloader = Reloader(lambda: load(str(path), {}), told.use, told, clock)
        await scenario(reloader, told, clock)

    with structlog.testing.capture_logs() as logs:
        asyncio.run(run())
    return [dict(entry) for entry in logs]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "ncr-exporter.yml"
    file.write_text(GOOD.format(name="one"))
    return file


def test_a_good_file_is_put_in_force(path: Path) -> None:
    async def scenario(reloader: Reloader, told: Told, _: ManualClock) -> None:
        await reloader.reload()
        assert told.used == ["one"]
        assert told.outcomes == [load(str(path), {}).digest]

    logs = play(path, scenario)
    assert [entry["event"] for entry in logs] == ["configuration reloaded"]


def test_a_bad_file_changes_nothing_and_says_why(path: Path) -> None:
    async def scenario(reloader: Reloader, told: Told, _: ManualClock) -> None:
        write(path, "registries: [{name: two, imagse: [app]}]\n")
        with pytest.raises(UserError, match="did you mean 'images'"):
            await reloader.reload()
        assert told.used == []
        assert told.outcomes == [None]

    (entry,) = play(path, scenario)
    assert entry["log_level"] == "error"
    assert "registries[0].imagse: unknown key" in entry["error"]


def test_a_file_that_reads_well_and_cannot_be_used_is_refused_likewise(path: Path) -> None:
    async def scenario(reloader: Reloader, told: Told, _: ManualClock) -> None:
        told.refusal = UserError("no API key")
        with pytest.raises(UserError, match="no API key"):
            await reloader.reload()
        assert told.outcomes == [None]

    play(path, scenario)


def test_reloads_come_one_after_another(path: Path) -> None:
    async def scenario(reloader: Reloader, told: Told, _: ManualClock) -> None:
        await asyncio.gather(*(reloader.reload() for _ in range(5)))
        assert told.used == ["one"] * 5

    play(path, scenario)


def write(path: Path, text: str) -> None:
    path.write_text(text)


def digest_of(path: Path) -> str:
    return load(str(path), {}).digest


def remove(path: Path) -> None:
    path.unlink()


async def looked(clock: ManualClock, fact: Callable[[], object]) -> None:
    """Let the follower look again, its reading in threads included, until a fact comes true."""

    def waiting() -> bool:
        return bool(fact()) or bool(clock.pending)

    for _ in range(10):
        await eventually(waiting)
        if fact():
            return
        await clock.advance(5)
    pytest.fail("it never came true")


def test_a_changed_file_is_followed_and_an_unchanged_one_is_not_read_again(path: Path) -> None:
    async def scenario(reloader: Reloader, told: Told, clock: ManualClock) -> None:
        following = asyncio.create_task(reloader.follow(path, digest_of(path)))
        await looked(clock, lambda: clock.monotonic() > 1030)
        assert told.used == []
        write(path, GOOD.format(name="two"))
        await looked(clock, lambda: told.used == ["two"])
        remove(path)
        await looked(clock, lambda: clock.monotonic() > 1060)
        write(path, "broken: [")
        await looked(clock, lambda: told.outcomes[-1] is None)
        write(path, GOOD.format(name="three"))
        await looked(clock, lambda: told.used == ["two", "three"])
        following.cancel()

    play(path, scenario)


def test_a_mounted_configmap_is_followed(tmp_path: Path) -> None:
    """Kubernetes swaps a symlink: config.yml → ..data/config.yml, ..data → a dated directory."""
    for name, day in (("one", "..2026_01_01"), ("two", "..2026_01_02")):
        (tmp_path / day).mkdir()
        (tmp_path / day / "config.yml").write_text(GOOD.format(name=name))
    (tmp_path / "..data").symlink_to("..2026_01_01")
    mounted = tmp_path / "config.yml"
    mounted.symlink_to("..data/config.yml")

    async def scenario(reloader: Reloader, told: Told, clock: ManualClock) -> None:
        following = asyncio.create_task(reloader.follow(mounted, digest_of(mounted)))
        await looked(clock, lambda: clock.monotonic() > 1010)
        (tmp_path / "..tmp").symlink_to("..2026_01_02")
        (tmp_path / "..tmp").rename(tmp_path / "..data")
        await looked(clock, lambda: told.used == ["two"])
        following.cancel()

    play(mounted, scenario)
