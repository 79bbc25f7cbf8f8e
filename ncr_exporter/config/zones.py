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
