"""The secret key file of the demo, in which a rotated key arrives after a delay."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ncr_exporter.runtime.clock import Clock
from ncr_exporter.runtime.threads import in_own_thread
from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY, SimulatedRegistry

HANDED_OUT_AFTER = 20.0
"""Seconds from a rotation to the new key in the file, to see what a wrong key does."""


@asynccontextmanager
async def key_file(registry: SimulatedRegistry, clock: Clock) -> AsyncIterator[Path]:
    """Provide a file with the registry's secret key, updated 20 s after the key is rotated."""
    with _written(registry.keys[DEMO_ACCESS_KEY]) as path:
        handing_out = asyncio.create_task(_hand_out(registry, path, clock))
        try:
            yield path
        finally:
            handing_out.cancel()


@contextmanager
def _written(secret: str) -> Iterator[Path]:
    with TemporaryDirectory() as directory:
        path = Path(directory, "secret-key")
        path.touch(mode=0o600)
        path.write_text(secret, encoding="ascii")
        yield path


async def _hand_out(registry: SimulatedRegistry, path: Path, clock: Clock) -> None:
    before = registry.keys
    while registry.keys == before:
        await clock.sleep(1.0)
    await clock.sleep(HANDED_OUT_AFTER)
    secret = registry.keys[DEMO_ACCESS_KEY]
    await in_own_thread(lambda: path.write_text(secret, encoding="ascii"))
