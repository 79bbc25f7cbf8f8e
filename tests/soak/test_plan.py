"""What happens in a soak follows from its seed, and leaves as much as it brings."""

from collections import Counter

import pytest

from tests.soak.plan import (
    SPELLS,
    Calm,
    Change,
    Population,
    Reload,
    Settings,
    Spell,
    Step,
    plan,
)

FIVE_MINUTES = plan(7, 300)


def of(kind: type, steps: list[Step]) -> list[Step]:
    return [step for step in steps if isinstance(step.what, kind)]


def test_a_seed_and_a_length_make_one_plan() -> None:
    assert plan(7, 300) == FIVE_MINUTES
    assert plan(8, 300) != FIVE_MINUTES


def test_steps_come_in_order_and_none_after_the_end() -> None:
    moments = [step.at for step in FIVE_MINUTES]
    assert moments == sorted(moments)
    assert moments[-1] < 300


def test_five_minutes_meet_every_fault_that_passes_within_them() -> None:
    met = {step.what.fault for step in FIVE_MINUTES if isinstance(step.what, Spell)}
    assert set(SPELLS) == met


def test_one_spell_is_over_before_the_next_begins() -> None:
    weather = [type(step.what) for step in FIVE_MINUTES if isinstance(step.what, Spell | Calm)]
    assert weather == [Spell, Calm] * (len(weather) // 2)


@pytest.mark.parametrize("seed", range(5))
def test_for_each_image_born_one_dies_and_no_name_comes_again(seed: int) -> None:
    alive = {
        (name, image) for name, images in Population.first().images.items() for image in images
    }
    ever, first = set(alive), len(alive)
    for step in plan(seed, 120):
        if not isinstance(step.what, Change):
            continue
        if step.what.born and step.what.dead:
            assert step.what.born not in ever
            alive.remove(step.what.dead)
            alive.add(step.what.born)
            ever.add(step.what.born)
        assert alive.issuperset(step.what.tagged)
        assert len(alive) == first
    assert len(ever) > first + 50


def test_every_other_reload_goes_back_to_the_first_settings() -> None:
    reloads = [step.what for step in FIVE_MINUTES if isinstance(step.what, Reload)]
    assert all(reload.settings in (Settings(), Settings(broken=True)) for reload in reloads[1::2])
    told = Counter(reload.by_signal for reload in reloads)
    assert min(told.values()) > 20, "both ways"
    assert any(reload.settings.broken for reload in reloads)


def test_what_is_polled_is_what_the_settings_select() -> None:
    assert Settings().selection == {"alpha": "*", "beta": "*"}
    guests = Settings(guests=frozenset({"gamma"}), narrow=True)
    assert guests.selection == {"alpha": "*", "beta": "team/*", "gamma": "*"}
    assert list(Settings(every=True).selection) == ["alpha", "beta", "gamma", "delta"]
