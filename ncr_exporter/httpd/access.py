"""Who may connect and send requests: the interface of access policies, and one that allows all."""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ncr_exporter.httpd.messages import Request, Response


@dataclass(frozen=True)
class Tls:
    """How connections are encrypted, and which client certificates are accepted."""

    context: ssl.SSLContext
    client_names: frozenset[str] | None = None
    """Subject alternative names, one of which a client's certificate must have; None: any."""

    def admits(self, certificate: Mapping[str, Any] | None) -> bool:
        """Return whether a client may connect.

        Args:
            certificate: the client's verified certificate, as `SSLSocket.getpeercert` returns it;
                None or empty without one.
        """
        if self.client_names is None or not certificate:
            return True
        names = certificate.get("subjectAltName", ())
        return any(_normalised(kind, name) in self.client_names for kind, name in names)


class AccessPolicy(Protocol):
    """Asked for each connection and each request; its answers may change while the server runs."""

    async def refresh(self) -> None:
        """Look for changes; called before a connection is encrypted."""
        ...

    @property
    def tls(self) -> Tls | None:
        """How a new connection is encrypted; None for plain HTTP, which never changes."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of every response, names in lower case; they replace those of the handler."""
        ...

    async def refusal(self, request: Request) -> Response | None:
        """Return the response to a request that is not allowed, or None if it is allowed."""
        ...


@dataclass(frozen=True)
class AllowAll:
    """Allows every request."""

    tls: Tls | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    async def refresh(self) -> None:
        """Do nothing: this policy never changes."""

    async def refusal(self, _: Request) -> Response | None:
        """Return None: every request is allowed."""
        return None


def _normalised(kind: str, name: str) -> str:
    """Return a subject alternative name as people write it; OpenSSL expands `::1` to 8 groups."""
    if kind != "IP Address":
        return name
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return name
