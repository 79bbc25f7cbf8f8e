"""Which proxy requests go through, and what of the environment is refused or left out, in words."""

import base64
from collections.abc import Mapping

import pytest
from structlog.typing import EventDict

from ncr_exporter.config import Api, ConfigError, Secret
from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.httpd.server import Server
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.ncr.proxies import proxy_of
from tests.support.api_client import REGISTRY, client_of

FROM_ENVIRONMENT = Api(proxy_from_environment=True)
GATEWAY = "https://ncr.apigw.ntruss.com"
PROXY = "http://proxy.corp:3128"


def found(environ: Mapping[str, str], base_url: str = GATEWAY) -> str | None:
    proxy = proxy_of(FROM_ENVIRONMENT, base_url, environ)
    return None if proxy is None else proxy.reveal()


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": "proxy.corp:3128"}, PROXY),
        ({"HTTPS_PROXY": f" {PROXY}\n"}, PROXY),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"ALL_PROXY": "socks5://proxy", "HTTPS_PROXY": PROXY}, PROXY),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTP_PROXY": "socks5://proxy", "HTTPS_PROXY": PROXY}, PROXY),
    ],
)
def test_the_variable_of_the_scheme_decides_then_that_of_all(
    environ: dict[str, str], proxy: str | None
) -> None:
    assert found(environ) == proxy


def test_plain_http_has_a_variable_of_its_own() -> None:
    environ = {"HTTP_PROXY": PROXY, "HTTPS_PROXY": "http://other"}
    assert found(environ, "http://127.0.0.1:8080") == PROXY


@pytest.mark.parametrize(
    ("no_proxy", "base_url", "direct"),
    [
        ("localhost,127.0.0.1,[::1]", GATEWAY, False),
        ("localhost,127.0.0.1,[::1]", "https://[::1]:8443", True),
        ("localhost,127.0.0.1,::1", "https://[::1]", True),
        ("fd00::/8", "https://[fd00::7]", True),
        ("fd00::/8", "https://[fe80::7]", False),
        ("fd00::/8", GATEWAY, False),
        ("[fd00::7]:8443", "https://[fd00::7]:8443", True),
        ("[fd00::7]:8443", "https://[fd00::7]", False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.1.2.3", "https://10.1.2.3", True),
        ("10.1.2.3:443", "https://10.1.2.3", True),
        ("ntruss.com", GATEWAY, True),
        (".ntruss.com", GATEWAY, True),
        ("*.ntruss.com", GATEWAY, True),
        ("NTRUSS.COM.", GATEWAY, True),
        ("ncr.apigw.ntruss.com", GATEWAY, True),
        (".ncr.apigw.ntruss.com", GATEWAY, False),
        ("russ.com", GATEWAY, False),
        ("ntruss.com:443", GATEWAY, True),
        ("ntruss.com:444", GATEWAY, False),
        ("https://ntruss.com", GATEWAY, True),
        ("http://ntruss.com", GATEWAY, False),
        ("*", GATEWAY, True),
        ("other.com *", GATEWAY, True),
        ("other.com ntruss.com", GATEWAY, True),
        ("", GATEWAY, False),
        (" , ,", GATEWAY, False),
    ],
)
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_no_proxy_covers_names_addresses_and_networks(
    logs: list[EventDict], name: str, no_proxy: str, base_url: str, *, direct: bool
) -> None:
    assert (found({"HTTPS_PROXY": PROXY, name: no_proxy}, base_url) is None) is direct
    assert logs == []


@pytest.mark.parametrize("entry", ["[::1", "10.0.0.0/99", "a/b", "::1::2", "http://", "x:y:z", "@"])
def test_an_entry_of_no_proxy_that_nobody_can_read_is_left_out_with_a_warning(
    logs: list[EventDict], entry: str
) -> None:
    environ = {"HTTPS_PROXY": PROXY, "NO_PROXY": f"{entry},ntruss.com"}
    assert found(environ) is None, "the others count"
    (told,) = logs
    assert (told["log_level"], told["variable"]) == ("warning", "NO_PROXY")
    assert told["entry"] == (entry if "@" not in entry else "(not shown)")


SECRET_PARTS = ("s3cr3t", "c4n4ry")
UNUSABLE = [
    "socks://proxy:1080",
    "socks5h://me:s3cr3t@proxy:1080",
    "http://me:s3cr3t/c4n4ry@proxy:3128",
    "http://me:s3cr3t#c4n4ry@proxy:3128",
    "http://me:s3cr3t?c4n4ry@proxy:3128",
    "http://me:12/c4n4ry@proxy:3128",
    "http://me:s3cr3t c4n4ry@proxy:3128",
    "http://proxy:s3cr3t",
    "http://[s3cr3t",
    "http://",
    "ftp://s3cr3t",
    "me:s3cr3t:c4n4ry",
]


@pytest.mark.parametrize("value", UNUSABLE)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_refused_and_nothing_of_it_is_shown(
    name: str, value: str
) -> None:
    with pytest.raises(
        ConfigError, match=f"proxy_from_environment: the variable {name} "
    ) as caught:
        found({name: value})
    assert not any(part in str(caught.value) for part in SECRET_PARTS)


def test_a_proxy_that_cannot_be_used_does_not_matter_where_no_request_would_go_through_it() -> None:
    assert found({"HTTPS_PROXY": "socks://proxy", "NO_PROXY": "ntruss.com"}) is None


def test_without_the_key_the_environment_is_not_looked_at() -> None:
    assert proxy_of(Api(), GATEWAY, {"HTTPS_PROXY": PROXY, "ALL_PROXY": "socks://x"}) is None
    configured = Api(proxy_url=Secret(PROXY))
    assert proxy_of(configured, GATEWAY, {"HTTPS_PROXY": "http://other"}) == Secret(PROXY)


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("p%40ss", "p@ss"),
        ("p@ss", "p@ss"),
        ("p%2Fss%23w%3Frd", "p/ss#w?rd"),
        ("dom%5Cp%25", "dom\\p%"),
        ("a:b", "a:b"),
        ("100%", "100%"),
        ("%ed%95%9c", "한"),
    ],
)
@pytest.mark.parametrize("from_environment", [False, True])
async def test_a_password_may_hold_anything_percent_encoded(
    monkeypatch: pytest.MonkeyPatch, written: str, password: str, *, from_environment: bool
) -> None:
    asked: list[str] = []

    async def proxy(request: Request) -> Response:
        scheme, _, credentials = request.headers["proxy-authorization"].partition(" ")
        asked.append(f"{scheme} {base64.b64decode(credentials).decode()}")
        return text_response(502, "")

    async with Server(proxy) as server:
        port = await server.listen("127.0.0.1", 0)
        url = f"http://user:{written}@127.0.0.1:{port}"
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        given = {"proxy_from_environment": True} if from_environment else {"proxy_url": Secret(url)}
        async with client_of("http://registry.invalid", api=Api(timeout=2.0, **given)) as (it, _):
            with pytest.raises(ApiError):
                await it.tags(REGISTRY, "app")
    assert set(asked) == {f"Basic user:{password}"}
