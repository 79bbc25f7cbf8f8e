"""Addresses to listen on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """An address to listen on; `str()` gives it as in `--web.listen-address`."""

    host: str | None
    """None for all interfaces."""
    port: int

    def __str__(self) -> str:
        host = self.host or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
