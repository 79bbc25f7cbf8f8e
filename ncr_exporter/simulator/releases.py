"""How an image of the demo lives: when it was released, how large it is, when it was pulled.

Pure: all of it follows from the time asked about, which is rounded down to five minutes. So two
calls within the same five minutes agree, and nothing depends on when the process started. Times
are milliseconds since the epoch, durations milliseconds, sizes bytes.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

START = 1_577_836_800_000
"""2020-01-01 UTC, when release 0 of every image was made."""
NEVER = 0
"""The pull time of what nobody pulled."""
_TICK = 5 * MINUTE
_FOREVER = 253_402_300_799_000  # the end of the year 9999, the last that datetime knows
_PINNED = 60  # one release in so many is still pulled by somebody who never upgraded


def tick(now_ms: float) -> int:
    """Return `now_ms` rounded down to five minutes."""
    return int(now_ms // _TICK) * _TICK


def chance(*seed: object) -> int:
    """Return a large number that looks random and is the same for the same seed."""
    text = "\n".join(str(part) for part in seed)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def within_tick(moment: int, *seed: object) -> int:
    """Return an uneven time in the five minutes before `moment`: nobody pushes on the dot."""
    return moment - chance(moment, *seed) % _TICK


@dataclass(frozen=True)
class Line:
    """One image and its releases: number 0 at `START`, one more `every` so many milliseconds."""

    name: str
    description: str
    version: Callable[[int, int], str]
    """Release number and time → tag name."""
    size: int
    """Of release 0 on its first platform."""
    every: int
    keep: int
    """Releases that a clean-up leaves; older ones are gone."""
    swept: int = 1
    """Releases between two clean-ups."""
    growth: int = 0
    """Bytes that each release adds."""
    phase: int = 0
    platforms: tuple[str, ...] = ("linux/amd64",)
    aliases: tuple[tuple[str, int], ...] = (("latest", 0),)
    """Further tag names, and how many releases behind the newest each points."""
    live: int = 3
    """Newest releases that are in use; older ones are pulled no more."""
    first_pull: int = 10 * MINUTE
    """From a release to its first pull."""
    pulls_every: int = 20 * MINUTE
    unpulled: int = 0
    """One release in so many never was pulled; 0: none."""
    pulls_per_day: int = 100
    ended: int = _FOREVER
    """When the last release was made."""
    retired: int = _FOREVER
    """When the last user left."""
    relics: tuple[str, ...] = ()
    """Tags older than `START` that no clean-up touches, the oldest first."""

    def numbers(self, now: int) -> list[int]:
        """Return the releases that exist, the newest first; relics count from -1 downwards."""
        newest = (min(now, self.ended) - START - self.phase) // self.every
        oldest = max(0, newest // self.swept * self.swept - self.keep + 1)
        numbers = [*range(newest, oldest - 1, -1), *range(-1, -len(self.relics) - 1, -1)]
        return [number for number in numbers if self.released(number) <= now]

    def tag(self, number: int) -> str:
        """Return the name of a release."""
        return self.relics[number] if number < 0 else self.version(number, self.released(number))

    def released(self, number: int) -> int:
        """Return when a release was to be made."""
        return START + self.phase + number * self.every

    def built(self, number: int) -> int:
        """Return when it really was pushed."""
        return within_tick(self.released(number), self.name, "built")

    def size_on(self, number: int, platform: str) -> int:
        """Return the size of a release on one platform; others weigh 7 % less than the first."""
        size = self.size + self.growth * max(0, number)
        size += chance(self.name, number, platform) % (self.size // 200)
        return size if platform == self.platforms[0] else size * 93 // 100

    def pulled(self, number: int, platform: str, now: int) -> int:
        """Return the newest pull of a release on one platform, or `NEVER`."""
        first = self.released(number) + self.first_pull
        last = self._in_use_until(number, now)
        if last < first or self._passed_over(number, platform):
            return NEVER
        offset = chance(self.name, number, platform) % self.pulls_every // _TICK * _TICK
        regular = last - (last - offset) % self.pulls_every
        return within_tick(max(first, regular), self.name, platform)

    def pulls(self, now: int) -> int:
        """Return all pulls so far."""
        return max(0, min(now, self.retired) - START) * self.pulls_per_day // DAY

    def _in_use_until(self, number: int, now: int) -> int:
        end = min(now, self.retired)
        pinned = number >= 0 and chance(self.name, number, "pinned") % _PINNED == 0
        return end if pinned else min(end, self.released(number + self.live))

    def _passed_over(self, number: int, platform: str) -> bool:
        """Tell whether nobody ever pulled it: a failed release, or a platform few have."""
        if platform != self.platforms[0] and chance(self.name, number, platform, "used") % 2:
            return True
        return bool(self.unpulled) and chance(self.name, number, "unpulled") % self.unpulled == 0
