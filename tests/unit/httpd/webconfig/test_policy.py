"""The web configuration in force: TLS, clients' certificates, headers, rates, and its changes."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trustme

from ncr_exporter.config import ConfigError
from ncr_exporter.httpd.access import Tls
from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.httpd.webconfig.model import CURVES, interval
from ncr_exporter.httpd.webconfig.policy import WebConfigPolicy
from tests.support.certificates import Certificates, certificates_in
from tests.support.passwords import RIGHT, authorization, hash_of, users_section
from tests.unit.httpd.test_connection import (
    GET,
    House,
    asking,
    echo,
    exchange,
    house,
    statuses,
)

TLS = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
VERIFIED = TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
OLD, NEW = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
ALICE = users_section({"alice": hash_of(RIGHT)})
AS_ALICE = asking("GET", "/", f"authorization: {authorization('alice', RIGHT)}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    certificates = certificates_in(tmp_path_factory.mktemp("certificates"))
    certificates.issue("client", "prometheus.example", "::1", "ops@example.org")
    return certificates


@pytest.fixture
def certificates(made: Certificates, tmp_path: Path) -> Certificates:
    """The same in a directory of the test's own, which it may change."""
    for path in made.directory.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return Certificates(tmp_path, made.authority)


class Hand:
    """A clock moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class WebConfig(House):
    """A server behind a web configuration, and the clock that decides when it is looked at."""

    path: Path
    clock: Hand

    def write(self, text: str, *, later: float = 1.0) -> None:
        """Change the file, and let time pass."""
        self.path.write_text(text)
        self.clock.now += later


@asynccontextmanager
async def site(
    directory: Path, text: str, limits: Limits | None = None
) -> AsyncIterator[WebConfig]:
    """Serve `echo` as a file with this text says."""
    path = directory / "web.yml"
    path.write_text(text)
    clock = Hand()
    policy = WebConfigPolicy(str(path), clock)
    async with house(echo, limits, access=policy) as served:
        it = WebConfig(served.server, served.port, served.logs)
        it.path, it.clock = path, clock
        yield it


async def speak(
    port: int, context: ssl.SSLContext | None, request: bytes = GET
) -> tuple[bytes, ssl.SSLObject | None]:
    """Send a request and return all that is answered, and what TLS agreed upon."""
    host = "localhost" if context else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=host
    )
    with closing(writer):
        writer.write(request.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        answer = await reader.read()
        return answer, writer.get_extra_info("ssl_object")


async def gets_in(port: int, context: ssl.SSLContext | None) -> bool:
    """Return whether a client is answered; a refused one may see the end, a reset or an alert."""
    try:
        answer, _ = await speak(port, context)
    except (OSError, asyncio.IncompleteReadError):  # an SSLError is an OSError, too
        return False
    return statuses(answer) == [200]


# TLS


@pytest.mark.parametrize(
    ("settings", "old", "new"),
    [
        ("", True, True),
        ("  min_version: TLS10\n", True, True),
        ("  min_version: TLS13\n", False, True),
        ("  max_version: TLS12\n", True, False),
        ("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n", False, True),
        ("  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n", False, True),
        ("  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n", True, True),
    ],
)
async def test_the_versions_of_tls_that_are_spoken(
    settings: str,
    old: bool,  # noqa: FBT001 -- a parametrised case
    new: bool,  # noqa: FBT001 -- likewise
    certificates: Certificates,
) -> None:
    """The test's certificates are ECDSA's: a suite of RSA's is of no use to them."""
    async with site(certificates.directory, TLS + settings) as it:
        client = certificates.client(maximum_version=OLD)
        assert await gets_in(it.port, client) == old
        client = certificates.client(minimum_version=NEW)
        assert await gets_in(it.port, client) == new


async def test_without_named_suites_too_what_was_recorded_stays_secret_when_the_key_gets_out(
    certificates: Certificates,
) -> None:
    certificates.issue("server", key_type=trustme.KeyType.RSA)
    async with site(certificates.directory, TLS) as it:
        for suite, is_spoken in {"ECDHE-RSA-AES256-GCM-SHA384": True, "AES256-SHA": False}.items():
            client = certificates.client(maximum_version=OLD)
            client.set_ciphers(suite)
            assert await gets_in(it.port, client) == is_spoken


