"""Hosts and path prefixes of the API, by zone and region.

Source: the vendor's API pages of each zone; for the financial zone, the code of public clients.
"""

ZONES = {
    "public": "https://ncr.apigw.ntruss.com",
    "government": "https://gov-ncr.apigw.gov-ntruss.com",
    "financial": "https://ncr.apigw.fin-ntruss.com",
}
"""Zone → base URL of its API gateway."""

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
