"""A soak sees what is wrong with a scrape."""

from pathlib import Path

import pytest

from tests.soak.readings import fallen, read

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "golden"
UP = """\
# HELP ncr_image_up 1 if it was read.
# TYPE ncr_image_up gauge
ncr_image_up{registry="a",image="app"} 1
"""


def problems(text: str) -> list[str]:
    return list(read(text, openmetrics=False).problems)


@pytest.mark.parametrize(("form", "end"), [("prom", ""), ("om", "# EOF\n")])
def test_what_the_exporter_publishes_is_without_fault(form: str, end: str) -> None:
    text = (GOLDEN / f"images.{form}").read_text(encoding="utf-8") + end
    reading = read(text, openmetrics=form == "om")
    assert reading.problems == ()
    assert reading.series > 50
    assert reading.tags.keys() <= reading.inventory


def test_a_series_that_stands_there_twice_is_seen() -> None:
    twice = UP + 'ncr_image_up{image="app",registry="a"} 1\n'
    assert problems(twice) == ['ncr_image_up{image="app",registry="a"} stands there 2 times']


def test_a_family_without_help_or_type_is_seen() -> None:
    assert problems("ncr_image_up 1\n") == [
        "ncr_image_up has no HELP",
        "ncr_image_up has no TYPE",
    ]


def test_a_family_in_two_places_is_seen() -> None:
    other = UP.replace("image_up", "image_tags")
    again = UP.replace('"app"', '"web"')
    assert problems(UP + other + again) == ["the family ncr_image_up stands there 2 times"]


def test_a_value_that_cannot_be_is_seen_but_a_clock_may_be_behind() -> None:
    assert problems(UP.replace("} 1", "} -1")) == ['ncr_image_up{image="app",registry="a"} is -1']
    assert problems(UP.replace("} 1", "} NaN")) == ['ncr_image_up{image="app",registry="a"} is nan']
    assert (
        problems(UP.replace("ncr_image_up", "ncr_api_clock_skew_seconds").replace("} 1", "} -1"))
        == []
    )


@pytest.mark.parametrize("openmetrics", [False, True])
def test_what_does_not_parse_is_seen(openmetrics: bool) -> None:  # noqa: FBT001 -- a parametrised case
    (problem,) = read(UP + "ncr_image_up{ 1", openmetrics=openmetrics).problems
    assert problem.startswith("does not parse: ")


def test_openmetrics_that_ends_too_early_is_seen() -> None:
    (problem,) = read(UP, openmetrics=True).problems
    assert "EOF" in problem


def test_a_counter_that_falls_is_seen_one_that_leaves_is_not() -> None:
    text = (
        "# HELP ncr_image_polls_total Polls.\n# TYPE ncr_image_polls_total counter\n"
        'ncr_image_polls_total{{image="app"}} {}\n'
    )
    three, two = (read(text.format(value), openmetrics=False) for value in (3, 2))
    assert list(fallen(three, two)) == [(("ncr_image_polls_total", (("image", "app"),)), 3, 2)]
    assert list(fallen(two, three)) == []
    assert list(fallen(three, read(UP, openmetrics=False))) == []


def test_a_gauge_may_fall() -> None:
    down = UP.replace("} 1", "} 0")
    assert list(fallen(read(UP, openmetrics=False), read(down, openmetrics=False))) == []
