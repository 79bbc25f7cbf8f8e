"""Throw-away certificates as files, as a web configuration names them."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)


@dataclass(frozen=True)
class Certificates:
    """A directory with `server.pem`, `server.key`, `ca.pem`, and some that cannot be used."""

    directory: Path
    authority: trustme.CA

    def issue(
        self,
        name: str = "server",
        *hosts: str,
        key_type: trustme.KeyType = trustme.KeyType.ECDSA,
    ) -> None:
        """Write `name.pem` and `name.key` anew."""
        names = hosts or ("localhost", "127.0.0.1")
        issued = self.authority.issue_cert(*names, key_type=key_type)
        (self.directory / f"{name}.pem").write_bytes(
            b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        )
        (self.directory / f"{name}.key").write_bytes(issued.private_key_pem.bytes())

    def client(self, name: str | None = None, **versions: ssl.TLSVersion) -> ssl.SSLContext:
        """Return what a client trusts, and shows: the certificate `name`, if any."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        for bound, version in versions.items():
            setattr(context, bound, version)
        if name is not None:
            paths = (self.directory / f"{name}.pem", self.directory / f"{name}.key")
            context.load_cert_chain(*paths)
        return context


def certificates_in(directory: Path) -> Certificates:
    """Make an authority and its certificates."""
    made = Certificates(directory, trustme.CA())
    made.issue()
    made.issue("other")
    made.authority.cert_pem.write_to_path(directory / "ca.pem")
    damaged = (directory / "server.pem").read_text().replace("MII", "MIX", 1)
    (directory / "damaged.pem").write_text(damaged)
    key = load_pem_private_key((directory / "server.key").read_bytes(), password=None)
    secret = BestAvailableEncryption(b"hush")
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)
    (directory / "encrypted.key").write_bytes(encrypted)
    return made


def server_tls(authority: trustme.CA, host: str = "127.0.0.1") -> ssl.SSLContext:
    """Return a server's context with a certificate of an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context
