"""Durations and sizes: what people write, what is refused, and that nothing else can happen."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.config.units import parse_duration, parse_size

SECONDS = {
    "y": Fraction(365 * 86400),
    "w": Fraction(7 * 86400),
    "d": Fraction(86400),
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1000),
}
FACTORS = {
    "": 1,
    "B": 1,
    **{f"{prefix}{b}": 1000**n for n, prefix in enumerate("kMGTP", 1) for b in ("", "B")},
    **{f"{prefix}i{b}": 1024**n for n, prefix in enumerate("KMGTP", 1) for b in ("", "B")},
}

NO_UNITS = ["", " ", "\n", "-1", "+1", "1e3", "0x10", "1_000", "1,5", "inf", "nan", "٣", "½"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("1ms", 0.001),
        ("30s", 30),
        ("15m", 900),
        ("1h30m", 5400),
        ("36h", 129_600),
        ("90d", 7_776_000),
        ("2w", 1_209_600),
        ("1y", 31_536_000),
        ("1d0h5m", 86_700),
        ("1y2w3d4h5m6s7ms", 33_019_506.007),
    ],
)
def test_durations_are_read_as_prometheus_reads_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *NO_UNITS,
        "1",
        "h",
        "never",
        "30S",
        "15M",
        "1H30M",
        "90D",
        "-1s",
        "+1s",
        "1.5h",
        "0.5s",
        "1,5h",
        "1e3s",
        "1_0s",
        " 1h",
        "1h ",
        "1h\n",
        "1 h",
        "1h 30m",
        "30m1h",
        "1h1h",
        "1h30",
        "10us",
        "٣s",
        "9999999999s",
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not a duration; (write for example 30s|did you mean '[0-9a-z]+'.$)"
    ):
        parse_duration(text)


@given(st.dictionaries(st.sampled_from(sorted(SECONDS)), st.integers(0, 10**9 - 1), min_size=1))
def test_any_sum_of_units_is_that_many_seconds(amounts: dict[str, int]) -> None:
    text = "".join(f"{amounts[unit]}{unit}" for unit in SECONDS if unit in amounts)
    exact = sum(amount * SECONDS[unit] for unit, amount in amounts.items())
    assert parse_duration(text) == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1", 1),
        ("7B", 7),
        ("192559099", 192_559_099),
        ("1k", 1000),
        ("1kB", 1000),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("1kiB", 1024),
        ("1Ki", 1024),
        ("500MB", 500_000_000),
        ("500MiB", 524_288_000),
        ("1GB", 1_000_000_000),
        ("1 GB", 1_000_000_000),
        ("1G", 1_000_000_000),
        ("1GiB", 1_073_741_824),
        ("1.5GiB", 1_610_612_736),
        ("0.25kB", 250),
        ("2TB", 2_000_000_000_000),
        ("2TiB", 2_199_023_255_552),
        ("1PB", 10**15),
        ("1PiB", 2**50),
        ("9007199254740993", 2**53 + 1),
        ("9007199254740993kB", (2**53 + 1) * 1000),
        ("999999999999999999PiB", (10**18 - 1) * 2**50),
    ],
)
def test_sizes_are_read_with_si_and_iec_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        *NO_UNITS,
        "B",
        "GB",
        "1.",
        ".5GB",
        "1.0.0",
        "1,5GB",
        "-1GB",
        "+1GB",
        "1e3GB",
        " 1GB",
        "1GB ",
        "1GB\n",
        "1 000",
        "1gb",
        "1Kb",
        "1mB",
        "1iB",
        "1XB",
        "1EiB",
        "1GBB",
        "1GiBs",
        "٣GB",
        "1" * 19,
    ],
)
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(
        ValueError,
        match=r"is not a size; (write bytes, or for example 500MiB|did you mean '[0-9A-Zi]+'.$)",
    ):
        parse_size(text)


@given(st.integers(0, 10**18 - 1), st.sampled_from(sorted(FACTORS)))
def test_whole_sizes_are_exact_however_large(amount: int, unit: str) -> None:
    assert parse_size(f"{amount}{unit}") == amount * FACTORS[unit]


@given(st.text() | st.from_regex(r"[0-9]{1,12}[ .0-9a-zA-Z]{0,6}", fullmatch=True))
@pytest.mark.parametrize("parse", [parse_duration, parse_size])
def test_any_text_gives_a_value_or_a_sentence(parse: Callable[[str], float], text: str) -> None:
    try:
        value = parse(text)
    except ValueError as error:
        assert repr(text) in str(error)  # noqa: PT017 -- most texts raise, and may
    else:
        assert value >= 0
