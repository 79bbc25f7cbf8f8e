"""Writes the bad certificates of the demo, with their keys, anew.

    python -m tools.demo_certificates

Kept as files: the program makes no certificates, and would need a library for it.
"""

from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DIRECTORY = Path(__file__).parents[1] / "ncr_exporter" / "simulator" / "pem"
VALID = {
    "expired": (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)),
    "self-signed": (datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)),
}
"""Name → since when and until when."""


def certificate(name: str) -> bytes:
    """Return a key and a certificate for 127.0.0.1 that it signed itself, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ncr-exporter demo, {name}")])
    since, until = VALID[name]
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + made.public_bytes(Encoding.PEM)


def main() -> None:
    """Write them."""
    for name in VALID:
        (DIRECTORY / f"{name}.pem").write_bytes(certificate(name))


if __name__ == "__main__":
    main()
