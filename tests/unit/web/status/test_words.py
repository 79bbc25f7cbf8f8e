"""Numbers and moments in words."""

import pytest

from ncr_exporter.web.status import words

MINUTE, HOUR, DAY = 60, 3600, 86400


def test_sizes() -> None:
    sizes = [words.bytes_text(size) for size in (None, 0, 1_240_000_000)]
    assert sizes == ["\u2013", "0 B", "1.24 GB"]


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
