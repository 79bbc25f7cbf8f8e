"""The key of the server's role: asked for by name alone, renewed in time, never shown."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ncr_exporter.config import ConfigError, CredentialsConfig, parse
from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.httpd.server import Server
from ncr_exporter.ncr.credentials import find_credentials
from ncr_exporter.ncr.keys import Credentials, CredentialsError
from tests.support.clock import EPOCH, ManualClock

PATH = "/latest/meta-data/iam/security-credentials/"
ROLE = CredentialsConfig(source="server_role")


class Metadata:
    """A metadata service; `answer` may be changed, `requests` are remembered."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.roles: Response = text_response(200, "role-1\nrole-2\n")
        self.answer: Response = key_until("2025-10-09T09:53:20Z")

    async def handle(self, request: Request) -> Response:
        self.requests.append(request)
        if request.path == PATH:
            return self.roles
        return self.answer if request.path == f"{PATH}role-1" else text_response(404, "no\n")


def key_until(expiration: str | None, number: int = 1) -> Response:
    content: dict[str, Any] = {
        "Code": "Success",
        "AccessKeyId": f"role-access-{number}",
        "SecretAccessKey": f"role-secret-{number}",
    }
    if expiration is not None:
        content["Expiration"] = expiration
    return text_response(200, json.dumps(content))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(EPOCH)


@pytest.fixture
def service() -> Metadata:
    return Metadata()


@pytest.fixture
async def environ(service: Metadata) -> AsyncIterator[dict[str, str]]:
    """Name the metadata service, as the environment does."""
    async with Server(service.handle) as server:
        port = await server.listen("127.0.0.1", 0)
        yield {"NCLOUD_METADATA_API_ENDPOINT": f"http://127.0.0.1:{port}"}


@pytest.fixture
def credentials(environ: dict[str, str], clock: ManualClock) -> Credentials:
    return find_credentials(ROLE, Path(), environ, clock)


async def access_key(credentials: Credentials) -> str:
    await credentials.refresh()
    pair = credentials.current()
    assert pair.secret_key.reveal() == pair.access_key.reveal().replace("access", "secret")
    return pair.access_key.reveal()


async def test_the_first_role_that_is_listed_gives_the_key(
    credentials: Credentials, service: Metadata
) -> None:
    assert credentials.source == "server_role"
    assert await access_key(credentials) == "role-access-1"
    assert [request.path for request in service.requests] == [PATH, f"{PATH}role-1"]
    assert {request.method for request in service.requests} == {"GET"}


async def test_a_key_is_asked_for_once_and_renewed_before_it_expires(
    credentials: Credentials, service: Metadata, clock: ManualClock
) -> None:
    service.answer = key_until("2025-10-09T09:08:20Z")
    assert await access_key(credentials) == "role-access-1"
    service.answer = key_until("2025-10-09T10:53:20Z", number=2)
    await clock.advance(900 - 301)
    assert await access_key(credentials) == "role-access-1"
    assert len(service.requests) == 2
    await clock.advance(2)
    assert await access_key(credentials) == "role-access-2"


async def test_a_key_that_lives_long_is_asked_about_every_quarter_of_an_hour(
    credentials: Credentials, service: Metadata, clock: ManualClock
) -> None:
    """By a clock that is hours behind, a key that has expired looks good for hours."""
    service.answer = key_until("2025-10-09T20:53:20Z")
    await access_key(credentials)
    service.answer = key_until("2025-10-10T20:53:20Z", number=2)
    await clock.advance(899)
    assert await access_key(credentials) == "role-access-1"
    await clock.advance(1)
    assert await access_key(credentials) == "role-access-2"


@pytest.mark.parametrize("years", [-10, 10])
async def test_a_wall_clock_that_jumps_and_comes_back_does_not_put_the_next_key_off(
    credentials: Credentials, service: Metadata, clock: ManualClock, years: int
) -> None:
    for by in (years, -years):
        clock.set_wall(clock.time() + by * 365 * 86400)
        await access_key(credentials)
    service.answer = key_until("2025-10-09T10:53:20Z", number=2)
    await clock.advance(900)
    assert await access_key(credentials) == "role-access-2"


