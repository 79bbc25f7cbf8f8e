"""Whatever is asked of the exporter, and whatever its web configuration becomes: no failure."""

import asyncio
import gzip
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ncr_exporter.config import ConfigError
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.httpd.webconfig.load import load_web_config
from ncr_exporter.httpd.webconfig.policy import WebConfigPolicy
from ncr_exporter.runtime.watched_files import WatchedFiles
from ncr_exporter.web.negotiation import OPENMETRICS, TEXT
from tests.support.certificates import certificates_in
from tests.support.clock import eventually
from tests.support.expositions import samples_of
from tests.support.passwords import RIGHT, authorization, hash_of, users_section
from tests.support.properties import share
from tests.unit.httpd.test_connection import (
    WORDS,
    asking,
    goes_on_after,
    house,
)
from tests.unit.web.test_negotiation import HEADERS
from tests.unit.web.test_routes import PATHS, Exporter, constant, one_image

LINES = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n\0"), max_size=30)
"""What a header can hold."""
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "PRI"]) | LINES
TARGETS = (
    st.sampled_from([*PATHS, "/-/reload", "*", "http://x/metrics", "//metrics", "/metrics?a=b#c"])
    | LINES
    | st.builds("{}?{}".format, st.sampled_from(PATHS), LINES)
)
NAMES = ["origin", "host", "sec-fetch-site", "content-type", "if-none-match", "range", "expect"]
REQUEST_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "accept": HEADERS,
        "accept-encoding": HEADERS,
        "authorization": LINES,
        **dict.fromkeys(NAMES, LINES),
    },
)


async def done() -> None:
    """Reload nothing."""


@pytest.fixture(scope="module")
def exporter() -> Exporter:
    it = Exporter("app", "waiting", reload=done)
    it.polled("app")
    return it


@given(METHODS, TARGETS, REQUEST_HEADERS)
def test_any_request_has_an_answer_that_is_no_failure(
    exporter: Exporter, method: str, target: str, headers: dict[str, str]
) -> None:
    answer = asyncio.run(exporter.routes(Request(method, target, headers)))
    answer.ended()
    ready = target.partition("?")[0].endswith("/-/ready")
    assert answer.status < 500 or (answer.status == 503 and ready)
    assert answer.length in {None, len(b"".join(answer.body))}


@share(1 / 2)
@given(HEADERS, HEADERS)
def test_whatever_is_accepted_a_scrape_is_one_of_two_formats_and_the_same_samples(
    exporter: Exporter, accept: str, accept_encoding: str
) -> None:
    answer = asyncio.run(exporter.scrape(accept=accept, accept_encoding=accept_encoding))
    text = text_of(answer)
    openmetrics = answer.headers["content-type"] == OPENMETRICS
    assert openmetrics or answer.headers["content-type"] == TEXT
    assert text.endswith("# EOF\n") == openmetrics
    read = samples_of(text, openmetrics=openmetrics)
    usual = constant(text_of(asyncio.run(exporter.scrape())))
    assert {key: read[key] for key in usual} == usual


def text_of(answer: Response) -> str:
    body = b"".join(answer.body)
    is_packed = answer.headers.get("content-encoding") == "gzip"
    return (gzip.decompress(body) if is_packed else body).decode()


RAW = st.lists(
    st.sampled_from(WORDS)
    | st.sampled_from(
        [
            *(asking("GET", path) for path in PATHS),
            *(asking("POST", "/-/reload", "content-length: 3") + b"abc" for _ in range(1)),
            *(b"GET /metrics HTTP/1.1\r\nhost: x\r\naccept: ", b"\r\naccept-encoding: "),
            *(b"gzip", b"application/openmetrics-text", b";q=", b"0.5", b"\xff", b"\r\n\r\n"),
        ]
    )
    | st.binary(max_size=20),
    max_size=20,
).map(b"".join)


@pytest.mark.hypothesis
async def test_any_bytes_on_the_exporters_own_socket_are_no_failure() -> None:
    async with house(one_image().routes) as it:

        @share(1 / 2)
        @given(RAW)
        def survives(data: bytes) -> None:
            goes_on_after(it.port, data)

        await asyncio.to_thread(survives)
        await eventually(lambda: it.connections == 0)


# Web configuration


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("web")
    certificates_in(directory)
    return directory


ALICE = users_section({"alice": hash_of(RIGHT)})
SECTIONS = [
    [ALICE, users_section({"alice": hash_of(RIGHT), "bob": hash_of("other")}), ""],
    ["", "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"],
    ["", "http_server_config:\n  headers:\n    X-Frame-Options: deny\n"],
    ["", "rate_limit:\n  interval: 1s\n  burst: 2\n"],
]
PARTS = st.sampled_from(
    [
        *("tls_server_config:", "basic_auth_users:", "http_server_config:", "rate_limit:"),
        *("\n", "\n  ", "\n    ", ": ", "- ", "{", "}", "[", "]", "&a ", "*a", "!!binary ", "'"),
        *("alice: ", hash_of("x"), "client_ca_file", "min_version: TLS13", "---\n", "%YAML 9.9\n"),
        *("\ufeff", "\0", "?", "|", "0x", "~"),
    ]
).map(str.encode)
DAMAGES = st.tuples(st.floats(0, 1), st.integers(0, 5), PARTS | st.binary(max_size=4))
"""Where in a file, how many bytes of it leave, and what comes there."""


def damaged(file: bytes, damages: list[tuple[float, int, bytes]]) -> bytes:
    for place, length, instead in damages:
        start = round(place * len(file))
        file = file[:start] + instead + file[start + length :]
    return file


FILES = st.builds(
    damaged,
    st.tuples(*map(st.sampled_from, SECTIONS)).map("".join).map(str.encode),
    st.lists(DAMAGES, max_size=3),
)


@share(1 / 4)
@given(FILES | st.lists(PARTS, max_size=25).map(b"".join) | st.binary(max_size=100))
@example(b"")
@example(ALICE.encode())
@example(b"\xef\xbb\xbf" + ALICE.encode())
@example(ALICE.encode("utf-16"))
@example(b"tls_server_config: {cert_file: '\\0', key_file: '/'}")
@example(b"[" * 1500)
def test_any_bytes_are_a_web_configuration_or_refused(place: Path, content: bytes) -> None:
    path = place / "any.yml"
    path.write_bytes(content)
    with suppress(ConfigError):
        load_web_config(str(path), WatchedFiles())


class Hand:
    """A clock moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@share(1 / 2)
@given(st.lists(FILES | st.none(), max_size=4), LINES)
def test_whatever_the_web_configuration_becomes_nobody_gets_in_who_could_not(
    place: Path, contents: list[bytes | None], header: str
) -> None:
    path, clock = place / "changed.yml", Hand()
    path.write_text(ALICE)
    policy = WebConfigPolicy(str(path), clock)
    as_alice = authorization("alice", RIGHT)
    for content in contents:
        clock.now += 10
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        refused = asyncio.run(policy.refusal(Request("GET", "/metrics", {"authorization": header})))
        assert refused is not None
        assert refused.status in {401, 429}
        welcome = asyncio.run(policy.refusal(Request("GET", "/", {"authorization": as_alice})))
        assert welcome is None or welcome.status in {401, 429}
