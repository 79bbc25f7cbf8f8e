"""Values as the API sends them, before anybody cleaned them. Pure."""

from collections import Counter

from ncr_exporter.check_online.seen import Record

NOT_LEARNED = "not learned"


def number(value: object) -> int | None:
    """Return a whole number that may be written as text, or None."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def platforms_of(tag: Record) -> list[Record]:
    """Return the platforms of a tag that are objects."""
    platforms = tag.get("images")
    return [p for p in platforms if isinstance(p, dict)] if isinstance(platforms, list) else []


def tally(counter: Counter[str]) -> str:
    """Return `this (12), that (3)`, the most frequent first."""
    return ", ".join(f"{what} ({amount})" for what, amount in counter.most_common())
