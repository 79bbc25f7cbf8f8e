"""What a request says of its target, and short answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.httpd.messages import Request, text_response


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/metrics", "/metrics"),
        ("/metrics?name=a", "/metrics"),
        ("/metrics?a=/b?c#d", "/metrics"),
        ("/metrics#d?a", "/metrics"),
        ("//metrics", "//metrics"),
        ("/a//b/", "/a//b/"),
        ("/%6detrics", "/%6detrics"),
        ("/http://h/metrics", "/http://h/metrics"),
        ("http://host:10627/metrics?a=b", "/metrics"),
        ("HTTPS://user@[::1]/-/ready", "/-/ready"),
        ("http://host", "/"),
        ("http://host?a", "/"),
        ("http://[", "/"),
        ("*", "*"),
        ("host:443", "host:443"),
    ],
)
def test_the_path_is_what_stands_between_origin_and_query(target: str, path: str) -> None:
    assert Request("GET", target).path == path


@pytest.mark.parametrize(
    ("target", "query"),
    [
        ("/", {}),
        ("/?", {}),
        ("/?a=b&c=d%20e+f", {"a": "b", "c": "d e f"}),
        ("/?a=1&a=2", {"a": "2"}),
        ("/?a&b=", {}),
        ("/?%zz=%ff", {"%zz": "\ufffd"}),
        ("http://h/p?a=b", {"a": "b"}),
    ],
)
def test_the_query_is_read_as_a_form(target: str, query: dict[str, str]) -> None:
    assert Request("GET", target).query == query


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
def test_any_target_has_a_path_and_a_query(target: str) -> None:
    request = Request("GET", target)
    assert request.path
    assert "?" not in request.path
    assert isinstance(request.query, dict)


def test_a_short_answer_knows_its_length_and_type() -> None:
    answer = text_response(404, "nicht gefunden: ü\n", {"allow": "GET"})
    assert answer.status == 404
    assert b"".join(answer.body).decode() == "nicht gefunden: ü\n"
    assert answer.length == 19
    assert answer.headers == {"content-type": "text/plain; charset=utf-8", "allow": "GET"}


def test_a_short_answer_may_be_of_another_type() -> None:
    answer = text_response(200, "<p>", {"content-type": "text/html"})
    assert answer.headers == {"content-type": "text/html"}
