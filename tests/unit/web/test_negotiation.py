"""Which format and encoding real clients get, and odd ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.web.negotiation import preferred_language, wants_gzip, wants_openmetrics

OPENMETRICS = "application/openmetrics-text"

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_2_WITH_NATIVE_HISTOGRAMS = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
    "q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_2_BEFORE_OPENMETRICS_1 = (
    "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_TOLD_TO_PREFER_TEXT = (
    "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,*/*;q=0.2"
)
CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
DATADOG = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1"


@pytest.mark.parametrize(
    "accept",
    [
        PROMETHEUS_2,
        PROMETHEUS_2_WITH_NATIVE_HISTOGRAMS,
        PROMETHEUS_3,
        DATADOG,
        OPENMETRICS,
        f"{OPENMETRICS}, */*",
        f"{OPENMETRICS};version=1.0.0",
        f'{OPENMETRICS}; version="1.0.0"; charset=utf-8',
        f"  {OPENMETRICS} ; version = 1.0.0 ; q = 0.1  ",
        "APPLICATION/OpenMetrics-Text;VERSION=1.0.0;Q=1",
        f"{OPENMETRICS};q=0.001",
        f"{OPENMETRICS};q=0.5,text/plain;q=0.5",
        f"{OPENMETRICS};q=0.5,text/plain;version=1.0.0;q=0.9",
        f"{OPENMETRICS};q=0.5,text/html",
        f",,{OPENMETRICS},,",
    ],
)
def test_who_names_openmetrics_and_does_not_prefer_text_gets_openmetrics(accept: str) -> None:
    assert wants_openmetrics(accept) is True


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/*",
        "text/plain",
        "application/*",
        "application/json",
        CHROME,
        FIREFOX,
        PROMETHEUS_2_BEFORE_OPENMETRICS_1,
        PROMETHEUS_TOLD_TO_PREFER_TEXT,
        f"{OPENMETRICS};q=0.4,text/plain;q=0.5",
        f"{OPENMETRICS};q=0.4,*/*;q=0.5",
    ],
)
def test_everyone_else_gets_text(accept: str) -> None:
    assert wants_openmetrics(accept) is False


@pytest.mark.parametrize(
    "parameters",
    [
        "version=abc",
        "version=",
        "version=0.0.1",
        "version=2.0.0",
        "version=1.0.0;version=abc",
        "q=0",
        "q=0.0",
        "q=nan",
        "q=NaN",
        "q=inf",
        "q=-1",
        "q=-0.5",
        "q=1.5",
        "q=1e9",
        "q=high",
        "q=",
        "q",
        "q=0.5;q=0",
    ],
)
def test_an_odd_version_or_quality_counts_for_nothing(parameters: str) -> None:
    assert wants_openmetrics(f"{OPENMETRICS};{parameters}") is False


@pytest.mark.parametrize(
    "accept",
    [
        f"{OPENMETRICS};q=0.5,text/plain;q=0.3,*/*;q=0.9",
        f"*/*;q=0.9,text/plain;version=0.0.4;q=0,{OPENMETRICS};version=1.0.0;q=0.5",
        f"text/*;q=0.9,text/plain;q=0.3,{OPENMETRICS};q=0.5",
    ],
)
def test_what_is_said_of_text_by_name_beats_what_a_wildcard_says(accept: str) -> None:
    """RFC 9110, 12.5.1: the most specific reference has precedence."""
    assert wants_openmetrics(accept) is True


@given(st.sampled_from(["0", "0.0", "0.000", "nan", "-1", "2", "x"]), st.text(max_size=20))
def test_nobody_gets_what_they_refused(quality: str, rest: str) -> None:
    accept = f"{OPENMETRICS};version=1.0.0;q={quality},{rest.replace('openmetrics', '')}"
    assert wants_openmetrics(accept) is False


@pytest.mark.parametrize(
    "accept_encoding",
    [
        "gzip",
        "GZip",
        "x-gzip",
        "*",
        "gzip;q=1.0",
        "gzip ; q=0.001",
        "deflate, gzip",
        "gzip, deflate, br, zstd",
        "br;q=1.0, gzip;q=0.8, *;q=0.1",
        "identity;q=0, *",
        "gzip, *;q=0",
    ],
)
def test_gzip_is_sent_to_who_takes_it(accept_encoding: str) -> None:
    assert wants_gzip(accept_encoding) is True


@pytest.mark.parametrize(
    "accept_encoding",
    [
        "",
        "identity",
        "br, deflate",
        "gzip;q=0",
        "gzip;q=0.0",
        "gzip;q=0.000",
        "gzip;q=nan",
        "gzip;q=-1",
        "gzip;q=2",
        "gzip;q=",
        "gzip;q=no",
        "*;q=0",
        "gzip;q=0, *",
        "*, gzip;q=0",
        "identity, *;q=0",
        "gzipped",
        "notgzip",
    ],
)
def test_gzip_is_not_sent_to_who_does_not_ask_for_it(accept_encoding: str) -> None:
    assert wants_gzip(accept_encoding) is False


NAMES = ["text/plain", OPENMETRICS, "*/*", "gzip", "*", "q", "version"]
REST = [";", ",", "=", '"', " ", "0.5", "1.0.0", "nan", "1e999", "٣", "_"]
PARAMETERS = st.lists(
    st.builds(";{}={}".format, st.sampled_from(["q", "version"]), st.sampled_from(REST)), max_size=2
).map("".join)
ITEMS = st.builds("{}{}".format, st.sampled_from(NAMES), PARAMETERS)
HEADERS = (
    st.text()
    | st.lists(st.sampled_from(NAMES + REST)).map("".join)
    | st.lists(ITEMS, max_size=4).map(", ".join)
)


@given(HEADERS)
def test_any_header_at_all_gets_an_answer(header: str) -> None:
    assert wants_openmetrics(header) in {True, False}
    assert wants_gzip(header) in {True, False}


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        ("en-US,en;q=0.9,ko-KR;q=0.8,ko;q=0.7", "en"),
        ("EN;q=0.1, KO-kr;q=0.2", "ko"),
        ("fr-FR, ko;q=0.3", "ko"),
        ("fr", "en"),
        ("*", "en"),
        ("ko;q=0, *", "en"),
        ("en;q=0, *;q=0.1", "ko"),
        ("*;q=0.5, ko;q=0.3", "en"),
        ("*;q=0.3, ko;q=0.5", "ko"),
        ("ko, en", "ko"),
        ("en, ko", "en"),
        ("ko;q=2", "en"),
        ("korean, ko-;q=x, ;;q", "en"),
    ],
)
def test_a_browser_gets_the_language_that_it_prefers(accepted: str, language: str) -> None:
    assert preferred_language(accepted, ("en", "ko")) == language


@given(st.text())
def test_any_accept_language_leads_to_a_language(accepted: str) -> None:
    assert preferred_language(accepted, ("en", "ko")) in {"en", "ko"}
