"""The versions of the API. All that differs between them is here; the records are the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ncr_exporter.config import Api
from ncr_exporter.config.zones import Endpoint, endpoints
from ncr_exporter.ncr.pages import Page
from ncr_exporter.ncr.paging import next_of_v2, next_of_v3
from ncr_exporter.ncr.paths import V2_PATHS, V3_PATHS, ListPath, PathStyle
from ncr_exporter.ncr.vocabulary import LANGUAGE_HEADER
from ncr_exporter.ncr.wire import V2_WIRE, WireFormat
from ncr_exporter.ncr.wire_v3 import V3_WIRE


@dataclass(frozen=True, eq=False)
class ApiVersion:
    """A version of the API. Errors of all versions are read by `ncr.responses`."""

    paths: PathStyle
    """Paths and queries."""
    wire: WireFormat
    """Envelopes, names of fields, and how times are written."""
    next_page: Callable[[Sequence[Page[Any]]], int | None]
    """Returns the number of the page after those read so far; None at the end. Raises
    MalformedError for pages that contradict each other."""

    @property
    def name(self) -> str:
        """Its name in the configuration, such as `v2`."""
        return self.paths.version


V2 = ApiVersion(V2_PATHS, V2_WIRE, next_of_v2)
V3 = ApiVersion(V3_PATHS, V3_WIRE, next_of_v3)
VERSIONS: Mapping[str, ApiVersion] = {version.name: version for version in (V2, V3)}
"""Name → version."""


@dataclass(frozen=True)
class Gateway:
    """The API of one zone, in one version."""

    version: ApiVersion
    endpoints: Mapping[str, Endpoint]
    """Region → endpoint."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of each request, beside those of the signature."""

    def list_path(
        self, region: str, registry: str | None = None, image: str | None = None
    ) -> ListPath:
        """Return the path of a list: of registries, of a registry's images, or an image's tags."""
        prefix = self.endpoints[region].prefix
        return ListPath(prefix, registry, image, self.version.paths)


def gateway_of(api: Api, zone: str, version: str | None = None, *, language: str = "") -> Gateway:
    """Return the API that a configuration means.

    Args:
        api: the section `api`; its `base_url` stands in for every host of its own zone.
        zone: the zone of the account.
        version: instead of the configured version.
        language: that of errors' details, such as `ko-KR`; empty for the API's default. Version 3
            alone has it.
    """
    name = version or api.version
    base_url = api.base_url if zone == api.zone else None
    headers = {LANGUAGE_HEADER: language} if language and name == V3.name else {}
    return Gateway(VERSIONS[name], endpoints(name, zone, base_url), headers)
