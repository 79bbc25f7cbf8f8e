"""What a soak reports, and what it says in the end."""

from dataclasses import replace

from tests.soak.report import Findings, report
from tests.soak.resources import Sample

STEADY = [Sample(float(at), 60.0, 30, 4, 20, 200.0, at / 10) for at in range(300)]
FOUND = Findings(
    call='make soak ARGS="--minutes 5 --seed 7"',
    date="2026-11-25",
    seconds=305.0,
    samples=STEADY,
    done={"requests to the API": 20_000, "reloads": 90},
    latencies={"text, gzip": [0.010] * 99 + [0.5]},
    problems=(),
)


def test_a_good_soak_says_so_with_its_figures() -> None:
    text = report(FOUND)
    assert FOUND.is_good
    assert text.startswith('`make soak ARGS="--minutes 5 --seed 7"`, 2026-11-25: **nothing grew')
    for line in (
        "| requests to the API | 20,000 |",
        "| open descriptors                  |    30 |     30 |  30 |",
        "| text, gzip |   100 |        10 |   10 |   10 |     500 |",
        "CPU: 30 s in 305 s, 10% of one core.",
    ):
        assert line in text, text


def test_tables_are_as_wide_as_they_must_be() -> None:
    for line in report(FOUND).split("\n\n")[2].splitlines():
        assert len(line) == len(report(FOUND).split("\n\n")[2].splitlines()[0])


def test_growth_is_the_verdict() -> None:
    leaking = [each._replace(resident=60 + each.at / 20) for each in STEADY]
    found = replace(FOUND, samples=leaking)
    assert not found.is_good
    assert "**resident memory grew.**" in report(found)
    assert "GROWS" in report(found)


def test_a_single_thing_that_went_wrong_is_the_verdict() -> None:
    found = replace(FOUND, problems=["/ answers 500", "/ answers 500"])
    assert not found.is_good
    assert "**2 things went wrong.**" in report(found)
    assert "- / answers 500 (2 times)" in report(found)


def test_a_thousand_things_that_went_wrong_are_not_all_listed() -> None:
    found = replace(FOUND, problems=[f"/{number} answers 500" for number in range(1000)])
    assert report(found).endswith("- and 980 other things\n")


def test_a_short_soak_does_not_claim_that_nothing_grew_where_it_cannot_tell() -> None:
    short = replace(FOUND, samples=STEADY[:60], seconds=59.0)
    assert "too short to tell" in report(short)
    assert "nothing that can be told after 59 s grew" in report(short)


def test_a_soak_that_broke_off_at_once_is_reported_all_the_same() -> None:
    found = replace(FOUND, samples=[], latencies={}, seconds=1.0, problems=["the exporter ended"])
    assert "**1 thing went wrong.**" in report(found)
    assert not found.is_good
