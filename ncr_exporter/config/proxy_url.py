"""URLs of proxies, in the configuration and in the environment: one rule for both.

Messages show nothing of a URL: where a password holds a `/` or `#` that is not percent-encoded, a
parser takes half of it for the port, and quotes it in its error.
"""

from urllib.parse import urlsplit

import httpx

_RIGHT = (
    "must be a URL such as http://user:password@proxy.example:3128; in user and password write "
    "/ as %2F, # as %23, ? as %3F and a blank as %20"
)


def proxy_problem(text: str) -> str | None:
    """Return what is wrong with a proxy's URL, and what would be right; None if it can be used."""
    if text.lower().startswith("socks"):
        return (
            "names a SOCKS proxy, which is not supported; name an HTTP proxy, as http://host:port"
        )
    return None if _is_usable(text) else _RIGHT


def _is_usable(text: str) -> bool:
    try:
        url = httpx.URL(text)
        has_host = bool(url.raw_host and url.host) and "%" not in url.host
        has_port = urlsplit(text).port != 0
    except (httpx.InvalidURL, ValueError):  # ValueError: no DNS name can hold that host
        return False
    # An @ behind the host is the end of a password that holds a slash or a number sign.
    is_whole = "@" not in f"{url.path}{url.query!r}{url.fragment}"
    return (
        url.scheme in {"http", "https"} and has_host and has_port and is_whole and " " not in text
    )
