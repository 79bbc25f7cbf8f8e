"""Durations and sizes as text: `1h30m`, `90d`, `500MiB`, `1GB`."""

import re

_SECONDS = {
    "y": 365 * 86400.0,
    "w": 7 * 86400.0,
    "d": 86400.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 0.001,
}
# Prometheus' grammar of durations: each unit at most once, the largest first.
_DURATION = re.compile("".join(rf"(?:(\d{{1,9}}){unit})?" for unit in _SECONDS), re.ASCII)
DURATION_PATTERN = f"(0|(?=.){''.join(rf'([0-9]{{1,9}}{unit})?' for unit in _SECONDS)})"
"""The same grammar for JSON Schema, in ECMA 262's dialect of regular expressions."""

_LOOSE = re.compile(r"(?:\s*\d{1,9}\s*[A-Za-z]+)+\s*", re.ASCII)
_AMOUNT = re.compile(r"(\d+)\s*([A-Za-z]+)", re.ASCII)
_EXAMPLES = "30s, 15m, 1h30m or 90d"

_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*([kKMGTP]i?)?B?", re.ASCII)
_PREFIXES = "kMGTP"


def parse_duration(text: str) -> float:
    """Return the seconds of a Prometheus duration such as `90d` or `1h30m`.

    Raises:
        ValueError: the text is not a duration; the message is for the user.
    """
    if text == "0":
        return 0.0
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        likely = _likely_duration(text)
        instead = f"did you mean {likely!r}?" if likely else f"write for example {_EXAMPLES}"
        raise ValueError(f"{text!r} is not a duration; {instead}")
    return sum(
        int(amount) * seconds
        for amount, seconds in zip(match.groups(), _SECONDS.values(), strict=True)
        if amount
    )


def _likely_duration(text: str) -> str | None:
    """Return the duration that `15 min` or `12H` most likely means; None if unclear."""
    if not _LOOSE.fullmatch(text):
        return None
    amounts = [(amount, _unit(word)) for amount, word in _AMOUNT.findall(text)]
    likely = "".join(f"{amount}{unit}" for amount, unit in amounts)
    return likely if _DURATION.fullmatch(likely) else None


def _unit(word: str) -> str:
    """Return the unit that a word begins like; a month is none."""
    lower = word.lower()
    if lower.startswith("mo"):
        return ""
    return "ms" if lower.startswith(("ms", "milli")) else lower[0]


def parse_size(text: str) -> int:
    """Return the bytes of a size such as `500MiB` (1024-based) or `1GB` (1000-based).

    Raises:
        ValueError: the text is not a size; the message is for the user.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        likely = text.strip().upper().replace("IB", "iB").removesuffix("S")
        similar = f"; did you mean {likely!r}?" if _SIZE.fullmatch(likely) else ""
        example = similar or "; write bytes, or for example 500MiB or 1GB"
        raise ValueError(f"{text!r} is not a size{example}")
    amount, prefix = match.groups()
    base = 1024 if prefix and prefix.endswith("i") else 1000
    power = _PREFIXES.index(prefix[0].replace("K", "k")) + 1 if prefix else 0
    factor: int = base**power
    number = float(amount) if "." in amount else int(amount)  # a float would round large integers
    return round(number * factor)


def duration_text(seconds: float) -> str:
    """Return a duration in Prometheus' notation, days the largest unit: `1d12h`, `45m`, `0s`.

    Rounded to milliseconds. An infinite duration is `never`.
    """
    if seconds == float("inf"):
        return "never"
    left, parts = round(seconds * 1000), []
    for unit in ("d", "h", "m", "s", "ms"):
        amount, left = divmod(left, round(_SECONDS[unit] * 1000))
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"
