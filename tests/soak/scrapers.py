"""Everybody who asks a soak's exporter: monitoring, people, and clients without manners."""

import asyncio
import math
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx

from tests.soak.exporter import AUTH
from tests.soak.readings import Reading, fallen, read
from tests.support.expositions import Key
from tests.support.passwords import authorization

_TEXT = "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
_OPENMETRICS = f"application/openmetrics-text;version=1.0.0,{_TEXT}"
_GOES_ROUND = 5.0  # seconds
_LINGER_NOT = struct.pack("ii", 1, 0)
_NAMES = "?name[]=ncr_image_tags&name[]=ncr_image_up"


@dataclass(frozen=True)
class Kind:
    """One way of scraping."""

    name: str
    accept: str = _TEXT
    encoding: str = "gzip"
    query: str = ""
    every: float = 0.5
    """Seconds from one answer to the next request."""
    dawdle: float = 0.0
    """Seconds waited after each piece of the answer."""


KINDS = (
    Kind("text, gzip"),
    Kind("text, identity", encoding="identity"),
    Kind("OpenMetrics, gzip", _OPENMETRICS),
    Kind("OpenMetrics, identity", _OPENMETRICS, encoding="identity", every=1.0),
    Kind("some names", query=_NAMES, every=0.7),
    Kind("slow reader", encoding="identity", every=1.0, dawdle=0.1),
)
PAGES = ("/", "/?q=app&sort=size", "/config", "/report.csv", "/-/healthy", "/nowhere")


@dataclass
class Heard:
    """What all of them found."""

    latencies: dict[str, list[float]] = field(default_factory=dict)
    """Who asked → seconds of each answer, whole."""
    problems: list[str] = field(default_factory=list)
    read: int = 0
    rude: int = 0
    pushed_out_at: float = -math.inf
    """When a crowd last pushed idle connections out (monotonic seconds)."""
    series: int = 0
    """Of the last scrape."""

    def took(self, who: str, seconds: float) -> None:
        """Note an answer."""
        self.latencies.setdefault(who, []).append(seconds)


@dataclass(frozen=True)
class Checks:
    """What only who knows the world can tell of a scrape. Times are monotonic seconds."""

    overdue: Callable[[tuple[str, str], float], bool]
    """An image, and how many seconds ago the scrape began → whether it must not be there."""
    restarted: Callable[[Key, float], bool]
    """A counter, and a moment → whether it may have begun anew since."""
    secret: str
    """What every secret begins with."""


