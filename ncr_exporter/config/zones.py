"""Hosts and path prefixes of the API, by version, zone and region.

Source: the vendor's API pages of each zone; for the financial zone, the code of public clients.
"""

from collections.abc import Mapping
from typing import NamedTuple

V2, V3 = VERSIONS = ("v2", "v3")
"""The versions of the API; the first is the default."""

ZONES = {
    "public": "https://ncr.apigw.ntruss.com",
    "government": "https://gov-ncr.apigw.gov-ntruss.com",
    "financial": "https://ncr.apigw.fin-ntruss.com",
}
"""Zone → base URL of its API gateway, version 2."""

REGIONS = {
    "public": {"kr": "/ncr/api/v2", "sgn": "/ncr/sgn-api/v2", "jpn": "/ncr/jpn-api/v2"},
    "government": {"kr": "/ncr/kr/v2", "krs": "/ncr/krs/v2"},
    "financial": {"kr": "/ncr/api/v2"},
}
"""Zone → region → path prefix of the API, version 2."""

REGION_ALIASES = {
    "korea": "kr",
    "seoul": "kr",
    "singapore": "sgn",
    "sg": "sgn",
    "japan": "jpn",
    "tokyo": "jpn",
    "jp": "jpn",
}
"""Other words for regions: of places, and of the pull hosts."""
V3_ZONE = "public"
"""The only zone with a documented version 3."""
V3_HOSTS = {
    "kr": "https://kr-ncr.apigw.ntruss.com",
    "sgn": "https://sg-ncr.apigw.ntruss.com",
    "jpn": "https://jp-ncr.apigw.ntruss.com",
}
"""Region of `V3_ZONE` → base URL of its API gateway, version 3."""
V3_PREFIX = "/api/v3"
V3_LARGEST_PAGE = 1000
"""The most records on a page of version 3, as documented. Version 2 states no limit."""


class Endpoint(NamedTuple):
    """Where the API of a region is."""

    base_url: str
    """Scheme and host of the gateway."""
    prefix: str
    """The path prefix, such as `/ncr/api/v2`."""


def endpoints(version: str, zone: str, base_url: str | None = None) -> Mapping[str, Endpoint]:
    """Return region → endpoint; empty if the zone has no such version.

    Args:
        version: one of `VERSIONS`.
        zone: a key of `ZONES`.
        base_url: instead of the documented hosts.
    """
    if version == V2:
        host = base_url or ZONES[zone]
        return {region: Endpoint(host, prefix) for region, prefix in REGIONS[zone].items()}
    hosts = V3_HOSTS if zone == V3_ZONE else {}
    return {region: Endpoint(base_url or host, V3_PREFIX) for region, host in hosts.items()}


_PULL_DOMAINS = {
    ("public", "kr"): "kr.ncr.ntruss.com",
    ("public", "sgn"): "sg.ncr.ntruss.com",
    ("public", "jpn"): "jp.ncr.ntruss.com",
    ("government", "kr"): "ncr.gov-ntruss.com",
    ("government", "krs"): "ncr.gov-ntruss.com",
    ("financial", "kr"): "ncr.fin-ntruss.com",
}


def pull_host(zone: str, region: str, registry: str) -> str:
    """Return the public host that a registry's images are pulled from, by the documented pattern.

    The private host has no such pattern: it holds an id that only the registry list contains.

    Args:
        zone: a key of `ZONES`.
        region: a key of `REGIONS[zone]`.
        registry: the registry's name.
    """
    return f"{registry}.{_PULL_DOMAINS[zone, region]}"


def region_of_host(host: str) -> str | None:
    """Return the region of the registry that a public pull host belongs to; None of other hosts.

    Zones share no domain, so the domain tells the zone too.
    """
    _, _, domain = host.partition(":")[0].partition(".")
    regions = (region for (_, region), known in _PULL_DOMAINS.items() if known == domain)
    return next(regions, None)


def zones_of_region(region: str) -> tuple[str, ...]:
    """Return the zones that have a region."""
    return tuple(zone for zone, regions in REGIONS.items() if region in regions)
