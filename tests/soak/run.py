"""A soak: the plan carried out, everybody asking meanwhile, and the exporter looked at."""

import asyncio
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from multiprocessing import get_context
from pathlib import Path

import httpx

from tests.soak.exporter import AUTH, Exporter
from tests.soak.plan import Calm, Image, Reload, Settings, Step, plan
from tests.soak.pressure import Pressure
from tests.soak.readings import Reading
from tests.soak.report import Findings
from tests.soak.scrapers import KINDS, Checks, Heard, Scrapers, at_work, now
from tests.soak.settings import SECRET_FILE, write_settings
from tests.soak.world import Tally, World
from tests.support.clock import eventually
from tests.support.expositions import Key

_PATIENCE = 60.0
"""Seconds: what a busy machine may take. Whether it is slow, the report says."""
_MANY = httpx.Limits(max_connections=100, keepalive_expiry=30.0)
_HEALS = 60.0
"""Seconds; on a quiet machine all is well again in two."""
_RELOADS = 20.0
_LATE = 10.0
"""Seconds that a busy machine may take to act on a reload."""


class Soak:
    """One exporter in one world."""

    def __init__(self, world: World, url: str, directory: Path, seed: int, pool: Executor) -> None:
        self.problems: list[str] = []
        self.heard = Heard()
        self.pressure: Pressure | None = None
        self.reloads = 0
        self.broken = 0
        self._directory = directory
        self._world = world
        self._url = url
        self._seed = seed
        self._pool = pool
        self._settings = Settings()
        self._restarts: list[tuple[float, str]] = []
        """Moments from which a registry's counters may begin anew."""
        self.config = self._write(self._settings)

    async def run(self, program: Exporter, seconds: float) -> None:
        """Let everything happen, and see that all is well at the end."""
        async with httpx.AsyncClient(
            base_url=program.url, auth=AUTH, timeout=_PATIENCE, limits=_MANY, trust_env=False
        ) as client:
            try:
                await self._run(program, client, seconds)
            except Exception as error:  # noqa: BLE001 -- what was seen until then is worth a report
                self.problems.append(f"the soak broke off: {_first(error)!r}")

    async def _run(self, program: Exporter, client: httpx.AsyncClient, seconds: float) -> None:
        checks = Checks(self._overdue, self._restarted, "soak-secret")
        scrapers = Scrapers(client, self._seed, checks, self._pool)
        self.heard = scrapers.heard
        self.pressure = pressure = Pressure(program, self.heard, self._seed)
        await asyncio.to_thread(program.ready, _PATIENCE)
        every = max(0.2, min(1.0, seconds / 100))
        everybody = [*scrapers.everybody(), *pressure.everybody(), self._look(program, every)]
        async with at_work(everybody):
            await self._follow(plan(self._seed, seconds), program, client)
            self._world.apply(Calm())
        await self._heals(scrapers)

    async def _look(self, program: Exporter, every: float) -> None:
        while True:
            await program.look()
            await asyncio.sleep(every)

    async def _follow(
        self, steps: Iterable[Step], program: Exporter, client: httpx.AsyncClient
    ) -> None:
        began = now()
        for step in steps:
            await asyncio.sleep(max(0.0, began + step.at - now()))
            if isinstance(step.what, Reload):
                await self._reload(step.what, program, client)
            else:
                self._world.apply(step.what)

    async def _reload(self, what: Reload, program: Exporter, client: httpx.AsyncClient) -> None:
        self._write(what.settings)
        if what.by_signal:
            program.process.send_signal(signal.SIGHUP)
        else:
            answer = await client.post("/-/reload")
            broken = what.settings.broken
            right = HTTPStatus.INTERNAL_SERVER_ERROR if broken else HTTPStatus.OK
            if answer.status_code != right:
                self.problems.append(f"a reload answers {answer.status_code}: {answer.text}")
        try:
            await asyncio.to_thread(program.wait_for_line, "reload", _RELOADS)
        except AssertionError:
            self.problems.append(f"nothing was heard of a reload: {what}")
        self.reloads += 1
        self.broken += what.settings.broken

    def _write(self, settings: Settings) -> Path:
        if not settings.broken:
            old, new = self._settings.counted, settings.counted
            changed = {name for name in old | new if old.get(name) != new.get(name)}
            self._restarts += [(now(), name) for name in changed]
            self._settings = settings
        return write_settings(self._directory, self._url, settings)

    def _overdue(self, image: tuple[str, str], ago: float) -> bool:
        return self._world.overdue(image, time.time() - ago)

    def _restarted(self, key: Key, since: float) -> bool:
        registry = dict(key[1]).get("registry")
        return any(at > since - _LATE for at, name in self._restarts if name == registry)

    async def _heals(self, scrapers: Scrapers) -> None:
        """See that in the end what is published is what is there."""
        truth = self._world.truth(self._settings.selection)
        wrong: list[str] = []

        async def healed() -> bool:
            wrong[:] = differences(truth, await scrapers.scrape(KINDS[0]))
            return not wrong

        try:
            await eventually(healed, within=_HEALS, every=0.1)
        except TimeoutError:
            self.problems += [f"{_HEALS:.0f} s after the last fault {each}" for each in wrong]


