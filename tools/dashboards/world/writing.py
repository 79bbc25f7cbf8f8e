"""Write a world into Prometheus, an hour of all its series at a time."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from math import inf

from tools.dashboards.world import remote_write
from tools.dashboards.world.exporters import of_exporters, targets
from tools.dashboards.world.remote_write import RemoteWrite
from tools.dashboards.world.series import DOWN, Series, World, of_image

HOUR = 3600
SCRAPE = 60
"""Seconds between two scrapes."""


class WorldWriter:
    """A world's series with their labels encoded once.

    Args:
        world: What to write.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        down = DOWN if world.outage == "exporter" else 0
        self._series = [
            *(self._prepared(series, 0) for series in targets(world)),
            *(self._prepared(series, down) for series in published(world)),
        ]

    @property
    def size(self) -> int:
        """How many series there are."""
        return len(self._series)

    def _prepared(self, series: Series, until: int) -> tuple[bytes, Series, int]:
        return remote_write.encode_labels({"job": self._world.job, **series.labels}), series, until

    def messages(self, hour: int) -> Iterator[bytes]:
        """Yield the series of one hour, which ends `hour - 1` hours before the world does."""
        agos = range(hour * HOUR - SCRAPE, (hour - 1) * HOUR - 1, -SCRAPE)
        times = remote_write.encode_times(self._world.end - ago for ago in agos)
        for labels, series, until in self._series:
            if series.since == inf and not until:
                yield _message(labels, series, agos, times)
                continue
            kept = [place for place, ago in enumerate(agos) if until <= ago <= series.since]
            if kept:
                chosen = slice(kept[0], kept[-1] + 1)
                yield _message(labels, series, agos[chosen], times[chosen])


def published(world: World) -> Iterator[Series]:
    """Yield every series that the exporters publish."""
    yield from of_exporters(world)
    for image in world.cast.images:
        yield from of_image(world, image)


def write(url: str, hours: int, *writers: WorldWriter) -> None:
    """Write the last hours of worlds that end at one time, the oldest hour first.

    Args:
        url: Of Prometheus, started with `--web.enable-remote-write-receiver`. It refuses what is
            older than what it has, so that all worlds must be written together.
        hours: How far back the history goes.
        writers: Worlds of different jobs.

    Raises:
        RuntimeError: the receiver refused them.
    """
    with closing(RemoteWrite(url)) as receiver:
        for hour in range(hours, 0, -1):
            for writer in writers:
                receiver.send(writer.messages(hour))


def _message(labels: bytes, series: Series, agos: Sequence[int], times: Sequence[bytes]) -> bytes:
    if not series.smooth:
        return remote_write.constant(labels, series.value(agos[-1]), times)
    values = [series.value(ago) for ago in agos]
    return remote_write.changing(labels, values, times)
