"""Numbers, sizes and times as people read them. Pure."""

from datetime import UTC, datetime

from ncr_exporter.report import rows

UNKNOWN = "\u2013"
"""Stands for what is unknown, which is not the same as 0."""
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365.25 * 86400
_FEW = 10


def count_text(number: int | None) -> str:
    """Return a whole number with thousands separators: `3,000`."""
    return UNKNOWN if number is None else f"{number:,}"


def bytes_text(size: int | None) -> str:
    """Return bytes with a unit and three significant digits: `1.24 GB`."""
    return UNKNOWN if size is None else rows.size_text(size)


def span_text(seconds: float | None) -> str:
    """Return a span of time in one unit: `under a minute`, `5 hours`, `412 days`, `2.7 years`.

    Days are used up to a thousand, because `stale_after` is usually given in days.
    """
    if seconds is None:
        return UNKNOWN
    if seconds < _MINUTE:
        return "under a minute"
    for unit, length, most in (("minute", _MINUTE, 60), ("hour", _HOUR, 24), ("day", _DAY, 1000)):
        if (number := round(seconds / length)) < most:
            return counted(max(1, number), unit)
    return f"{seconds / _YEAR:.1f} years"


def took_text(seconds: float) -> str:
    """Return how long a poll took: `0.24 s`, `12 s`."""
    return f"{seconds:.2f} s" if seconds < _FEW else f"{seconds:.0f} s"


def share_text(part: int, whole: int) -> str:
    """Return a share in percent: `12 %`; a part above 0 is at least `under 1 %`."""
    percent = 100 * part / whole
    return "under 1 %" if 0 < percent < 1 else f"{percent:.0f} %"


def moment_text(seconds: float) -> str:
    """Return a time (s since the epoch) for people: `2025-10-09 08:53 UTC`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def machine_text(seconds: float) -> str:
    """Return a time (s since the epoch) for `<time datetime>`: `2025-10-09T08:53:20Z`."""
    return rows.utc_text(seconds)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 image`, `3,000 images`, `2 registries`."""
    if number == 1:
        return f"1 {noun}"
    plural = noun.removesuffix("ry") + "ries" if noun.endswith("ry") else f"{noun}s"
    return f"{number:,} {plural}"
