"""What the owner of an image asked for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """What the owner of an image asked for. Durations are seconds, sizes bytes."""

    stale_after: float = 90 * 86400.0
    """Unused for longer is stale; infinite is never."""
    keep_recent: int = 3
    """So many of the most recently updated tags are never stale."""
    keep_tags: tuple[str, ...] = ("latest",)
    """Globs of tags that are never stale."""
    tag_size_limit: int | None = None
    tags_limit: int | None = None
    tag_series: int | None = 10
    """Tags that get series of their own, by each criterion; None is no cap."""
    tag_series_by: tuple[str, ...] = ("updated", "idle")
    platform_series: bool = False
