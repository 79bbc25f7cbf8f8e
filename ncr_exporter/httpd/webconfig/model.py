"""The keys of the web configuration file, as Prometheus' exporter-toolkit defines them.

People use one such file for many exporters. So a key has the same meaning here as there, or is
refused where Python cannot do the same. Source: exporter-toolkit, docs/web-configuration.md.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ncr_exporter.config import types
from ncr_exporter.config.model import option
from ncr_exporter.config.secret import Secret
from ncr_exporter.config.suggestions import did_you_mean
from ncr_exporter.config.types import ListOf, MapOf

VERSIONS = ("TLS10", "TLS11", "TLS12", "TLS13")
CURVES = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
}
"""Go's names → OpenSSL's."""
TLS13_CIPHERS = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
}
"""Go accepts them in the list, and always enables all three."""
CIPHERS = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
"""Go's names of its secure cipher suites (`tls.CipherSuites`) of TLS 1.2 → OpenSSL's."""

_UNVERIFIED = ("RequireAnyClientCert", "RequireClientCert")
_VERIFIED = ("VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
_HASH = re.compile(r"\$2[abxy]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
COST = slice(4, 6)
"""Where a hash has its cost: the binary logarithm of its rounds."""
HIGHEST_COST = 16
"""Takes five seconds, in which no other password is checked."""
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_PART = re.compile(rf"(\d+\.?\d*|\.\d+)({'|'.join(sorted(_SECONDS, key=len, reverse=True))})")


def client_auth(value: object) -> str:
    """Read a name of Go's `tls.ClientAuthType`."""
    if value in _UNVERIFIED:
        raise ValueError(
            "Python cannot ask for a certificate without verifying it; "
            "use RequireAndVerifyClientCert, with client_ca_file"
        )
    return str(types.one_of("NoClientCert", "RequestClientCert", *_VERIFIED)(value))


def cipher(value: object) -> str:
    """Read one of Go's names of secure cipher suites."""
    known = sorted({*CIPHERS, *TLS13_CIPHERS})
    if value not in known:
        near = did_you_mean(value, known) if isinstance(value, str) else ""
        raise ValueError(f"must be one of Go's secure cipher suites{near}")
    return str(value)


def pem(value: object) -> str:
    """Read a certificate given in the file itself."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be PEM text, after a `|` for its lines")
    return value


def bcrypt_hash(value: object) -> Secret:
    """Read the bcrypt hash of a password; it is a secret too."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ValueError("must be a bcrypt hash, as `htpasswd -nBC 10 USER` makes one")
    if (cost := int(value[COST])) > HIGHEST_COST:
        raise ValueError(
            f"is a bcrypt hash of cost {cost}, which can be at most {HIGHEST_COST}: each step "
            "doubles the time of a check, and cost 10 takes 0.1 s; make it by "
            "`htpasswd -nBC 10 USER`"
        )
    return Secret(value)


def header(*allowed: str) -> Callable[[object], str]:
    """Return the type of a header's value: one of `allowed`, or any if there are none.

    An empty value, where any is allowed, leaves the header out.
    """

    def read(value: object) -> str:
        text = "" if value is None else value
        if allowed and text not in allowed:
            words = " or ".join(allowed)
            raise ValueError(f"must be {words}, not {types.describe(value)}")
        if not isinstance(text, str):
            raise ValueError(f"must be text, not {types.type_name(value)}")
        if not (text.isascii() and (text.isprintable())):
            raise ValueError("must be one line of ASCII, as headers are")
        return text.strip()

    return read


def interval(value: object) -> float:
    """Read a Go duration such as 1s or 1m30.5s, in seconds; only 0 needs no unit."""
    text = str(value) if isinstance(value, str) else ""
    parts = _PART.findall(text)
    if text != "0" and (not parts or "".join(map("".join, parts)) != text):
        raise ValueError(f"must be a duration such as 100ms or 1s, not {types.describe(value)}")
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))


@dataclass(frozen=True)
class TlsSettings:
    """`tls_server_config`."""

    cert_file: str | None = option(types.text, None, "the server's certificate chain")
    key_file: str | None = option(types.text, None, "its private key")
    cert: str | None = option(pem, None, "the certificate chain, instead of cert_file")
    key: Secret | None = option(types.secret, None, "the private key, instead of key_file")
    client_auth_type: str = option(client_auth, "NoClientCert", "the certificate that clients need")
    client_ca_file: str | None = option(
        types.text, None, "the authorities that sign clients' certificates"
    )
    client_ca: str | None = option(
        pem, None, "the authorities' certificates, instead of client_ca_file"
    )
    client_allowed_sans: tuple[str, ...] | None = option(
        ListOf(types.text, least=1), None, "names, one of which a client's certificate must have"
    )
    min_version: str = option(types.one_of(*VERSIONS), "TLS12", "the oldest version accepted")
    max_version: str = option(types.one_of(*VERSIONS), "TLS13", "the newest version accepted")
    cipher_suites: tuple[str, ...] = option(ListOf(cipher), (), "for TLS 1.2, in Go's names")
    prefer_server_cipher_suites: bool = option(
        types.boolean,
        default=True,
        help_text="the server's order of ciphers decides, not the client's",
    )
    curve_preferences: tuple[str, ...] = option(
        ListOf(types.one_of(*CURVES)), (), "curves for the key exchange"
    )

    @property
    def verifies(self) -> bool:
        """Whether clients' certificates are verified."""
        return self.client_auth_type in _VERIFIED


@dataclass(frozen=True)
class HttpSettings:
    """`http_server_config`."""

    http2: bool = option(
        types.boolean, default=True, help_text="accepted; this server has HTTP/1.1 only"
    )
    headers: Mapping[str, str] = option(
        MapOf(
            {
                "Content-Security-Policy": header(),
                "Strict-Transport-Security": header(),
                "X-Content-Type-Options": header("nosniff"),
                "X-Frame-Options": header("deny", "sameorigin"),
                "X-XSS-Protection": header(),
            }
        ),
        dict,
        "headers of every response",
    )


@dataclass(frozen=True)
class RateSettings:
    """`rate_limit`."""

    interval: float = option(interval, 0.0, "until one more request is allowed, of any client")
    burst: int = option(types.number(0, 1_000_000_000, whole=True), 0, "requests allowed at once")


@dataclass(frozen=True)
class WebConfigSettings:
    """The whole web configuration file."""

    tls_server_config: TlsSettings = option(TlsSettings, TlsSettings, "TLS")
    http_server_config: HttpSettings = option(HttpSettings, HttpSettings, "HTTP")
    rate_limit: RateSettings = option(RateSettings, RateSettings, "the rate of requests")
    basic_auth_users: Mapping[str, Secret] = option(
        MapOf(bcrypt_hash), dict, "user → bcrypt hash of the password"
    )
