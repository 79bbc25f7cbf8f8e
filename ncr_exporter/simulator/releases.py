"""The history of a simulated image: its releases, their sizes, and when they were pulled. Pure.

Everything is computed from the current time, rounded down to five minutes. So two calls within
five minutes agree, and nothing depends on when the process started. Times are ms since the epoch,
durations ms, sizes bytes.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

START = 1_577_836_800_000
"""2020-01-01 UTC: the time of release 0 of every image."""
NEVER = 0
"""The pull time of a release that was never pulled."""
_TICK = 5 * MINUTE
_FOREVER = 253_402_300_799_000  # the end of the year 9999, the last one that datetime supports
_PINNED = 60  # one release in 60 is still pulled, by a user who never upgraded


def tick(now_ms: float) -> int:
    """Return `now_ms` rounded down to five minutes."""
    return int(now_ms // _TICK) * _TICK


def chance(*seed: object) -> int:
    """Return a pseudo-random number of 64 bits; equal seeds give equal numbers."""
    text = "\n".join(str(part) for part in seed)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def within_tick(moment: int, *seed: object) -> int:
    """Return a pseudo-random time in the five minutes up to `moment`."""
    return moment - chance(moment, *seed) % _TICK


@dataclass(frozen=True)
class SimulatedImage:
    """An image with one release every `every` ms, the first one at `START` plus `phase`."""

    name: str
    description: str
    version: Callable[[int, int], str]
    """Release number and time → tag name."""
    size: int
    """Size of release 0 on the first platform."""
    every: int
    """Time between two releases."""
    keep: int
    """Number of releases that a clean-up leaves."""
    swept: int = 1
    """Releases between two clean-ups."""
    growth: int = 0
    """Bytes by which each release is larger than the previous one."""
    phase: int = 0
    """Time from `START` to release 0."""
    platforms: tuple[str, ...] = ("linux/amd64",)
    attested: tuple[str, ...] = ()
    """The platforms for which the index also holds an attestation, as buildx pushes it."""
    signed: bool = False
    """Whether each release has a signature beside it, a tag named after its digest."""
    aliases: tuple[tuple[str, int], ...] = (("latest", 0),)
    """Further tags, each with the number of releases between its release and the newest."""
    live: int = 3
    """Number of newest releases in use; older ones are no longer pulled."""
    first_pull: int = 10 * MINUTE
    """Time from a release to its first pull."""
    pulls_every: int = 20 * MINUTE
    unpulled: int = 0
    """One release in this many is never pulled; 0 for none."""
    pulls_per_day: int = 100
    ended: int = _FOREVER
    """Time of the last release."""
    retired: int = _FOREVER
    """Time of the last pull of any release."""
    relics: tuple[str, ...] = ()
    """Tags from before `START` that no clean-up removes, the oldest first."""

    def numbers(self, now: int) -> list[int]:
        """Return the numbers of existing releases, newest first. Relics are -1, -2 and so on."""
        newest = (min(now, self.ended) - START - self.phase) // self.every
        oldest = max(0, newest // self.swept * self.swept - self.keep + 1)
        numbers = [*range(newest, oldest - 1, -1), *range(-1, -len(self.relics) - 1, -1)]
        return [number for number in numbers if self.released(number) <= now]

    def tag(self, number: int) -> str:
        """Return the tag of a release."""
        return self.relics[number] if number < 0 else self.version(number, self.released(number))

    def released(self, number: int) -> int:
        """Return the scheduled time of a release."""
        return START + self.phase + number * self.every

    def built(self, number: int) -> int:
        """Return the time at which a release was pushed, up to five minutes early."""
        return within_tick(self.released(number), self.name, "built")

    def size_on(self, number: int, platform: str) -> int:
        """Return the size of a release on a platform: 7 % less on all but the first."""
        size = self.size + self.growth * max(0, number)
        size += chance(self.name, number, platform) % (self.size // 200)
        return size if platform == self.platforms[0] else size * 93 // 100

    def pulled(self, number: int, platform: str, now: int) -> int:
        """Return the newest pull of a release on a platform, or `NEVER`."""
        first = self.released(number) + self.first_pull
        last = self._in_use_until(number, now)
        if last < first or self._is_never_pulled(number, platform):
            return NEVER
        offset = chance(self.name, number, platform) % self.pulls_every // _TICK * _TICK
        regular = last - (last - offset) % self.pulls_every
        return within_tick(max(first, regular), self.name, platform)

    def pulls(self, now: int) -> int:
        """Return the number of pulls of the image so far."""
        return max(0, min(now, self.retired) - START) * self.pulls_per_day // DAY

    def _in_use_until(self, number: int, now: int) -> int:
        end = min(now, self.retired)
        pinned = number >= 0 and chance(self.name, number, "pinned") % _PINNED == 0
        return end if pinned else min(end, self.released(number + self.live))

    def _is_never_pulled(self, number: int, platform: str) -> bool:
        """Return whether a release is never pulled: it failed, or few hosts have the platform."""
        if platform != self.platforms[0] and chance(self.name, number, platform, "used") % 2:
            return True
        return bool(self.unpulled) and chance(self.name, number, "unpulled") % self.unpulled == 0
