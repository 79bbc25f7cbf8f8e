"""The rate of an account, and the circuit breaker that a 429 trips."""

import pytest

from ncr_exporter.ncr.limiter import LONGEST_WAIT, CircuitBreaker, RateLimiter


def times_of(pace: RateLimiter, count: int) -> list[float]:
    """Return when `count` requests go that all wait from 0 on."""
    now, moments = 0.0, []
    for _ in range(count):
        now += max(pace.wait(now), 0)
        pace.spend(now)
        moments.append(round(now, 6))
    return moments


def test_requests_are_spaced_evenly() -> None:
    assert times_of(RateLimiter(5), 6) == [0, 0.1, 0.3, 0.5, 0.7, 0.9]


def test_a_pause_earns_no_burst() -> None:
    pace = RateLimiter(5)
    pace.spend(0)
    pace.spend(1000)
    assert pace.wait(1000) == pytest.approx(0.1)
    pace.spend(1000.1)
    assert pace.wait(1000.1) == pytest.approx(0.2)


def test_high_rates_are_reached_although_timers_are_late() -> None:
    pace, now, sent = RateLimiter(1000), 0.0, 0
    while now < 1:
        while pace.wait(now) <= 0:
            pace.spend(now)
            sent += 1
        now += 0.015  # a late timer
    assert 985 <= sent <= 1115


def test_a_429_halves_the_rate_and_successes_give_it_back_step_by_step() -> None:
    pace = RateLimiter(8)
    pace.slow_down()
    assert pace.rate == 4
    rates = []
    while pace.rate < 8:
        pace.speed_up()
        rates.append(pace.rate)
    assert len(rates) == 16
    assert rates == sorted(rates)
    pace.speed_up()
    assert pace.rate == 8


def test_the_rate_never_falls_to_nothing() -> None:
    pace = RateLimiter(8)
    for _ in range(100):
        pace.slow_down()
    assert pace.rate == 8 / 64


@pytest.mark.parametrize(
    ("retry_after", "tripped_for"),
    [(7.0, 7.0), (0.0, 1.0), (None, 30.0), (3e9, LONGEST_WAIT), (LONGEST_WAIT, LONGEST_WAIT)],
)
def test_the_breaker_is_tripped_as_long_as_asked_but_never_for_years(
    retry_after: float | None, tripped_for: float
) -> None:
    breaker = CircuitBreaker()
    breaker.trip(100.0, retry_after)
    assert breaker.remaining(100.0) == tripped_for
    assert breaker.remaining(100.0 + tripped_for) == 0
    assert breaker.is_tripped, "a probe must decide first"


def test_without_retry_after_the_wait_doubles_while_probes_fail() -> None:
    breaker, now, waits = CircuitBreaker(), 0.0, []
    for _ in range(8):
        breaker.trip(now, None)
        waits.append(breaker.remaining(now))
        now += waits[-1]
        breaker.probe()
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    breaker.reset(now)
    breaker.trip(now, None)
    assert breaker.remaining(now) == 30, "a reset breaker forgets"


def test_answers_of_requests_in_flight_neither_shorten_nor_double_the_wait() -> None:
    breaker = CircuitBreaker()
    breaker.trip(0.0, 60.0)
    breaker.trip(1.0, None)
    breaker.trip(1.0, 5.0)
    assert breaker.remaining(1.0) == 59.0


def test_the_time_tripped_is_added_up() -> None:
    breaker = CircuitBreaker()
    assert breaker.tripped_seconds(5.0) == 0
    breaker.trip(10.0, 7.0)
    assert breaker.tripped_seconds(12.0) == 2.0
    breaker.reset(20.0)
    breaker.trip(30.0, 7.0)
    assert breaker.tripped_seconds(31.0) == 11.0
