"""Bad certificates with their keys, which protect nothing: `tools/demo_certificates.py` made them.

`expired` is trusted by who names it in `api.ca_file`, and is too old all the same; `self-signed` is
not to be trusted by anybody.
"""

import ssl
from pathlib import Path

from ncr_exporter.httpd.access import AllowAll, Tls

_DIRECTORY = Path(__file__).parent / "pem"


def access_policy(name: str) -> AllowAll:
    """Return the policy of a server with this certificate; an empty name is for plain HTTP."""
    if not name:
        return AllowAll()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_path(name))
    return AllowAll(Tls(context))


def trusted(name: str) -> str | None:
    """Return the bundle that a client of the demo trusts, so that age is all that is wrong."""
    return str(_path(name)) if name == "expired" else None


def _path(name: str) -> Path:
    return _DIRECTORY / f"{name}.pem"
