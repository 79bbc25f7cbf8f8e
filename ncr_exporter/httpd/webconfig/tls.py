"""`tls_server_config` → an `ssl.SSLContext`, or the problems of its certificates and keys."""

import re
import ssl
from collections.abc import Callable, Mapping

from ncr_exporter.config.secret import Secret
from ncr_exporter.config.yaml_tree import Node, ReportProblem
from ncr_exporter.httpd.access import Tls
from ncr_exporter.httpd.webconfig.model import CIPHERS, CURVES, TLS13_CIPHERS, TlsSettings
from ncr_exporter.runtime.memory_files import file_in_memory

_VERIFY = {
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----")
_KEY = re.compile(rb"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----")
_ENCRYPTED = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED")
_SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Default of TLS 1.2: that of Debian's Python includes suites without forward secrecy."""

ReadFile = Callable[[str], bytes]
"""Returns the content of the file with a name in the configuration."""


def tls_of(settings: TlsSettings, node: Node, read: ReadFile, report: ReportProblem) -> Tls | None:
    """Return the TLS settings ready for use, or None after a report of all problems.

    Args:
        settings: the section `tls_server_config`.
        node: the section's node, for the problems' lines.
        read: called with each file that the section names; may raise OSError.
        report: called with each problem.
    """
    pems = _pems(settings, node, read, report)
    context = _context(settings, node, report)
    if pems is None or context is None:
        return None
    try:
        with file_in_memory(pems["cert"]) as cert, file_in_memory(pems["key"]) as key:
            # With no password given at all, OpenSSL would ask for one on the terminal.
            context.load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        report(_given(node, "key").problem(_why(error)))
        return None
    if settings.verifies:
        _verify_clients(context, pems.get("client_ca"), settings)
    names = settings.client_allowed_sans
    return Tls(context, None if names is None else frozenset(names))


def _pems(
    settings: TlsSettings, node: Node, read: ReadFile, report: ReportProblem
) -> Mapping[str, bytes] | None:
    """Return the PEM texts of `cert`, `key` and `client_ca`, or None after a report."""
    found: dict[str, bytes] = {}
    problems = []
    for key in ("cert", "key", "client_ca"):
        inline, file = getattr(settings, key), getattr(settings, f"{key}_file")
        try:
            if inline is not None or file is not None:
                found[key] = _inline(inline) if file is None else _file(file, read)
                (_check_key if key == "key" else _check_certificates)(found[key])
        except ValueError as error:
            problems.append(_given(node, key).problem(str(error)))
    for problem in problems:
        report(problem)
    return None if problems else found


def _given(node: Node, key: str) -> Node:
    """Return the node that gives a text: that of `key`, or of `key_file`."""
    return node.child(f"{key}_file" if node.child(key) is node else key)


def _inline(text: Secret | str) -> bytes:
    return (text.reveal() if isinstance(text, Secret) else text).encode(errors="replace")


def _file(name: str, read: ReadFile) -> bytes:
    try:
        return read(name)
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}") from None


def _check_certificates(pem: bytes) -> None:
    if not _CERTIFICATE.search(pem):
        raise ValueError("holds no certificate in PEM")
    try:
        _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pem)
    except ssl.SSLError:
        raise ValueError("holds a certificate that cannot be read") from None


def _check_key(pem: bytes) -> None:
    if _ENCRYPTED.search(pem):
        raise ValueError("is encrypted; give a key without a password")
    if not _KEY.search(pem):
        raise ValueError("holds no private key in PEM")


def _context(settings: TlsSettings, node: Node, report: ReportProblem) -> ssl.SSLContext | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    _set_versions(context, settings)
    if not settings.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    ciphers = [CIPHERS[name] for name in settings.cipher_suites if name not in TLS13_CIPHERS]
    key = "cipher_suites"
    try:
        context.set_ciphers(":".join(ciphers) or _SUITES)
        key = "curve_preferences"
        if settings.curve_preferences:
            # Python can set one curve, or leave OpenSSL's defaults, which may not be in the list.
            context.set_ecdh_curve(CURVES[settings.curve_preferences[0]])
    except (ssl.SSLError, ValueError) as error:
        report(node.child(key).problem(f"{ssl.OPENSSL_VERSION} does not support it: {error}"))
        return None
    return context


def _set_versions(context: ssl.SSLContext, settings: TlsSettings) -> None:
    """Set the oldest and newest TLS version; 1.2 is the oldest, even if the file allows older."""
    only13 = bool(settings.cipher_suites) and TLS13_CIPHERS.issuperset(settings.cipher_suites)
    oldest_is_13 = only13 or settings.min_version == "TLS13"
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if oldest_is_13 else ssl.TLSVersion.TLSv1_2
    newest_is_12 = settings.max_version == "TLS12"
    context.maximum_version = ssl.TLSVersion.TLSv1_2 if newest_is_12 else ssl.TLSVersion.TLSv1_3


def _verify_clients(
    context: ssl.SSLContext, authorities: bytes | None, settings: TlsSettings
) -> None:
    context.verify_mode = _VERIFY[settings.client_auth_type]
    # As in Go, every certificate of the file is trusted, an intermediate authority's too.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if authorities is None:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    else:
        _trust(context, authorities)


def _trust(context: ssl.SSLContext, authorities: bytes) -> None:
    with file_in_memory(authorities) as file:
        context.load_verify_locations(file)


def _why(error: ssl.SSLError) -> str:
    """Return why OpenSSL refused certificate and key."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return "does not belong to the certificate"
    reason = (error.reason or "unreadable").lower().replace("_", " ")
    return f"cannot be used with the certificate: {reason}"
