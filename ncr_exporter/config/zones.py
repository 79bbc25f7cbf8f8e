"""Where each zone and region is reached: the table of the documented hosts and prefixes."""

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
"""Zone → region → path prefix."""

_PULL_HOSTS = {
    ("public", "kr"): "kr.ncr.ntruss.com",
    ("public", "sgn"): "sg.ncr.ntruss.com",
    ("public", "jpn"): "jp.ncr.ntruss.com",
    ("government", "kr"): "ncr.gov-ntruss.com",
    ("government", "krs"): "ncr.gov-ntruss.com",
    ("financial", "kr"): "ncr.fin-ntruss.com",
}


def pull_host(zone: str, region: str, registry: str) -> str:
    """Return the documented public host that images of a registry are pulled from.

    The private host holds an id that only the registry list tells.
    """
    return f"{registry}.{_PULL_HOSTS[zone, region]}"
