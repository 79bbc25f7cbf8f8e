"""Single fields as the API sends them → clean values, or unknown.

Lenient where the documentation contradicts itself (numbers typed "String" in a table and shown as
numbers in the example beside it), strict where a wrong value would become a wrong metric.
"""

import math
import re
from sys import intern

_DIGITS = re.compile(r"-?\d{1,19}", re.ASCII)
_LARGEST_SIZE = 2**53  # above this a sample's float could not hold the bytes exactly
_LONGEST_NAME = 512
_EARLIEST_MS = 946_684_800_000  # 2000-01-01: seconds in place of milliseconds lie far before it
_DAY_MS = 86_400_000
_WORDS = {word: word for word in ("linux", "amd64", "arm64", "v8", "unknown", "windows")}
"""What nearly every platform says, looked up instead of looked at."""
_DOUBLED = "sha256:sha256:"
_FLAGS: dict[object, bool] = {
    True: True,
    False: False,
    "true": True,
    "false": False,
    "y": True,
    "n": False,
    "1": True,
    "0": False,
}


class FieldParser:
    """Cleans the fields of one answer and counts those that had to become unknown."""

    def __init__(self, now_ms: float) -> None:
        self._latest_ms = now_ms + _DAY_MS  # a clock a little behind the registry's is no fault
        self.malformed = 0
        # Of equal values the first is kept: a tag's digest, size and time are its platform's again.
        self._numbers: dict[int, int] = {}
        self._digests: dict[str, str] = {}

    # Called millions of times: each method has what nearly every record holds come first.

    def size(self, value: object) -> int | None:
        """Return bytes."""
        if type(value) is int and 0 <= value <= _LARGEST_SIZE:
            return self._numbers.setdefault(value, value)
        return self._number(value, 0, _LARGEST_SIZE)

    def time(self, value: object) -> int | None:
        """Return milliseconds since the epoch; 0 says nothing and is unknown."""
        return self.time_or_never(value) or None

    def time_or_never(self, value: object) -> int | None:
        """Return milliseconds since the epoch, or the 0 that stands for "never"."""
        if type(value) is int and _EARLIEST_MS <= value <= self._latest_ms:
            return self._numbers.setdefault(value, value)
        if value in (0, "0"):
            return None if isinstance(value, bool) else 0
        return self._number(value, _EARLIEST_MS, self._latest_ms)

    def word(self, value: object) -> str:
        """Return a short text such as an architecture; empty where there is none.

        Equal words are one string in memory: each is repeated in tags, platforms and polls.
        """
        if value is None:
            return ""
        if type(value) is str and (known := _WORDS.get(value)):
            return known
        return intern(self._text(value))

    def digest(self, value: object) -> str | None:
        """Return `sha256:…`, without the doubled prefix of the documentation's own example."""
        if type(value) is str and value in self._digests:
            return self._digests[value]
        text = self._text(value)
        digest = text
        while digest.startswith(_DOUBLED):
            digest = digest.removeprefix("sha256:")
        if text:
            self._digests[text] = digest
        return digest or None

    def flag(self, value: object) -> bool | None:
        """Return a switch, which the documentation does not type: a boolean, 0 or 1, or a word."""
        word = value.strip().lower() if isinstance(value, str) else value
        if value is None or word in _FLAGS:
            return None if value is None else _FLAGS[word]
        self.malformed += 1
        return None

    def host(self, value: object) -> str | None:
        """Return a host name, without the scheme and path that an end point may come with."""
        word = self.word(value).strip().lower()
        host = word.partition("://")[2] or word
        return host.partition("/")[0] or None

    def name(self, value: object) -> str | None:
        """Return a usable name, or None: the record must be left out."""
        if isinstance(value, str) and value not in {"", ".", ".."} and _is_text(value):
            return value
        self.malformed += 1
        return None

    def _text(self, value: object) -> str:
        if type(value) is str and _is_text(value):
            return value
        self.malformed += value is not None
        return ""

    def _number(self, value: object, low: float, high: float) -> int | None:
        if value is None:
            return None
        number = _integer(value)
        if number is not None and low <= number <= high:
            return number
        self.malformed += 1
        return None


def _integer(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return None


def page_number(value: object) -> int | None:
    """Return the number of the next page, or None where there is none (null, missing or 0).

    Raises:
        ValueError: it is something else.
    """
    if value is None or value == "":
        return None
    number = _integer(value)
    if number is None or number < 0:
        raise ValueError(f"next page {value!r:.40}")
    return number or None


def _is_text(value: str) -> bool:
    """Tell whether a text can be a label value and a log line.

    No registry accepts control characters or lone surrogates in a name; published, one of them
    could break a line of the exposition or lose it whole.
    """
    return len(value) <= _LONGEST_NAME and value.isprintable()
