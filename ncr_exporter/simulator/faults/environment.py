"""Faults around the responses: clock, key and certificate. The responses themselves are correct.

`tools/demo_certificates.py` makes the certificates. Their keys are public and protect nothing.
"""

import ssl
from pathlib import Path

from ncr_exporter.httpd.access import AllowAll, Tls
from ncr_exporter.simulator.faults.fault import Fault

_CERTIFICATES = Path(__file__).parents[1] / "pem"
_TEN_MINUTES = 600.0

ENVIRONMENT = (
    Fault(
        "clock-ahead",
        "the gateway's clock is 10 minutes ahead of this host's",
        clock_offset=_TEN_MINUTES,
    ),
    Fault(
        "clock-behind",
        "the gateway's clock is 10 minutes behind this host's",
        clock_offset=-_TEN_MINUTES,
    ),
    Fault(
        "rotated-key",
        "the secret key is replaced as soon as a second page is requested",
        rotates_key=True,
    ),
    Fault("expired-tls", "TLS with an expired certificate", certificate="expired"),
    Fault("self-signed-tls", "TLS with a self-signed certificate", certificate="self-signed"),
)


def access_policy(certificate: str) -> AllowAll:
    """Return the access policy of a server with a fault's certificate; plain HTTP if empty."""
    if not certificate:
        return AllowAll()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_path(certificate))
    return AllowAll(Tls(context))


def ca_bundle(certificate: str) -> str | None:
    """Return the value of `api.ca_file` for a client of a server with a fault's certificate.

    The client trusts `expired`, so that its age is the only thing wrong with it.
    """
    return str(_path(certificate)) if certificate == "expired" else None


def _path(certificate: str) -> Path:
    return _CERTIFICATES / f"{certificate}.pem"