def differences(truth: Mapping[Image, int], reading: Reading) -> Iterator[str]:
    """Yield where what is published is not what is there: image → how many tags."""
    for image in sorted(truth.keys() | reading.tags.keys()):
        there, published, up = truth.get(image), reading.tags.get(image), reading.up.get(image)
        if there != published:
            yield f"{image} has {there} tags and is published with {published}"
        elif up != 1:
            yield f"the last poll of {image} has not succeeded"


async def soak(seed: int, seconds: float, *, call: str, log: Path) -> Findings:
    """Run a soak; `call` is the command that repeats it, `log` where the exporter's log goes."""
    began, date = time.monotonic(), time.strftime("%Y-%m-%d", time.gmtime())
    with tempfile.TemporaryDirectory() as name, _pool() as pool:
        directory = Path(name)
        world = World(directory / SECRET_FILE)
        async with world.serving() as url:
            it = Soak(world, url, directory, seed, pool)
            with _logged(Exporter(it.config, directory / "state"), log) as program:
                await it.run(program, seconds)
                problems = await program.end()
    return Findings(
        call=call,
        date=date,
        seconds=time.monotonic() - began,
        samples=program.samples,
        done=_done(it, world.tally),
        latencies=it.heard.latencies,
        problems=[*it.problems, *it.heard.problems, *problems],
    )


@contextmanager
def _logged(program: Exporter, log: Path) -> Iterator[Exporter]:
    """Run the exporter until the end of the block; its log is kept, however it ends."""
    try:
        with program:
            yield program
    finally:
        log.write_text("\n".join([*program.log, ""]), encoding="utf-8")


def _done(it: Soak, tally: Tally) -> dict[str, int]:
    return {
        "requests to the API": tally.requests,
        "of them met by a fault": tally.spoiled,
        "spells of faults": sum(tally.spells.values()),
        "different faults": len(tally.spells),
        "images born": tally.born,
        "images deleted": tally.dead,
        "tags pushed, and as many deleted": tally.tagged,
        "reloads": it.reloads,
        "of them with a broken file": it.broken,
        "scrapes read whole": it.heard.read,
        "series of the last": it.heard.series,
        "visits by rude clients": it.heard.rude,
        "crowds that keep all connections": it.pressure.crowds if it.pressure else 0,
        "guesses at passwords": it.pressure.guesses if it.pressure else 0,
        "stalls of who reads the log": it.pressure.stalls if it.pressure else 0,
    }


def _pool() -> Executor:
    """Return a process that parses, so that whoever measures does not wait for it."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def _first(error: BaseException) -> BaseException:
    """Return the error itself of a group of them."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
