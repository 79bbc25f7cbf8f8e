"""The line grammar, with prometheus_client's own parsers as judges."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from ncr_exporter.metrics.families import FAMILIES
from ncr_exporter.metrics.families.family import Family
from ncr_exporter.metrics.rendering import header, label_pair, sample_line

GAUGE = Family("ncr_test", "Some help.", ("name",))

# Anything that UTF-8 can carry; the tricky characters come often.
TEXTS = st.text(st.sampled_from('\\"\n{},= é😀n') | st.characters(codec="utf-8"))


def parsed(family: Family, lines: str, *, openmetrics: bool) -> Metric:
    text = header(family, openmetrics=openmetrics).decode() + lines
    read = read_openmetrics if openmetrics else read_text
    (metric,) = read(text + "# EOF\n" if openmetrics else text)
    return metric


@pytest.mark.parametrize(
    ("value", "pair"),
    [
        ("plain", 'name="plain"'),
        ("", 'name=""'),
        ("hello/world:v1", 'name="hello/world:v1"'),
        ('say "hi"', r'name="say \"hi\""'),
        (r"C:\new", r'name="C:\\new"'),
        ("two\nlines", r'name="two\nlines"'),
        ('\\"\n', r'name="\\\"\n"'),
        ("한국어", 'name="한국어"'),
    ],
)
def test_backslash_quote_and_newline_are_escaped_in_labels_and_nothing_else(
    value: str, pair: str
) -> None:
    assert label_pair("name", value) == pair


@pytest.mark.parametrize("openmetrics", [False, True])
@given(first=TEXTS, second=TEXTS)
@example(first="\\", second="\\n")
@example(first='"', second='\\"')
@example(first="a\nncr_injected 1\n", second="} 1\n# EOF\n")
def test_any_label_value_is_read_back_as_it_was(
    *, openmetrics: bool, first: str, second: str
) -> None:
    pairs = ",".join((label_pair("a", first), label_pair("b", second)))
    metric = parsed(GAUGE, sample_line("ncr_test", pairs, 7), openmetrics=openmetrics)
    (sample,) = metric.samples
    assert sample.name == "ncr_test"
    assert sample.labels == {"a": first, "b": second}
    assert sample.value == 7


@pytest.mark.parametrize("openmetrics", [False, True])
@given(value=st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False))
@example(value=192_559_099)
@example(value=1_760_000_000.123)
@example(value=5e-324)
def test_any_value_is_read_back_to_the_last_bit(*, openmetrics: bool, value: float) -> None:
    line = sample_line("ncr_test", label_pair("name", "x"), value)
    (sample,) = parsed(GAUGE, line, openmetrics=openmetrics).samples
    assert sample.value == value
    assert math.copysign(1, sample.value) == math.copysign(1, value)


def test_whole_numbers_are_written_whole() -> None:
    assert sample_line("ncr_test", 'a="b"', 192_559_099) == 'ncr_test{a="b"} 192559099\n'
    assert sample_line("ncr_test", "", 0.5) == "ncr_test{} 0.5\n"


@pytest.mark.parametrize("openmetrics", [False, True])
def test_a_sample_without_labels_is_read_back(*, openmetrics: bool) -> None:
    (sample,) = parsed(GAUGE, sample_line("ncr_test", "", 3), openmetrics=openmetrics).samples
    assert (sample.labels, sample.value) == ({}, 3)


def test_a_text_header_has_help_and_type() -> None:
    family = Family("ncr_test_size_bytes", "Some help.")
    assert header(family, openmetrics=False) == (
        b"# HELP ncr_test_size_bytes [STABLE] Some help.\n# TYPE ncr_test_size_bytes gauge\n"
    )


def test_an_openmetrics_header_has_the_unit_too() -> None:
    family = Family("ncr_test_size_bytes", "Some help.", stability="EXPERIMENTAL")
    assert header(family, openmetrics=True) == (
        b"# HELP ncr_test_size_bytes [EXPERIMENTAL] Some help.\n"
        b"# TYPE ncr_test_size_bytes gauge\n"
        b"# UNIT ncr_test_size_bytes bytes\n"
    )


def test_a_counter_loses_its_total_in_an_openmetrics_header_only() -> None:
    family = Family("ncr_waits_seconds_total", "Some help.", type="counter")
    assert header(family, openmetrics=False) == (
        b"# HELP ncr_waits_seconds_total [STABLE] Some help.\n"
        b"# TYPE ncr_waits_seconds_total counter\n"
    )
    assert header(family, openmetrics=True) == (
        b"# HELP ncr_waits_seconds [STABLE] Some help.\n"
        b"# TYPE ncr_waits_seconds counter\n"
        b"# UNIT ncr_waits_seconds seconds\n"
    )


@pytest.mark.parametrize("openmetrics", [False, True])
@given(words=TEXTS)
@example(words='a "quoted" \\ and\nbroken \\n help')
def test_any_help_is_read_back_as_it_was(*, openmetrics: bool, words: str) -> None:
    family = Family("ncr_test", f"{words}.")
    metric = parsed(family, "ncr_test 1\n", openmetrics=openmetrics)
    assert metric.documentation == f"[STABLE] {words}."


@pytest.mark.parametrize("openmetrics", [False, True])
@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_familys_header_is_read_back(family: Family, *, openmetrics: bool) -> None:
    metric = parsed(family, "", openmetrics=openmetrics)
    assert metric.name == family.openmetrics_name
    assert metric.type == family.type
    assert metric.documentation == family.help_text
    assert metric.unit == (family.unit if openmetrics else "")
