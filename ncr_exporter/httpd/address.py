"""Addresses to listen on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """Where to listen; a host of None is every interface."""

    host: str | None
    port: int

    def __str__(self) -> str:
        host = self.host or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
