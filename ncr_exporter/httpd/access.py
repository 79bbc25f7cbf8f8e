"""What stands before the handler: TLS, a password, a rate; without any of them, an open gate."""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ncr_exporter.httpd.messages import Request, Response


@dataclass(frozen=True)
class Tls:
    """How a connection is encrypted, and whose certificates are welcome."""

    context: ssl.SSLContext
    client_names: frozenset[str] | None = None
    """A client's certificate must be for one of these; None is for any that was verified."""

    def admits(self, certificate: Mapping[str, Any] | None) -> bool:
        """Tell whether a client with this verified certificate, as `getpeercert` has it, may in."""
        if self.client_names is None or not certificate:
            return True
        names = certificate.get("subjectAltName", ())
        return any(_plain(kind, name) in self.client_names for kind, name in names)


class AccessPolicy(Protocol):
    """Asked for each connection and each request; the answer may change while we run."""

    @property
    def tls(self) -> Tls | None:
        """What a new connection is encrypted with; None is plain HTTP."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What every answer has, names in lower case; they replace the handler's own."""
        ...

    async def refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that may not pass, or None where it may."""
        ...


@dataclass(frozen=True)
class AllowAll:
    """Lets every request pass."""

    tls: Tls | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    async def refusal(self, _: Request) -> Response | None:
        """Refuse nobody."""
        return None


def _plain(kind: str, name: str) -> str:
    """Return a name as one writes it: OpenSSL has ::1 as 0:0:0:0:0:0:0:1."""
    if kind != "IP Address":
        return name
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return name
