"""The rate of an account, and the gate that a 429 closes."""

import pytest

from ncr_exporter.ncr.limiter import LONGEST_WAIT, Gate, Pace


def times_of(pace: Pace, count: int) -> list[float]:
    """Return when `count` requests go that all wait from 0 on."""
    now, moments = 0.0, []
    for _ in range(count):
        now += max(pace.wait(now), 0)
        pace.spend(now)
        moments.append(round(now, 6))
    return moments


def test_requests_are_spaced_evenly() -> None:
    assert times_of(Pace(5), 6) == [0, 0.1, 0.3, 0.5, 0.7, 0.9]


def test_a_pause_earns_no_burst() -> None:
    pace = Pace(5)
    pace.spend(0)
    pace.spend(1000)
    assert pace.wait(1000) == pytest.approx(0.1)
    pace.spend(1000.1)
    assert pace.wait(1000.1) == pytest.approx(0.2)


def test_high_rates_are_reached_although_timers_are_late() -> None:
    pace, now, sent = Pace(1000), 0.0, 0
    while now < 1:
        while pace.wait(now) <= 0:
            pace.spend(now)
            sent += 1
        now += 0.015  # a late timer
    assert 985 <= sent <= 1115


def test_a_429_halves_the_rate_and_successes_give_it_back_step_by_step() -> None:
    pace = Pace(8)
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
    pace = Pace(8)
    for _ in range(100):
        pace.slow_down()
    assert pace.rate == 8 / 64


@pytest.mark.parametrize(
    ("retry_after", "closed_for"),
    [(7.0, 7.0), (0.0, 1.0), (None, 30.0), (3e9, LONGEST_WAIT), (LONGEST_WAIT, LONGEST_WAIT)],
)
def test_the_gate_closes_as_long_as_asked_but_never_for_years(
    retry_after: float | None, closed_for: float
) -> None:
    gate = Gate()
    gate.close(100.0, retry_after)
    assert gate.remaining(100.0) == closed_for
    assert gate.remaining(100.0 + closed_for) == 0
    assert not gate.is_open, "a probe must decide first"


def test_without_retry_after_the_wait_doubles_while_probes_fail() -> None:
    gate, now, waits = Gate(), 0.0, []
    for _ in range(8):
        gate.close(now, None)
        waits.append(gate.remaining(now))
        now += waits[-1]
        gate.probe()
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    gate.open(now)
    gate.close(now, None)
    assert gate.remaining(now) == 30, "an open gate forgets"


def test_answers_of_requests_in_flight_neither_shorten_nor_double_the_wait() -> None:
    gate = Gate()
    gate.close(0.0, 60.0)
    gate.close(1.0, None)
    gate.close(1.0, 5.0)
    assert gate.remaining(1.0) == 59.0


def test_the_time_closed_is_added_up() -> None:
    gate = Gate()
    assert gate.closed_seconds(5.0) == 0
    gate.close(10.0, 7.0)
    assert gate.closed_seconds(12.0) == 2.0
    gate.open(20.0)
    gate.close(30.0, 7.0)
    assert gate.closed_seconds(31.0) == 11.0