@pytest.mark.parametrize("expiration", ["", "soon", "2016-12-31T23:59:60Z", "9999-12-31T23:59:59Z"])
async def test_an_expiration_that_cannot_be_read_costs_no_key(
    credentials: Credentials, service: Metadata, clock: ManualClock, expiration: str
) -> None:
    service.answer = key_until(expiration)
    assert await access_key(credentials) == "role-access-1"
    service.answer = key_until(None, number=2)
    await clock.advance(900)
    assert await access_key(credentials) == "role-access-2"


async def test_an_outage_of_the_service_is_bridged_while_the_key_is_good(
    credentials: Credentials, service: Metadata, clock: ManualClock
) -> None:
    await access_key(credentials)
    service.roles = text_response(500, "out of order\n")
    await clock.advance(3400)
    for _ in range(20):
        assert await access_key(credentials) == "role-access-1"
    assert len(service.requests) == 3, "one failure is not asked about again at once"
    await clock.advance(201)
    with pytest.raises(CredentialsError, match="answered HTTP 500"):
        await access_key(credentials)
    service.roles = text_response(200, "role-1\n")
    service.answer = key_until(None, number=3)
    assert await access_key(credentials) == "role-access-3"


async def test_many_requests_at_once_ask_once(credentials: Credentials, service: Metadata) -> None:
    await asyncio.gather(*(credentials.refresh() for _ in range(20)))
    assert len(service.requests) == 2


@pytest.mark.parametrize(
    ("roles", "answer", "said"),
    [
        (text_response(200, ""), None, "names no role"),
        (text_response(404, "no"), None, "answered HTTP 404"),
        (text_response(302, "", {"location": "http://elsewhere.example/"}), None, "HTTP 302"),
        (None, text_response(200, "<html>"), "returned no key; check NCLOUD_METADATA_API_ENDPOINT"),
        (None, text_response(200, "[]"), "returned no key; check NCLOUD_METADATA_API_ENDPOINT"),
        (None, text_response(200, '{"Code": "Expired"}'), r"returned no key \(Expired\)"),
        (None, text_response(200, '{"AccessKeyId": "a"}'), "returned no key; check the role"),
        (
            None,
            text_response(200, '{"AccessKeyId": 5}'),
            "returned no key; check NCLOUD_METADATA_API_ENDPOINT",
        ),
        (None, text_response(200, "x" * 100_000), "more than 65536 bytes"),
        (
            None,
            text_response(200, '{"AccessKeyId": "canary 1", "SecretAccessKey": "s"}'),
            "metadata service .* returned characters that no key has",
        ),
    ],
)
async def test_an_answer_without_a_key_is_said_in_words_that_quote_none(
    credentials: Credentials,
    service: Metadata,
    roles: Response | None,
    answer: Response | None,
    said: str,
) -> None:
    service.roles, service.answer = roles or service.roles, answer or service.answer
    with pytest.raises(CredentialsError, match=said) as caught:
        await credentials.refresh()
    assert "canary" not in str(caught.value)
    with pytest.raises(CredentialsError, match="no key yet"):
        credentials.current()


async def test_a_service_that_cannot_be_reached_is_said() -> None:
    for endpoint in ("http://127.0.0.1:9", "http://[", "nonsense"):
        environ = {"NCLOUD_METADATA_API_ENDPOINT": endpoint}
        credentials = find_credentials(ROLE, Path(), environ, ManualClock())
        with pytest.raises(CredentialsError, match="cannot be reached; check NCLOUD_META"):
            await credentials.refresh()


async def test_no_proxy_of_the_environment_comes_between(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    credentials = find_credentials(ROLE, Path(), environ, ManualClock(EPOCH))
    assert await access_key(credentials) == "role-access-1"


async def test_without_being_named_the_role_is_never_asked(
    service: Metadata, environ: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(CredentialsError, match="no API key"):
        find_credentials(CredentialsConfig(), tmp_path, {**environ, "HOME": str(tmp_path)})
    assert service.requests == []


def test_a_source_beside_keys_is_refused() -> None:
    text = """
credentials: {source: server_role, access_key: a}
registries: [{name: mine, images: [app]}]
"""
    with pytest.raises(ConfigError, match="give a source or keys, not both"):
        parse(text, "F", {})


async def test_neither_text_nor_repr_shows_the_key(credentials: Credentials) -> None:
    await credentials.refresh()
    assert "role-secret" not in f"{credentials} {credentials!r} {credentials.current()!r}"
