"""What presses upon a soak's exporter: idle crowds, floods of passwords, a reader that stalls."""

import asyncio
import random
from collections.abc import Coroutine
from contextlib import AsyncExitStack, closing
from typing import Any

import httpx

from tests.soak.exporter import USER, Exporter
from tests.soak.scrapers import Heard, now
from tests.support.passwords import authorization

CROWD = 200
"""Connections, kept alive: more than the exporter has room for (tests/soak/watched.py)."""
_GUESSERS = 30
_FLOOD = 2.0  # seconds
_STAYS = 2.0  # seconds
_STALL = 3.0  # seconds
_RIGHT = {b"401", b"503"}


class Pressure:
    """Those who press, until they are cancelled."""

    def __init__(self, program: Exporter, heard: Heard, seed: int) -> None:
        self.crowds = 0
        self.guesses = 0
        self.stalls = 0
        self._program = program
        self._heard = heard
        self._chance = random.Random(seed)  # noqa: S311 -- a soak must be repeatable
        self._url = httpx.URL(program.url)

    def everybody(self) -> list[Coroutine[Any, Any, None]]:
        """Return all of them, each to be run in a task."""
        return [self._crowd(), self._flood(), self._stalled_reader()]

    async def _crowd(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(2.0, 6.0))
            self.crowds += 1
            async with AsyncExitStack() as stack:
                for _ in range(CROWD):
                    self._heard.pushed_out_at = now()
                    await self._keep_alive(stack)
                await asyncio.sleep(_STAYS)

    async def _keep_alive(self, stack: AsyncExitStack) -> None:
        try:
            reader, writer = await asyncio.open_connection(self._url.host, self._url.port)
            stack.enter_context(closing(writer))
            writer.write(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n")
            await reader.readline()
        except OSError:
            pass  # pushed out by the next of the crowd

    async def _flood(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(2.0, 6.0))
            ends = now() + _FLOOD
            await asyncio.gather(*(self._guess(n, ends) for n in range(_GUESSERS)))

    async def _guess(self, number: int, ends: float) -> None:
        """Guess: each third the password of the user, the others those of users nobody knows."""
        while now() < ends:
            self.guesses += 1
            user = USER if number % 3 == 0 else f"nobody-{number}-{self.guesses}"
            given = authorization(user, f"guess {self.guesses}")
            request = f"GET /metrics HTTP/1.1\r\nhost: x\r\nauthorization: {given}\r\n\r\n"
            try:
                reader, writer = await asyncio.open_connection(self._url.host, self._url.port)
                with closing(writer):
                    writer.write(request.encode())
                    status = (await reader.readline())[9:12]
            except OSError:
                continue  # pushed out by a crowd
            if status and status not in _RIGHT:
                self._heard.problems.append(f"a guessed password is answered {status!r}")

    async def _stalled_reader(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(2.0, 6.0))
            self.stalls += 1
            self._program.stop_reading()
            try:
                await asyncio.sleep(_STALL)
            finally:
                self._program.go_on_reading()
