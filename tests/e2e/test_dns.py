"""Name look-ups that hang: nobody but the polls waits for them."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from ncr_exporter.app.serve import exporter
from ncr_exporter.config import load
from tests.support.api_thread import write_config
from tests.support.clock import eventually
from tests.support.exporter import HERE

IMAGES = [f"app-{number}" for number in range(40)]


@contextmanager
def hanging_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have every look-up of a name hang, as where no server of names answers; give the names.

    It is no fixture: an event loop waits for its threads before a fixture could let them go.
    """
    resolve, answered, asked = socket.getaddrinfo, threading.Event(), list[str]()

    def hang(host: Any, *args: Any, **more: Any) -> Any:
        if host == "127.0.0.1":
            return resolve(host, *args, **more)
        asked.append(host if isinstance(host, str) else host.decode())
        answered.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        yield asked
    finally:
        answered.set()


async def test_page_and_reload_come_at_once_while_names_are_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"name": "my-registry", "images": IMAGES}
    api: dict[str, Any] = {"max_concurrency": 64, "timeout": "60s"}
    path = write_config(tmp_path, "https://ncr.invalid", entry, **api)
    options = replace(HERE, config_file=path, enable_lifecycle=True)
    with hanging_names(monkeypatch) as hanging:
        async with exporter(load(str(path), {}), options) as running:
            url = f"http://{running.addresses[0]}"
            most = 32  # threads that asyncio has for everybody, where there are enough processors
            await eventually(lambda: len(hanging) >= min(most, len(IMAGES)) or is_full())
            async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
                async with asyncio.timeout(5):
                    assert (await client.get("/")).status_code == 200
                    assert (await client.post("/-/reload")).status_code == 200
                    assert (await client.get("/")).status_code == 200
    assert set(hanging) == {"ncr.invalid"}


def is_full() -> bool:
    """Return whether every thread of the event loop's own pool is at work."""
    waiting = getattr(asyncio.get_running_loop(), "_default_executor", None)
    return waiting is not None and waiting._work_queue.qsize() > 0
