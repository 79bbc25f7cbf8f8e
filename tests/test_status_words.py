"""Numbers and moments in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.web.status import words

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "\u2013"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (9994, "9.99 kB"),
        (9995, "10.0 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (1_240_000_000, "1.24 GB"),
        (2**53, "9.01 PB"),
    ],
)
def test_sizes(size: int | None, text: str) -> None:
    assert words.size_text(size) == text


@given(st.integers(0, 10**20))
def test_a_size_never_has_more_than_three_digits_before_its_last_unit(size: int) -> None:
    number, unit = words.size_text(size).split(" ")
    assert len(number.replace(".", "")) <= 3
    factor = {"B": 0, "kB": 1, "MB": 2, "GB": 3, "TB": 4, "PB": 5, "EB": 6}[unit]
    assert float(number) * 1000**factor == pytest.approx(size, rel=0.006)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "\u2013"),
        (0.0, "under a minute"),
        (59.9, "under a minute"),
        (60.0, "1 minute"),
        (59.4 * MINUTE, "59 minutes"),
        (59.6 * MINUTE, "1 hour"),
        (23.6 * HOUR, "1 day"),
        (419.998 * DAY, "420 days"),
        (999 * DAY, "999 days"),
        (1000 * DAY, "2.7 years"),
    ],
)
def test_spans(seconds: float | None, text: str) -> None:
    assert words.span_text(seconds) == text


def test_durations() -> None:
    texts = [words.took_text(seconds) for seconds in (0.0, 0.2449, 9.99, 30.0)]
    assert texts == ["0.00 s", "0.24 s", "9.99 s", "30 s"]


def test_counts_and_nouns() -> None:
    assert [words.count_text(number) for number in (None, 0, 3000)] == ["\u2013", "0", "3,000"]
    assert words.counted(1, "registry") == "1 registry"
    assert words.counted(2, "registry") == "2 registries"
    assert words.counted(3000, "day") == "3,000 days"


def test_a_small_share_is_not_called_nothing() -> None:
    shares = [words.share_text(part, 1000) for part in (0, 1, 10, 999, 1000)]
    assert shares == ["0 %", "under 1 %", "1 %", "100 %", "100 %"]


def test_moments_for_people_and_for_machines() -> None:
    assert words.moment_text(1_760_000_000.9) == "2025-10-09 08:53 UTC"
    assert words.machine_text(1_760_000_000.9) == "2025-10-09T08:53:20Z"
