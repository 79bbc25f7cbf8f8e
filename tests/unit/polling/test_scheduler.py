"""When an image is polled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.polling.scheduler import next_run, phase_of

moments = st.floats(0, 1e7)
intervals = st.floats(1, 1e6)
phases = st.floats(0, 1, exclude_max=True)


def test_an_image_keeps_its_phase_for_ever() -> None:
    phase = phase_of("reg", "web/app")
    due, seen = 1000.0, []
    for _ in range(5):
        due = next_run(due + 0.3, 1000.0, 60, phase, failures=0)
        seen.append((due - 1000.0) % 60 / 60)
    assert seen == pytest.approx([phase] * 5)


def test_images_spread_evenly_over_the_interval() -> None:
    phases_of_many = sorted(phase_of("reg", f"image-{i}") for i in range(1000))
    tenths = [sum(i / 10 <= p < (i + 1) / 10 for p in phases_of_many) for i in range(10)]
    assert min(tenths) > 70
    assert max(tenths) < 130


def test_the_phase_is_the_names_alone_and_names_do_not_run_together() -> None:
    assert phase_of("reg", "app") == phase_of("reg", "app")
    assert phase_of("reg", "app") != phase_of("rega", "pp")


def test_a_failed_image_is_asked_again_after_a_fifth_then_two_fifths_then_at_its_phase() -> None:
    dues = [next_run(1000, 0, 60, 0.9, failures=failures) for failures in (1, 2, 3, 4, 100)]
    assert dues == pytest.approx([1012, 1024, 1014, 1014, 1014])


def test_ticks_missed_during_a_long_poll_are_skipped() -> None:
    assert next_run(205, 0, 60, 0.5, failures=0) == 210
    assert next_run(211, 0, 60, 0.5, failures=0) == 270


@given(moments, intervals, phases)
def test_a_timer_that_runs_out_a_hair_early_is_no_reason_to_poll_twice(
    start: float, interval: float, phase: float
) -> None:
    tick = next_run(start, start, interval, phase, failures=0)
    again = next_run(tick - 1e-10 * interval, start, interval, phase, failures=0)
    assert again == pytest.approx(tick + interval, rel=1e-6)


@given(moments, moments, intervals, phases)
def test_the_next_poll_is_later_and_within_one_interval(
    now: float, start: float, interval: float, phase: float
) -> None:
    due = next_run(now, start, interval, phase, failures=0)
    assert now < due <= now + interval * (1 + 1e-6)
