"""Single fields as the API sends them → clean values, or unknown.

The vendor's page types numbers as "String" in its table, and shows numbers in its example. So both
are accepted. A value that cannot be true is unknown: it would become a wrong metric.
"""

import math
import re
from sys import intern

from ncr_exporter.texts import failures

_DIGITS = re.compile(r"-?\d{1,19}", re.ASCII)
LARGEST_SIZE = 2**53  # bytes: the largest that a sample's float holds exactly
LONGEST_TEXT = 512
UNUSABLE_NAMES = frozenset({"", ".", ".."})
EARLIEST_MS = 946_684_800_000  # 2000-01-01: seconds taken for milliseconds are far before it
DAY_MS = 86_400_000
_COMMON_WORDS = {word: word for word in ("linux", "amd64", "arm64", "v8", "unknown", "windows")}
"""The words of nearly all platforms: a look-up is cheaper than checking each character."""
DOUBLED = "sha256:sha256:"
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
    """Cleans the fields of one page, and counts those that become unknown (`malformed`)."""

    def __init__(self, now_ms: float) -> None:
        """Start with nothing counted.

        Args:
            now_ms: the gateway's time in milliseconds since the epoch. A time that is more than a
                day after it becomes unknown.
        """
        self._latest_ms = now_ms + DAY_MS
        self.malformed = 0
        # Each value is kept once: a tag's digest, size and time are those of its platform again,
        # and hundreds of thousands of tags stay in memory.
        self._numbers: dict[int, int] = {}
        self._digests: dict[str, str] = {}

    # Called millions of times: each method tries first what nearly all records hold.

    def size(self, value: object) -> int | None:
        """Return a number of bytes, or any other count; None if it is unknown."""
        if type(value) is int and 0 <= value <= LARGEST_SIZE:
            return self._numbers.setdefault(value, value)
        return self._number(value, 0, LARGEST_SIZE)

    def time(self, value: object) -> int | None:
        """Return milliseconds since the epoch; None if it is 0 or unknown."""
        return self.time_or_never(value) or None

    def time_or_never(self, value: object) -> int | None:
        """Return milliseconds since the epoch, or 0 as sent for "never"; None if it is unknown."""
        if type(value) is int and EARLIEST_MS <= value <= self._latest_ms:
            return self._numbers.setdefault(value, value)
        if value in (0, "0"):
            return None if isinstance(value, bool) else 0
        return self._number(value, EARLIEST_MS, self._latest_ms)

    def word(self, value: object) -> str:
        """Return a short text such as an architecture; empty if it is unknown.

        Equal words are interned: they are repeated in tags, platforms and polls.
        """
        if value is None:
            return ""
        if type(value) is str and (known := _COMMON_WORDS.get(value)):
            return known
        return intern(self._text(value))

    def digest(self, value: object) -> str | None:
        """Return a digest `sha256:…`, or None if it is unknown.

        The vendor's example has the prefix twice, `sha256:sha256:…`; one is removed.
        """
        if type(value) is str and value in self._digests:
            return self._digests[value]
        text = self._text(value)
        digest = text
        while digest.startswith(DOUBLED):
            digest = digest.removeprefix("sha256:")
        if text:
            self._digests[text] = digest
        return digest or None

    def flag(self, value: object) -> bool | None:
        """Return a switch, or None if it is unknown.

        The vendor's page does not give its type: a boolean, 0 or 1, `y` or `n` are accepted.
        """
        word = value.strip().lower() if isinstance(value, str) else value
        if value is None or word in _FLAGS:
            return None if value is None else _FLAGS[word]
        self.malformed += 1
        return None

    def host(self, value: object) -> str | None:
        """Return the host name of an end point, without scheme and path; None if it is unknown."""
        word = self.word(value).strip().lower()
        host = word.partition("://")[2] or word
        return host.partition("/")[0] or None

    def name(self, value: object) -> str | None:
        """Return a usable name, or None: then the record must be left out."""
        if isinstance(value, str) and value not in UNUSABLE_NAMES and _is_text(value):
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
    """Return the number of the next page; None if `next` is null, missing, empty or 0.

    Raises:
        ValueError: `next` is not a page number.
    """
    if value is None or value == "":
        return None
    number = _integer(value)
    if number is None or number < 0:
        raise ValueError(failures.NEXT_PAGE(value=f"{value!r:.40}"))
    return number or None


def _is_text(value: str) -> bool:
    """Return whether a text can be a label value and part of a log line.

    No registry accepts control characters or lone surrogates in a name. Published, a control
    character could break a line of the exposition, and a surrogate cannot be encoded at all.
    """
    return len(value) <= LONGEST_TEXT and value.isprintable()