@pytest.mark.parametrize(
    ("ours", "agreed"), [("true", "AES256-GCM"), ("false", "AES128-GCM")], ids=["ours", "theirs"]
)
async def test_whose_order_of_ciphers_counts(
    ours: str, agreed: str, certificates: Certificates
) -> None:
    text = f"""{TLS}  prefer_server_cipher_suites: {ours}
  cipher_suites:
    - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
    - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
"""
    client = certificates.client(maximum_version=OLD)
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384")
    async with site(certificates.directory, text) as it:
        _, tls = await speak(it.port, client)
    assert tls is not None
    cipher = tls.cipher()
    assert cipher is not None
    assert agreed in cipher[0]


def can_be_set(curve: str) -> bool:
    """Whether this Python can: Debian 12's knows X25519 only among all of OpenSSL's."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ecdh_curve(curve)
    except ssl.SSLError:
        return False
    return True


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_of_several_curves_the_first_alone_is_spoken(
    version: ssl.TLSVersion, certificates: Certificates
) -> None:
    """Python can set one; none that was not named may be agreed upon."""
    certificates.issue(
        "server", key_type=trustme.KeyType.RSA
    )  # for TLS 1.2 ECDSA's has a curve too
    async with site(
        certificates.directory, f"{TLS}  curve_preferences: [CurveP384, X25519]\n"
    ) as it:
        for curve in filter(can_be_set, CURVES.values()):
            client = certificates.client(minimum_version=version, maximum_version=version)
            client.set_ecdh_curve(curve)
            assert await gets_in(it.port, client) == (curve == "secp384r1")


async def test_certificate_and_key_may_stand_in_the_file(certificates: Certificates) -> None:
    def block(name: str) -> str:
        lines = (certificates.directory / name).read_text().splitlines()
        return "|\n" + "".join(f"    {line}\n" for line in lines)

    text = f"""tls_server_config:
  cert: {block("server.pem")}
  key: {block("server.key")}
  client_auth_type: RequireAndVerifyClientCert
  client_ca: {block("ca.pem")}
