"""Times of version 3 of the API (RFC 3339) → milliseconds since the epoch, or unknown."""

import re
from datetime import datetime

import msgspec

from ncr_exporter.ncr.fields import EARLIEST_MS, FieldParser

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LONGEST = 64  # characters: a text that goes on is no time


def milliseconds(text: str) -> int | None:
    """Return an RFC 3339 time as milliseconds since the epoch; None if the text is anything else.

    A time without an offset is none: nobody knows which moment it is. Nor is a leap second one.
    """
    # `fromisoformat` alone also reads week dates, and times without an offset or none at all.
    if len(text) > _LONGEST or not _RFC_3339.fullmatch(text):
        return None
    try:
        return round(datetime.fromisoformat(text.upper()).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


class DateTimeParser(FieldParser):
    """Cleans the fields of a page of version 3, whose times are texts."""

    def __init__(self, now_ms: float) -> None:
        super().__init__(now_ms)
        self._times: dict[str, int] = {}

    def time(self, value: object) -> int | None:
        """Return milliseconds since the epoch; None if it is unknown."""
        return self.time_or_never(value) or None

    def time_or_never(self, value: object) -> int | None:
        """Return milliseconds since the epoch, or 0 for null: there is no record of a pull.

        None if the field was not sent, or holds no time that can be true.
        """
        if type(value) is str:
            if known := self._times.get(value):
                return known
            moment = milliseconds(value)
            if moment is not None and EARLIEST_MS <= moment <= self._latest_ms:
                self._times[value] = moment
                return moment
        elif value is None:
            return 0
        self.malformed += value is not msgspec.UNSET
        return None
