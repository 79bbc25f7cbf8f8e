"""Growth is told from noise: what leaks is found, what comes and goes is not."""

import math
import random

import pytest

from tests.soak.judge import Point, Resource, line, percentile, trend

MEMORY = Resource("memory", "MiB", allowed=3.0, shortest=120)
SECONDS = 300
SEEDS = range(20)


def noise(seed: int, spread: float = 1.0) -> list[float]:
    chance = random.Random(seed)  # noqa: S311 -- the same noise each time
    return [chance.gauss(0, spread) for _ in range(SECONDS)]


def series(values: list[float]) -> list[Point]:
    return [(1000.0 + second, value) for second, value in enumerate(values)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_leak_of_2_mib_a_minute_is_found_in_noise_half_as_large(seed: int) -> None:
    leaking = [60 + 2 * second / 60 + each for second, each in enumerate(noise(seed))]
    found = trend(MEMORY, series(leaking))
    assert found.grows
    assert found.per_hour == pytest.approx(120, rel=0.6)


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_around_a_level_is_no_growth(seed: int) -> None:
    assert not trend(MEMORY, series([60 + each for each in noise(seed, 5.0)])).grows


@pytest.mark.parametrize("period", [3, 7, 20, 40])
def test_garbage_that_is_collected_now_and_then_is_no_growth(period: int) -> None:
    assert not trend(MEMORY, series([60 + second % period for second in range(SECONDS)])).grows


def test_a_leak_below_garbage_is_found() -> None:
    values = [60 + second % 7 * 3 + second / 20 for second in range(SECONDS)]
    assert trend(MEMORY, series(values)).grows


def test_caches_that_fill_in_the_first_half_are_no_growth() -> None:
    values = [60 + 30 * (1 - math.exp(-second / 20)) for second in range(SECONDS)]
    found = trend(MEMORY, series(values))
    assert not found.grows
    assert (round(found.start), round(found.end)) == (75, 90)


def test_peaks_that_grow_are_no_growth_while_all_of_them_go_away() -> None:
    values = [60 + (second if second % 5 == 0 else 0.0) for second in range(SECONDS)]
    assert not trend(MEMORY, series(values)).grows


def test_one_descriptor_a_minute_is_found_in_an_hour_and_not_in_five_minutes() -> None:
    descriptors = Resource("descriptors", "", allowed=4.0)
    values = [20.0 + second // 60 for second in range(3600)]
    assert trend(descriptors, series(values)).grows
    assert not trend(descriptors, series(values[:SECONDS])).grows


def test_a_soak_that_was_too_short_says_so_instead_of_judging() -> None:
    found = trend(MEMORY, series([60.0 + second for second in range(60)]))
    assert found.rise == pytest.approx(29.5)
    assert (found.is_judged, found.grows) == (False, False)


def test_what_stands_still_neither_rises_nor_has_an_error() -> None:
    found = trend(MEMORY, series([60.0] * SECONDS))
    assert (found.start, found.middle, found.end, found.rise, found.error) == (60, 60, 60, 0, 0)


def test_a_handful_of_measurements_is_not_judged_at_all() -> None:
    with pytest.raises(ValueError, match="memory: 11 measurements are too few"):
        trend(MEMORY, series([60.0] * 11))
    assert not trend(MEMORY, series([60.0] * 12)).grows


def test_a_line_through_points_on_it_is_exact() -> None:
    slope, error = line([(0, 1), (1, 3), (2, 5), (3, 7)])
    assert slope == pytest.approx(2)
    assert error == pytest.approx(0, abs=1e-9)


def test_the_error_of_a_line_is_that_of_the_textbook() -> None:
    slope, error = line([(1, 1.0), (2, 3.0), (3, 2.0), (4, 5.0)])
    assert slope == pytest.approx(1.1)
    assert error == pytest.approx(math.sqrt((2.7 / 2) / 5))


@pytest.mark.parametrize(("percent", "value"), [(50, 5), (95, 10), (99, 10), (100, 10), (10, 1)])
def test_a_percentile_is_a_value_that_was_measured(percent: int, value: int) -> None:
    assert percentile(range(1, 11), percent) == value
    assert percentile([7], percent) == 7
