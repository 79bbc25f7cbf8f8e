"""What a soak measures of the exporter, and how much more of it is no growth."""

from collections.abc import Callable
from typing import NamedTuple

from tests.soak.judge import Resource


class Sample(NamedTuple):
    """What the program uses at one moment."""

    at: float
    """Monotonic seconds."""
    resident: float
    """MiB."""
    descriptors: int
    threads: int
    tasks: int
    """Tasks of asyncio."""
    blocks: float
    """Thousands of pieces of memory that Python has given to objects."""
    cpu: float
    """Seconds used since the start."""


RESOURCES: tuple[tuple[Resource, Callable[[Sample], float]], ...] = (
    (Resource("resident memory", "MiB", 3.0, shortest=180), lambda now: now.resident),
    (Resource("memory blocks of Python", "thousand", 6.0, shortest=180), lambda now: now.blocks),
    (Resource("open descriptors", "", 4.0, shortest=60), lambda now: now.descriptors),
    (Resource("threads", "", 1.0, shortest=60), lambda now: now.threads),
    (Resource("tasks of asyncio", "", 6.0, shortest=60), lambda now: now.tasks),
)
"""What must not grow, and how it is read.

Half of a soak of five minutes is 150 polls of each image, as many as in 37 hours at the default
interval. In the first minutes caches fill, and the first pages and reloads start threads.
"""
