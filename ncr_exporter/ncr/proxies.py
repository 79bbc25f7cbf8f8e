"""The proxy that an account's requests go through: the configured one, or the environment's.

The environment is read when a client is made, and what cannot be used is said then. httpx would
read it too, in the middle of a request, and raise what is no error of HTTP.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import httpx
import structlog

from ncr_exporter.config import Api, ConfigError, Problem, Secret
from ncr_exporter.config.proxy_url import proxy_problem

_SHOWN = 60
"""Characters of an entry of NO_PROXY that are shown."""

log = structlog.get_logger()


def proxy_of(api: Api, base_url: str, environ: Mapping[str, str]) -> Secret | None:
    """Return the URL of the proxy for requests to `base_url`, or None for none.

    With `proxy_from_environment` that is the value of HTTPS_PROXY, or of HTTP_PROXY for plain HTTP,
    else of ALL_PROXY, unless NO_PROXY covers the host. Names in lower case come first, as in curl.
    Warns of entries of NO_PROXY that cannot be read.

    Args:
        api: the section `api` of the configuration.
        base_url: scheme, host and port that the requests go to.
        environ: the environment variables.

    Raises:
        ConfigError: the variable that applies holds no URL of an HTTP proxy.
    """
    if not api.proxy_from_environment:
        return api.proxy_url
    url = httpx.URL(base_url)
    name, value = _proxy_variable(url.scheme, environ)
    if not value or any(entry.covers(url) for entry in _bypasses(environ)):
        return None
    text = value if "://" in value else f"http://{value}"
    if problem := proxy_problem(text):
        place = "api.proxy_from_environment"
        raise ConfigError("configuration", [Problem(place, f"the variable {name} {problem}")])
    return Secret(text)


def _proxy_variable(scheme: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return name and value of the variable that names a scheme's proxy; the value may be empty."""
    for prefix in (scheme, "all"):
        name = _defined(f"{prefix}_proxy", environ)
        if value := environ.get(name, "").strip():
            return name, value
    return "", ""


def _defined(name: str, environ: Mapping[str, str]) -> str:
    """Return a variable's name in lower case if it is set, even to nothing, else in upper case."""
    return name if name in environ else name.upper()


class _Bypass(NamedTuple):
    """An entry of NO_PROXY: requests to what it covers go straight to their host."""

    host: str = ""
    """A name in lower case, with a leading dot if only names below it are meant; `*` is any."""
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
    """Instead of a name."""
    scheme: str = ""
    """Empty for any."""
    port: int | None = None
    """None for any."""

    def covers(self, url: httpx.URL) -> bool:
        """Return whether requests to a URL are meant."""
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        if self.scheme not in {"", url.scheme} or self.port not in {None, port}:
            return False
        return self.host == "*" or self._covers_host(url.raw_host.decode("ascii"))

    def _covers_host(self, host: str) -> bool:
        name = host.lower().rstrip(".")
        if self.network is None:
            return name == self.host or name.endswith(f".{self.host.lstrip('.')}")
        try:
            return ipaddress.ip_address(name) in self.network
        except ValueError:
            return False


_ENTRY = re.compile(
    r"(?:(?P<scheme>https?)://)?"
    r"(?:\[(?P<literal>[0-9a-f:.]+)\]|(?P<address>[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(?:/\d+)?)"
    r"|(?P<host>\*|(?:\*?\.)?[^\s:/\[\]*@]+(?:/\d+)?))"
    r"(?::(?P<port>\d{1,5}))?/?",
    re.IGNORECASE,
)


def _bypasses(environ: Mapping[str, str]) -> Iterator[_Bypass]:
    """Yield the entries of NO_PROXY; warn of those that cannot be read."""
    name = _defined("no_proxy", environ)
    for text in re.split(r"[,\s]+", environ.get(name, "")):
        entry = _bypass(text)
        if entry is not None:
            yield entry
        elif text:
            log.warning(
                "an entry of the environment is left out",
                variable=name,
                entry="(not shown)" if "@" in text else text[:_SHOWN],
                remedy="write a host, .domain, address or network, such as 10.0.0.0/8 or [::1]",
            )


def _bypass(text: str) -> _Bypass | None:
    match = _ENTRY.fullmatch(text)
    if match is None:
        return None
    scheme, port = (match["scheme"] or "").lower(), int(match["port"]) if match["port"] else None
    host = (match["literal"] or match["address"] or match["host"]).lower().removeprefix("*.")
    host = f".{host}" if "*." in text else host
    try:
        return _Bypass(network=ipaddress.ip_network(host, strict=False), scheme=scheme, port=port)
    except ValueError:
        is_name = match["host"] is not None and "/" not in host
        return _Bypass(host.rstrip("."), scheme=scheme, port=port) if is_name else None