class Scrapers:
    """Those who ask an exporter until they are cancelled."""

    def __init__(
        self, client: httpx.AsyncClient, seed: int, checks: Checks, pool: Executor
    ) -> None:
        self.heard = Heard()
        self._client = client
        self._seed = seed
        self._checks = checks
        self._pool = pool

    def everybody(self) -> list[Coroutine[Any, Any, None]]:
        """Return all of them, each to be run in a task."""
        scraping = [self._again(kind.name, kind.every, _Turn(self, kind)) for kind in KINDS]
        pages = [self._again(path, 2.0, partial(self._page, path)) for path in PAGES]
        probes = self._again("probes", 0.5, self._probe)
        return [*scraping, *pages, probes, *(self._rude(number) for number in range(3))]

    async def scrape(self, kind: Kind) -> Reading:
        """Scrape once and read it."""
        headers = {"accept": kind.accept, "accept-encoding": kind.encoding}
        started, text = now(), ""
        async with self._client.stream("GET", f"/metrics{kind.query}", headers=headers) as answer:
            async for piece in answer.aiter_text():
                text += piece
                if kind.dawdle:
                    await asyncio.sleep(kind.dawdle)
        self.heard.took(kind.name, now() - started)
        self._check_status(answer, {HTTPStatus.OK})
        openmetrics = answer.headers["content-type"].startswith("application/openmetrics-text")
        work = partial(read, text, openmetrics=openmetrics)
        reading = await asyncio.get_running_loop().run_in_executor(self._pool, work)
        self.heard.read += 1
        if not kind.query:
            self.heard.series = reading.series
        return reading

    def judge(self, kind: Kind, before: Reading, after: Reading, since: float, ago: float) -> None:
        """Look at a scrape that began so many seconds ago, and at the one before it.

        `since` is when that one began.
        """
        found = list(after.problems)
        found += [
            f"{key} fell from {high:g} to {low:g}"
            for key, high, low in fallen(before, after)
            if not self._checks.restarted(key, since)
        ]
        found += [
            f"{image} is published, deleted long ago"
            for image in after.inventory
            if self._checks.overdue(image, ago)
        ]
        self.heard.problems += [f"{kind.name}: {problem}" for problem in found]

    async def _again(self, who: str, every: float, once: Callable[[], Awaitable[None]]) -> None:
        """Do something for ever; an answer that breaks off is a problem, and not the end."""
        while True:
            try:
                await once()
            except httpx.HTTPError as error:
                if _was_pushed_out(error) and now() < self.heard.pushed_out_at + _GOES_ROUND:
                    continue  # as Prometheus does with a connection that it kept
                self.heard.problems.append(f"{who}: {type(error).__name__}: {error}")
            await asyncio.sleep(every)

    async def _page(self, path: str) -> None:
        answer = await self._timed(path)
        self._check_status(answer, {HTTPStatus.OK, HTTPStatus.NOT_FOUND})
        if self._checks.secret in answer.text:
            self.heard.problems.append(f"{path} shows a secret")

    async def _probe(self) -> None:
        answer = await self._timed("/-/ready")
        self._check_status(answer, {HTTPStatus.OK})
        self._check_status(await self._client.head("/metrics"), {HTTPStatus.OK})

    async def _timed(self, path: str) -> httpx.Response:
        started = now()
        answer = await self._client.get(path)
        self.heard.took("probes" if path.startswith("/-/") else "pages", now() - started)
        return answer

    def _check_status(self, answer: httpx.Response, right: set[HTTPStatus]) -> None:
        if answer.status_code not in right:
            where = answer.request.url.raw_path.decode()
            self.heard.problems.append(f"{where} answers {answer.status_code}")

    async def _rude(self, number: int) -> None:
        chance = random.Random(f"{self._seed}-{number}")  # noqa: S311 -- a soak must be repeatable
        url = self._client.base_url
        while True:
            try:
                reader, writer = await asyncio.open_connection(url.host, url.port)
                try:
                    await chance.choice(MANNERS)(reader, writer)
                finally:
                    writer.transport.abort()
            except OSError:
                pass  # thrown out, and rightly
            self.heard.rude += 1
            await asyncio.sleep(chance.uniform(0, 0.5))


def _was_pushed_out(error: httpx.HTTPError) -> bool:
    """Return whether a kept connection was closed in the moment in which it was used again."""
    return isinstance(error, httpx.ReadError) or "without sending a response" in str(error)


_ASK = (
    f"GET /metrics HTTP/1.1\r\nhost: x\r\nauthorization: {authorization(*AUTH)}\r\n\r\n"
).encode()
Manner = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class _Turn:
    """One of who scrape, and what it read last."""

    def __init__(self, scrapers: Scrapers, kind: Kind) -> None:
        self._scrapers = scrapers
        self._kind = kind
        self._before, self._since = Reading(), 0.0

    async def __call__(self) -> None:
        """Scrape, and compare."""
        started = now()
        reading = await self._scrapers.scrape(self._kind)
        ago = now() - started
        self._scrapers.judge(self._kind, self._before, reading, self._since, ago)
        self._before, self._since = reading, started


@asynccontextmanager
async def at_work(works: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Let all of them work until the end of the block; one that fails ends everything."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()


def now() -> float:
    """Return monotonic seconds, as the event loop counts them."""
    return asyncio.get_running_loop().time()


async def _half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_ASK[: len(_ASK) // 2])
    await asyncio.sleep(0.2)


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_ASK)
    await writer.drain()


async def _reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.write(_ASK)
    await reader.read(1000)


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01\x00\xff" * 20)
    await reader.read(1000)


async def _deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.pause_reading()  # type: ignore[attr-defined] # a transport of both ways
    writer.write(_ASK * 3)
    await asyncio.sleep(2.0)


async def _silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(1.0)


async def _many(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_ASK * 5)
    await reader.read(100_000)


MANNERS: tuple[Manner, ...] = (_half, _hang_up, _reset, _garbage, _deaf, _silent, _many)
"""What clients do that nobody asked for."""