"""
    for path in certificates.directory.glob("server.*"):
        path.unlink()
    async with site(certificates.directory, text) as it:
        assert await gets_in(it.port, certificates.client("client"))
        assert not await gets_in(it.port, certificates.client())


async def test_http_2_is_not_spoken_whatever_the_file_says(certificates: Certificates) -> None:
    async with site(certificates.directory, TLS + "http_server_config: {http2: true}\n") as it:
        client = certificates.client()
        client.set_alpn_protocols(["h2", "http/1.1"])
        answer, tls = await speak(it.port, client)
    assert statuses(answer) == [200]
    assert tls is not None
    assert tls.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize(
    ("kind", "nothing", "stranger", "known"),
    [
        ("NoClientCert", True, True, True),
        ("RequestClientCert", True, True, True),
        ("VerifyClientCertIfGiven", True, False, True),
        ("RequireAndVerifyClientCert", False, False, True),
    ],
)
@pytest.mark.parametrize("version", [OLD, NEW])
async def test_who_gets_in_with_which_certificate(  # noqa: PLR0917, PLR0913 -- a row of a table
    kind: str,
    nothing: bool,  # noqa: FBT001 -- likewise
    stranger: bool,  # noqa: FBT001 -- likewise
    known: bool,  # noqa: FBT001 -- likewise
    version: ssl.TLSVersion,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    foreign = certificates_in(tmp_path_factory.mktemp("foreign"))
    authority = "" if kind == "NoClientCert" else "  client_ca_file: ca.pem\n"
    text = f"{TLS}  client_auth_type: {kind}\n{authority}"
    async with site(certificates.directory, text) as it:
        client = certificates.client(minimum_version=version, maximum_version=version)
        assert await gets_in(it.port, client) == nothing
        own = certificates.client("client", minimum_version=version, maximum_version=version)
        assert await gets_in(it.port, own) == known
        client.load_cert_chain(foreign.directory / "other.pem", foreign.directory / "other.key")
        assert await gets_in(it.port, client) == stranger


async def test_without_an_authority_of_its_own_the_systems_are_believed_as_in_go(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n"
    async with site(certificates.directory, text) as it:
        assert not await gets_in(it.port, certificates.client("client"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.directory / "ca.pem"))
    async with site(certificates.directory, text) as it:
        assert await gets_in(it.port, certificates.client("client"))


@pytest.mark.parametrize(
    ("names", "welcome"),
    [
        ("prometheus.example", True),
        ("ops@example.org", True),
        ("'::1'", True),
        ("other.example, prometheus.example", True),
        ("other.example", False),
        ("PROMETHEUS.example", False),
        ("example", False),
        ("'*.example'", False),
    ],
)
@pytest.mark.parametrize("version", [OLD, NEW])
async def test_a_clients_certificate_must_have_one_of_the_allowed_names(
    names: str,
    welcome: bool,  # noqa: FBT001 -- a parametrised case
    version: ssl.TLSVersion,
    certificates: Certificates,
) -> None:
    text = f"{VERIFIED}  client_allowed_sans: [{names}]\n"
    async with site(certificates.directory, text) as it:
        client = certificates.client("client", minimum_version=version, maximum_version=version)
        assert await gets_in(it.port, client) == welcome


async def test_names_are_asked_of_those_alone_who_show_a_certificate(
    certificates: Certificates,
) -> None:
    text = VERIFIED.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    async with site(certificates.directory, text + "  client_allowed_sans: [a.example]\n") as it:
        assert await gets_in(it.port, certificates.client())
        assert not await gets_in(it.port, certificates.client("client"))


def test_an_address_that_openssl_cannot_show_is_nobodys_name() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls = Tls(context, frozenset({"127.0.0.1"}))
    assert not tls.admits({"subjectAltName": (("IP Address", "<invalid>"),)})
    assert tls.admits({"subjectAltName": (("IP Address", "127.0.0.1"),)})


async def test_why_a_client_was_refused_is_told_at_debug(certificates: Certificates) -> None:
    async with site(
        certificates.directory, VERIFIED + "  client_allowed_sans: [a.example]\n"
    ) as it:
        assert not await gets_in(it.port, certificates.client())
        assert not await gets_in(it.port, certificates.client("client"))
        without, named = it.logs
    assert without["event"] == "TLS handshake failed"
    assert without["reason"] == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    assert named["event"] == "client's certificate has none of the allowed names"
    assert {line["client"] for line in (without, named)} == {"127.0.0.1"}
    assert {line["log_level"] for line in (without, named)} == {"debug"}


def test_what_this_openssl_does_not_know_is_a_problem_of_the_file(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CURVES, "X25519", "no-such-curve")
    path = certificates.directory / "web.yml"
    path.write_text(f"{TLS}  curve_preferences: [X25519]\n")
    with pytest.raises(ConfigError, match=r"web.yml:4: .*curve_preferences: OpenSSL"):
        WebConfigPolicy(str(path))


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_the_certificate_may_have_another_curve_than_the_key_exchange(
    version: ssl.TLSVersion, certificates: Certificates
) -> None:
    async with site(certificates.directory, f"{TLS}  curve_preferences: [CurveP384]\n") as it:
        client = certificates.client(minimum_version=version, maximum_version=version)
        assert await gets_in(it.port, client)


# Headers, users, rates

HEADERS = """http_server_config:
  headers:
    X-Frame-Options: deny
    X-XSS-Protection: 1
    Content-Security-Policy: default-src 'self'
    Strict-Transport-Security: ""
