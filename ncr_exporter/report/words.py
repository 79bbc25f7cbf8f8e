"""Numbers and moments in words. Pure."""

from datetime import UTC, datetime

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_STEP = 1000  # as registries and their invoices count
_AGES = (("y", 365 * 86400), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def size_text(size: int) -> str:
    """Return bytes with three significant digits and a unit: `1.23 GB`, `45.6 MB`, `789 kB`."""
    amount, unit = float(size), 0
    while amount >= _STEP - 0.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    digits = 0 if unit == 0 or amount >= 99.95 else 1 if amount >= 9.995 else 2  # noqa: PLR2004 -- where rounding reaches the next power of ten
    return f"{amount:.{digits}f} {_UNITS[unit]}"


def utc_text(seconds: float) -> str:
    """Return a moment as machines read it, whole seconds in UTC: `2025-10-09T08:53:20Z`."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age_text(seconds: float) -> str:
    """Return a span in its two largest units, rounded down: `4y 61d`, `3d 4h`, `12m`."""
    left = int(seconds)
    for position, (unit, length) in enumerate(_AGES):
        if left >= length:
            amount, left = divmod(left, length)
            further, step = _AGES[position + 1] if position + 1 < len(_AGES) else ("", 1)
            rest = left // step if further else 0
            return f"{amount}{unit} {rest}{further}" if rest else f"{amount}{unit}"
    return "0s"
