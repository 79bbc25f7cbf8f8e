"""Which certificate authorities in `ca_file` are trusted: the same ones on every Python.

Python 3.13 checks certificates more strictly than 3.11 unless told otherwise, and takes more for an
anchor of trust. `make test-image-python` runs these tests on the Python of the image.
"""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ncr_exporter.config import Api, Secret
from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.httpd.server import Server
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.simulator.registry import SimulatedRegistry
from tests.support.api_client import DEMO_KEYS, REGISTRY, HurriedClock, client_of, source_of, tag
from tests.support.certificates import server_tls
from tests.support.clock import tls_access

HOST = "127.0.0.1"


async def listed(server: ssl.SSLContext, ca_file: Path) -> list[str]:
    """Return the tags that a client with this `ca_file` reads from a registry."""
    registry = SimulatedRegistry(source_of(app=[tag("v1")]), keys=DEMO_KEYS, clock=HurriedClock())
    async with Server(registry.handle, access=tls_access(server)) as at:
        url = f"https://{HOST}:{await at.listen(HOST, 0)}"
        async with client_of(url, api=Api(timeout=2.0, ca_file=str(ca_file))) as (client, _):
            return [record.name for record in (await client.tags(REGISTRY, "app")).records]


class OldAuthority:
    """A company's authority of long ago: basicConstraints alone, and not marked as critical."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Old Corp Root")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        own = self._builder(self._name, self._key).add_extension(constraints, critical=False)
        self.ca_file = self._write("ca.pem", own.sign(self._key, hashes.SHA256()))

    def server(self) -> ssl.SSLContext:
        """Return a server's context with a certificate that names the host and nothing else."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
        address = x509.IPAddress(ipaddress.ip_address(HOST))
        alternative = x509.SubjectAlternativeName([address])
        builder = self._builder(name, key).add_extension(alternative, critical=False)
        path = self._write("server.pem", builder.sign(self._key, hashes.SHA256()), key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )

    def _write(
        self,
        name: str,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> Path:
        content = certificate.public_bytes(serialization.Encoding.PEM)
        if key is not None:
            content += key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        path = self._directory / name
        path.write_bytes(content)
        return path


async def test_an_authority_without_key_identifiers_and_key_usage_is_trusted(
    tmp_path: Path,
) -> None:
    authority = OldAuthority(tmp_path)
    assert await listed(authority.server(), authority.ca_file) == ["v1"]


async def test_an_intermediate_authority_alone_in_the_file_is_trusted(tmp_path: Path) -> None:
    root = trustme.CA()
    intermediate = root.create_child_ca()
    intermediate.cert_pem.write_to_path(tmp_path / "ca.pem")
    assert await listed(server_tls(intermediate), tmp_path / "ca.pem") == ["v1"]


async def test_a_proxy_that_is_reached_by_tls_is_judged_by_the_same_file(tmp_path: Path) -> None:
    authority = OldAuthority(tmp_path)
    asked: list[str] = []

    async def proxy(request: Request) -> Response:
        asked.append(request.method)
        return text_response(502, "")

    async with Server(proxy, access=tls_access(authority.server())) as at:
        url = Secret(f"https://{HOST}:{await at.listen(HOST, 0)}")
        api = Api(timeout=2.0, ca_file=str(authority.ca_file), proxy_url=url)
        async with client_of("http://registry.invalid", api=api) as (client, _):
            with pytest.raises(ApiError, match="502"):
                await client.tags(REGISTRY, "app")
    assert asked == ["GET"] * 3


async def test_another_authority_than_the_one_in_the_file_is_not_trusted(tmp_path: Path) -> None:
    authority = OldAuthority(tmp_path)
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    with pytest.raises(ApiError) as caught:
        await listed(authority.server(), tmp_path / "other.pem")
    assert caught.value.reason == "tls"
    assert "api.ca_file" in caught.value.remedy
    assert "root" in caught.value.remedy, "the key may be set already: what must be in the file?"