"""


async def test_every_answer_has_the_headers_of_the_file(tmp_path: Path) -> None:
    async with site(tmp_path, HEADERS + ALICE) as it:
        for request in (AS_ALICE, GET, b"nonsense\r\n\r\n", asking("HEAD")):
            answer = await exchange(it.port, request)
            head = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
            assert b"x-frame-options: deny" in head
            assert b"x-xss-protection: 1" in head
            assert b"content-security-policy: default-src 'self'" in head
            assert b"strict-transport-security" not in answer


async def test_a_header_of_the_file_stands_in_place_of_the_pages_own(tmp_path: Path) -> None:
    async def page(_: Request) -> Response:
        return text_response(200, "", {"content-security-policy": "ours", "x-other": "stays"})

    (tmp_path / "web.yml").write_text(HEADERS)
    async with house(page, access=WebConfigPolicy(str(tmp_path / "web.yml"))) as it:
        answer = await exchange(it.port, GET)
    assert answer.count(b"content-security-policy") == 1
    assert b"content-security-policy: default-src 'self'" in answer
    assert b"x-other: stays" in answer


async def test_more_requests_than_the_rate_are_429(tmp_path: Path) -> None:
    async with site(tmp_path, "rate_limit: {interval: 100ms, burst: 3}\n" + ALICE) as it:

        async def asked(count: int) -> list[int]:
            return statuses(await exchange(it.port, AS_ALICE * count))

        assert await asked(5) == [200, 200, 200, 429, 429]
        it.clock.now += 0.25
        assert await asked(3) == [200, 200, 429]
        it.clock.now += 60
        assert await asked(5) == [200, 200, 200, 429, 429]
        it.write(HEADERS + "rate_limit: {interval: 100ms, burst: 3}\n" + ALICE, later=0)
        it.write("rate_limit: {interval: 1s, burst: 1}\n" + ALICE)
        assert await asked(2) == [200, 429]
        it.logs.clear()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[("0", 0.0), ("0s", 0.0), ("1s", 1.0), ("100ms", 0.1), ("1h2m3.5s", 3723.5)],
        *[("2us", 2e-6), ("2µs", 2e-6), ("5ns", 5e-9), (".5s", 0.5), ("1.s", 1.0)],
    ],
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: float) -> None:
    assert interval(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "1", "s", "-1s", "1 s", "1s ", "1d", "1.2.3s", None, 5, []])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="must be a duration such as"):
        interval(text)


# Changes


async def test_users_that_change_count_from_the_next_request_on(tmp_path: Path) -> None:
    """On a connection that is open, too: who was taken out is out."""
    async with site(tmp_path, ALICE) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        with closing(writer):
            writer.write(AS_ALICE)
            await reader.readuntil(b"GET /\n")
            it.write(users_section({"bob": hash_of(RIGHT)}))
            writer.write(AS_ALICE)
            assert b" 401 " in await reader.readline()
        line = it.logged()
        assert (line["event"], line["users"]) == ("web configuration read again", 1)
        it.write(users_section({"alice": hash_of("another")}))
        assert statuses(await exchange(it.port, AS_ALICE)) == [401]
        it.write(ALICE)
        assert statuses(await exchange(it.port, AS_ALICE)) == [200]
        it.logs.clear()


async def test_the_files_are_looked_at_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Path] = []
    look = Path.stat

    def counted(path: Path) -> os.stat_result:
        looks.append(path)
        return look(path)

    async with site(tmp_path, HEADERS) as it:
        monkeypatch.setattr(Path, "stat", counted)
        for _ in range(20):
            assert statuses(await exchange(it.port, GET * 5)) == [200] * 5
            it.clock.now += 0.1
        monkeypatch.undo()
    assert looks == [tmp_path / "web.yml"] * 2 or looks == [tmp_path / "web.yml"]


async def test_a_new_certificate_is_shown_to_the_next_client_and_open_connections_stay(
    certificates: Certificates,
) -> None:
    async with site(certificates.directory, TLS) as it:
        client = certificates.client()
        _, before = await speak(it.port, client)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", it.port, ssl=client, server_hostname="localhost"
        )
        with closing(writer):
            certificates.issue("server")
            it.clock.now += 1
            _, after = await speak(it.port, client)
            writer.write(GET)
            assert b" 200 " in await reader.readline()
        assert it.logged()["event"] == "web configuration read again"
    assert before is not None
    assert after is not None
    assert before.getpeercert(binary_form=True) != after.getpeercert(binary_form=True)


async def test_a_new_authority_of_clients_counts_for_the_next_client(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    foreign = certificates_in(tmp_path_factory.mktemp("foreign"))
    async with site(certificates.directory, VERIFIED) as it:
        assert await gets_in(it.port, certificates.client("client"))
        authority = (foreign.directory / "ca.pem").read_bytes()
        (certificates.directory / "ca.pem").write_bytes(authority)
        it.clock.now += 1
        assert not await gets_in(it.port, certificates.client("client"))
        it.logs.clear()


async def test_a_mounted_volume_that_swaps_its_link_is_a_change(tmp_path: Path) -> None:
    """As Kubernetes does: web.yml → ..data/web.yml, ..data → one directory after the other."""
    for name, text in {"one": ALICE, "two": users_section({"bob": hash_of(RIGHT)})}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "web.yml").write_text(text)
    (tmp_path / "..data").symlink_to("one")
    link = tmp_path / "web.yml"
    link.symlink_to("..data/web.yml")
    now = 0.0
    policy = WebConfigPolicy(str(link), lambda: now)
    async with house(echo, access=policy) as it:
        assert statuses(await exchange(it.port, AS_ALICE)) == [200]
        (tmp_path / "..new").symlink_to("two")
        (tmp_path / "..new").rename(tmp_path / "..data")
        now = 1.0
        assert statuses(await exchange(it.port, AS_ALICE)) == [401]
        it.logs.clear()


def spoil_text(directory: Path) -> None:
    (directory / "web.yml").write_text("tls_server_config: [\n")


def take_away_file(directory: Path) -> None:
    (directory / "web.yml").unlink()


def spoil_certificate(directory: Path) -> None:
    (directory / "server.pem").write_text("half a certif")


def take_away_key(directory: Path) -> None:
    (directory / "server.key").unlink()


def swap_key(directory: Path) -> None:
    (directory / "server.key").write_bytes((directory / "other.key").read_bytes())


def empty(directory: Path) -> None:
    (directory / "web.yml").write_text("")


def drop_users(directory: Path) -> None:
    (directory / "web.yml").write_text(TLS)


def drop_tls(directory: Path) -> None:
    (directory / "web.yml").write_text(ALICE)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (spoil_text, "has no"),
        (take_away_file, "cannot be read"),
        (spoil_certificate, "cert_file: holds no certificate"),
        (take_away_key, "server.key cannot be read"),
        (swap_key, "does not belong to the certificate"),
        (empty, "TLS can be turned on or off only by a restart"),
        (drop_tls, "TLS can be turned on or off only by a restart"),
        (drop_users, "the last user can be removed only by a restart"),
    ],
)
async def test_a_bad_new_version_keeps_the_old_one_in_force_and_is_told_once(
    harm: Callable[[Path], None], told: str, certificates: Certificates
) -> None:
    """The last three let more people in than the start did; a file being written looks so."""
    directory = certificates.directory
    async with site(directory, TLS + ALICE) as it:
        client = certificates.client()
        harm(directory)
        for _ in range(3):
            it.clock.now += 1
            assert statuses((await speak(it.port, client, AS_ALICE))[0]) == [200]
            assert statuses((await speak(it.port, client))[0]) == [401]
        line = it.logged()
        assert line["log_level"] == "warning"
        assert told in line["reason"]
        certificates.issue("server")
        it.write(TLS + users_section({"bob": hash_of(RIGHT)}))
        assert statuses((await speak(it.port, client, AS_ALICE))[0]) == [401]
        assert it.logged()["event"] == "web configuration read again"


async def test_tls_is_not_turned_on_under_clients_that_do_not_speak_it(
    certificates: Certificates,
) -> None:
    async with site(certificates.directory, HEADERS) as it:
        it.write(HEADERS + TLS)
        assert await gets_in(it.port, None)
        assert "only by a restart" in it.logged()["reason"]
        it.write(ALICE)
        assert not await gets_in(it.port, None)
        it.logs.clear()
