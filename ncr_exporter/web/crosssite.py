"""Whether another site's page set a request off, in the browser of somebody who may reach us."""

from collections.abc import Mapping
from urllib.parse import urlsplit


def is_cross_site(headers: Mapping[str, str]) -> bool:
    """Tell by what browsers add by themselves and no page can forge; header names in lower case.

    `Sec-Fetch-Site` says it outright; older browsers send `Origin` with what is not a mere GET.
    Programs send neither.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and _host(origin) != headers.get("host", "").lower()


def _host(origin: str) -> str | None:
    """Return host and port; None for `null` and whatever is no URL."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
