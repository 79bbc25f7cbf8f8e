"""Quantities of resources, as the API server reads them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_QUANTITY = re.compile(
    r"([+-]?(?:\d+\.?\d*|\.\d+))((?:[KMGTPE]i)|[numkMGTPE]|[eE][+-]?\d+|)", re.ASCII
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_PLAIN = {"cpu", "memory", "ephemeral-storage", "storage"}


def amount(quantity: object) -> Decimal | None:
    """Return how much a quantity is; None where it is none."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        return None
    number, unit = Decimal(match[1]), match[2]
    if unit.endswith("i"):
        return number * Decimal(1024) ** ("KMGTPE".index(unit[0]) + 1)
    exponent = _DECIMAL[unit] if unit in _DECIMAL else int(unit[1:])
    return number.scaleb(exponent)


def resource_problems(resources: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a container's requests and limits."""
    limits = resources.get("limits", {})
    requests = resources.get("requests", {})
    for where, quantities in (("requests", requests), ("limits", limits)):
        for name, quantity in quantities.items():
            if name not in _PLAIN and "/" not in name:
                yield f"resources.{where}.{name}: is no resource"
            if (asked := amount(quantity)) is None or asked < 0:
                yield f"resources.{where}.{name}: {quantity!r} is no quantity"
    for name in requests.keys() & limits.keys():
        asked, most = amount(requests[name]), amount(limits[name])
        if asked is not None and most is not None and asked > most:
            yield f"resources.requests.{name}: {requests[name]!r} is more than the limit"
