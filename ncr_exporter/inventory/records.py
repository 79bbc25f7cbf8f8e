"""What a listing holds, tags and their platforms, and what the owner of an image asked for."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

NEVER = 0
"""A `pulled` of 0: the record says that no pull was recorded."""
RECORDED_SINCE = 1_700_697_600_000
"""2023-11-23 00:00 UTC in milliseconds: since that day NCR records when a tag is pulled.

Source: the vendor's release notes. Of pulls before that day nothing is known.
"""
_NO_PLATFORM = "unknown"


class Platform(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One platform's manifest of a tag."""

    digest: str | None = None
    os: str = ""
    architecture: str = ""
    variant: str = ""
    size: int | None = None
    pulled: int | None = None
    updated: int | None = None


class Tag(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One tag as listed."""

    name: str
    digest: str | None = None
    full_size: int | None = None
    last_updated: int | None = None
    platforms: tuple[Platform, ...] = ()

    @property
    def digests(self) -> tuple[str, ...]:
        """The distinct digests that it is listed with: its own first, then its platforms'."""
        listed = dict.fromkeys((self.digest, *[platform.digest for platform in self.platforms]))
        return tuple([digest for digest in listed if digest is not None])

    @property
    def size(self) -> int | None:
        """The largest platform's size, at least `full_size`, in bytes; never a sum of platforms.

        NCR's `full_size` is the linux/amd64 image's, and other platforms can be far larger. None
        where neither is above 0.
        """
        size = self.full_size or 0
        for platform in self.platforms:
            if platform.size is not None and platform.size > size:
                size = platform.size
        return size or None

    @property
    def updated(self) -> int | None:
        """`last_updated` in milliseconds; where missing, the newest update of a platform."""
        if self.last_updated is not None:
            return self.last_updated
        return largest(platform.updated for platform in self.platforms)

    @property
    def pulled(self) -> int | None:
        """The newest pull that its own records tell, `NEVER` where all say so, else None."""
        if len(self.platforms) == 1:  # most tags, and a third of the work
            return self.platforms[0].pulled
        if not self.platforms:
            return None
        return newest_pull([platform.pulled for platform in self.platforms])


@dataclass(frozen=True)
class Policy:
    """What the owner of an image asked for. Durations are seconds, sizes bytes.

    `config.model.Settings` has the defaults.
    """

    stale_after: float
    """Unused for longer is stale; infinite is never."""
    keep_recent: int
    """The number of most recently updated tags that are never stale."""
    keep_tags: tuple[str, ...]
    """Globs of tags that are never stale."""
    ignore_tags: tuple[str, ...]
    """Globs of tags that count in tags and size, and are otherwise not judged."""
    immutable_tags: tuple[str, ...]
    """Globs of tags whose content must not change."""
    owner: str | None
    tag_size_limit: int | None
    tags_limit: int | None
    tag_series: int | None
    """Tags that get series of their own, by each criterion; None is no cap."""
    tag_series_by: tuple[str, ...]
    platform_series: bool


def is_platform(os: str) -> bool:
    """Return whether a manifest of this `os` is a platform's.

    Build tools add attestations to an image as manifests of `unknown/unknown`. Nobody runs them:
    their pull times and sizes must decide nothing.
    """
    return os != _NO_PLATFORM


def newest_pull(pulls: Iterable[int | None]) -> int | None:
    """Return the newest of the pulls that several records tell.

    `NEVER` where all of them say so. None where none tells a time and at least one tells nothing.
    """
    newest, unknown = NEVER, False
    for pulled in pulls:
        if pulled is None:
            unknown = True
        elif pulled > newest:
            newest = pulled
    return None if newest == NEVER and unknown else newest


def largest(values: Iterable[int | None]) -> int | None:
    """Return the largest known value, or None where none is known."""
    return max([value for value in values if value is not None], default=None)
