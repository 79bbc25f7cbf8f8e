"""Which requests another site's page may have set off."""

import pytest

from ncr_exporter.web.routes import is_cross_site

HOST = {"host": "exporter.example:10627"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://exporter.example:10627"},
        {"origin": "http://EXPORTER.example:10627"},
        {"sec-fetch-site": "same-origin", "origin": "https://behind-a-proxy.example"},
    ],
)
def test_programs_and_our_own_pages_are_let_through(headers: dict[str, str]) -> None:
    assert not is_cross_site({**HOST, **headers})


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": ""},
        {"sec-fetch-site": "cross-site", "origin": "http://exporter.example:10627"},
        {"origin": "http://elsewhere.example"},
        {"origin": "http://exporter.example"},
        {"origin": "http://exporter.example:10627.elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": ""},
    ],
)
def test_another_sites_pages_are_not(headers: dict[str, str]) -> None:
    assert is_cross_site({**HOST, **headers})


def test_without_a_host_an_origin_is_not_ours() -> None:
    assert is_cross_site({"origin": "http://exporter.example"})
