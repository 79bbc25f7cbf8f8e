"""Blocks of addresses, as the API server reads them: by Go's net.IPNet."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.kubernetes.names import Object

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address_block_problems(block: Object) -> Iterator[str]:
    """Yield what is wrong with an ipBlock: each `except` is a strict subset of its `cidr`."""
    whole = _network(block["cidr"])
    if whole is None:
        yield f"ipBlock: {block['cidr']!r} is no CIDR"
        return
    for text in block.get("except", []):
        part = _network(text)
        if part is None:
            yield f"ipBlock.except: {text!r} is no CIDR"
        elif not is_strict_subset(part, whole):
            yield f"ipBlock.except: {text!r} must be a strict subset of {block['cidr']}"


def is_strict_subset(part: Network, whole: Network) -> bool:
    """Return whether Go finds one network within the other, and smaller.

    Go takes an IPv4-mapped address for IPv4, and so finds ::ffff:0:0/96 outside of ::/0.
    """
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = part.network_address
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address in whole and part.prefixlen > whole.prefixlen


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None
