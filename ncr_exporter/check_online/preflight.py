"""Requests the registry list of each account, which shows whether the account works at all."""

import asyncio
from dataclasses import dataclass

from ncr_exporter.app.pipeline import Pipeline
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.state.model import Failure
from ncr_exporter.targets.targets import RegistryListTarget

_CONCERNS_ALL = {"authentication", "connection", "redirect", "timeout", "tls"}
"""Reasons for which every other request of the account would fail too, each after its retries."""


@dataclass(frozen=True)
class RegistryListResult:
    """The outcome of the request for a registry list."""

    names: tuple[str, ...] = ()
    """The registries in the list."""
    failure: Failure | None = None

    @property
    def account_works(self) -> bool:
        """Whether other requests of the account can succeed."""
        return self.failure is None or self.failure.reason not in _CONCERNS_ALL


async def request_registry_lists(
    pipeline: Pipeline,
) -> dict[RegistryListTarget, RegistryListResult]:
    """Request the registry list of each account and region.

    Raises:
        UserError: the configuration cannot be used.
    """
    targets = await pipeline.connect(pipeline.config)
    clients = pipeline.accounts.clients
    requests = [_request(clients[target.account], target) for target in targets]
    return dict(zip(targets, await asyncio.gather(*requests), strict=True))


async def _request(client: Client, target: RegistryListTarget) -> RegistryListResult:
    try:
        listed = await client.registries(target.label, target.region)
    except ApiError as error:
        return RegistryListResult(failure=Failure(error.reason, error.message, error.remedy))
    return RegistryListResult(tuple(registry.name for registry in listed.records))
