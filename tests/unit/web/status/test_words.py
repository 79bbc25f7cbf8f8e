"""Numbers and moments in words."""

import pytest

from ncr_exporter.texts.failures import EMPTY_ANSWER
from ncr_exporter.web.status import words
from ncr_exporter.web.status.words import Span

MINUTE, HOUR, DAY = 60, 3600, 86400


def test_sizes() -> None:
    sizes = [words.bytes_text(size) for size in (None, 0, 1_240_000_000)]
    assert sizes == ["\u2013", "0 B", "1.24 GB"]


@pytest.mark.parametrize(
    ("span", "text", "korean"),
    [
        (None, "\u2013", "\u2013"),
        (Span(0.0), "under an hour", "1시간 미만"),
        (Span(59.9 * MINUTE), "under an hour", "1시간 미만"),
        (Span(HOUR), "1 hour", "1시간"),
        (Span(23.4 * HOUR), "23 hours", "23시간"),
        (Span(23.6 * HOUR), "1 day", "1일"),
        (Span(419.998 * DAY), "420 days", "420일"),
        (Span(999 * DAY), "999 days", "999일"),
        (Span(1000 * DAY), "2.7 years", "2.7년"),
        (Span(3 * DAY, "up_to"), "up to 3 days", "최대 3일"),
        (Span(3 * DAY, "at_least"), "over 3 days", "최소 3일"),
        (Span(60.0, "up_to"), "under an hour", "1시간 미만"),
    ],
)
def test_spans(span: Span | None, text: str, korean: str) -> None:
    assert words.span_text(span) == text
    assert words.span_text(span, "ko") == korean


def test_durations() -> None:
    texts = [words.took_text(seconds) for seconds in (0.0, 0.2449, 9.99, 30.0)]
    assert texts == ["took 0.00 s", "took 0.24 s", "took 9.99 s", "took 30 s"]
    assert words.took_text(0.2449, "ko") == "0.24초 걸림"


def test_durations_of_the_configuration_are_told_exactly() -> None:
    texts = [words.exact_text(seconds) for seconds in (90.0 * DAY, 5400.0, 0.25, 61.0)]
    assert texts == ["90 days", "1 hour 30 minutes", "250 ms", "1 minute 1 second"]
    assert words.exact_text(5400.0, "ko") == "1시간 30분"


def test_counts() -> None:
    assert [words.count_text(number) for number in (None, 0, 3000)] == ["\u2013", "0", "3,000"]


def test_a_reason_has_a_name_and_one_that_is_new_is_readable() -> None:
    assert [words.reason_text("too_large", language) for language in ("en", "ko")] == [
        "answer too large",
        "응답 크기 초과",
    ]
    assert words.reason_text("out_of_order", "ko") == "out of order"


def test_what_others_said_is_marked_as_english_on_a_korean_page() -> None:
    assert words.message_element("<b>", "en") == "<bdi>&lt;b&gt;</bdi>"
    assert words.message_element("<b>", "ko") == '<bdi lang="en">&lt;b&gt;</bdi>'
    assert words.message_element(EMPTY_ANSWER(), "ko") == "<bdi>응답이 비어 있음</bdi>"


def test_a_small_share_is_not_called_nothing() -> None:
    shares = [words.share_text(part, 1000) for part in (0, 1, 10, 999, 1000)]
    assert shares == ["0 %", "under 1 %", "1 %", "100 %", "100 %"]
    assert [words.share_text(part, 1000, "ko") for part in (1, 10)] == ["1% 미만", "1%"]


def test_moments_for_people_and_for_machines() -> None:
    assert words.moment(1_760_000_000.9) == (
        '<time class="past" datetime="2025-10-09T08:53:20Z">2025-10-09 08:53 UTC</time>'
    )
    assert words.moment(None) == words.moment_ms(None) == words.UNKNOWN
