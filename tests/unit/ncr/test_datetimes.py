"""Times of version 3: RFC 3339 is read, and nothing else is taken for a time."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.ncr.datetimes import DateTimeParser, milliseconds
from tests.support.states import NOW_MS

DOCUMENTED = 1_787_555_553_000  # 2026-08-24T07:12:33Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-08-24T07:12:33Z", DOCUMENTED),
        ("2026-08-24t07:12:33z", DOCUMENTED),
        ("2026-08-24 07:12:33Z", DOCUMENTED),
        ("2026-08-24T16:12:33+09:00", DOCUMENTED),
        ("2026-08-23T21:42:33-09:30", DOCUMENTED),
        ("2026-08-24T07:12:33-00:00", DOCUMENTED),
        ("2026-08-24T07:12:33.5Z", DOCUMENTED + 500),
        ("2026-08-24T07:12:33.123Z", DOCUMENTED + 123),
        ("2026-08-24T07:12:33.123456789Z", DOCUMENTED + 123),
        ("2026-08-24T16:12:33.1239+09:00", DOCUMENTED + 124),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_rfc_3339_is_read_with_and_without_fractions_and_offsets(text: str, expected: int) -> None:
    assert milliseconds(text) == expected


NO_TIMES = [
    "2026-08-24T07:12:33",  # of no offset: of which hour?
    "2026-08-24",
    "2026-W35-1T07:12:33Z",
    "20260824T071233Z",
    "2026-08-24T07:12Z",
    "2026-08-24T07:12:33+0900",
    "2026-08-24T07:12:33+09",
    "2026-08-24T07:12:33+25:00",
    "2026-08-24T07:12:33,5Z",
    "2026-08-24T07:12:33.Z",
    "2016-12-31T23:59:60Z",
    "2026-08-24T24:00:00Z",
    "2026-13-24T07:12:33Z",
    "2026-02-30T07:12:33Z",
    "0000-01-01T00:00:00Z",
    "12026-08-24T07:12:33Z",
    "+012026-08-24T07:12:33Z",
    "-2026-08-24T07:12:33Z",
    " 2026-08-24T07:12:33Z",
    "2026-08-24T07:12:33Z\n",
    "２０２６-08-24T07:12:33Z",  # noqa: RUF001 -- the digits are the point
    "1787555553000",
    "yesterday",
    "",
    "2026-08-24T07:12:33." + "1" * 1000 + "Z",
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_anything_else_is_no_time(text: str) -> None:
    assert milliseconds(text) is None


BEYOND: list[Any] = [
    "1999-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+10:00",
    1_759_000_000_000,  # milliseconds, which version 3 does not send
    True,
    [],
    {},
    *NO_TIMES,
]


@pytest.mark.parametrize("value", BEYOND, ids=ascii)
def test_what_cannot_be_the_time_of_a_record_is_unknown_and_counted_each_time(value: Any) -> None:
    parser = DateTimeParser(NOW_MS)
    assert [parser.time(value), parser.time_or_never(value)] == [None, None]
    assert parser.malformed == 2


def test_a_pull_of_null_is_none_on_record_and_a_missing_one_is_unknown() -> None:
    parser = DateTimeParser(NOW_MS)
    assert parser.time_or_never(None) == 0
    assert parser.time_or_never(msgspec.UNSET) is None
    assert (parser.time(None), parser.time(msgspec.UNSET)) == (None, None)
    assert parser.malformed == 0


def test_a_time_of_tomorrow_may_be_a_clock_and_one_after_it_is_none() -> None:
    parser = DateTimeParser(NOW_MS)
    day = timedelta(days=1)
    now = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    assert parser.time((now + day).isoformat()) == NOW_MS + 86_400_000
    assert parser.time((now + day + timedelta(seconds=1)).isoformat()) is None


OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(st.datetimes(datetime(2000, 1, 2), datetime(2025, 1, 1), timezones=OFFSETS))  # noqa: DTZ001 -- hypothesis adds the zone
def test_each_moment_is_read_as_it_is_written(moment: datetime) -> None:
    expected = moment.timestamp() * 1000
    found = DateTimeParser(NOW_MS).time(moment.isoformat())
    assert found is not None
    assert abs(found - expected) <= 0.5


@given(st.text(max_size=30))
def test_whatever_the_text_nothing_is_raised(text: str) -> None:
    assert milliseconds(text) is None or text[:4].isdigit()
