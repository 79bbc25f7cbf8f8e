"""The first question to each account, which tells whether there is a point in asking more."""

import asyncio
from dataclasses import dataclass

from ncr_exporter.app.pipeline import Pipeline
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.state.model import Failure
from ncr_exporter.targets.targets import RegistryListTarget

_CONCERNS_ALL = {"authentication", "connection", "redirect", "timeout", "tls"}
"""Reasons that every other request of the account would meet, too, each after its retries."""


@dataclass(frozen=True)
class RegistryListing:
    """What the registry list of an account and region told."""

    names: tuple[str, ...] = ()
    failure: Failure | None = None

    @property
    def worth_asking_more(self) -> bool:
        """Whether other requests of the account may fare better."""
        return self.failure is None or self.failure.reason not in _CONCERNS_ALL


async def ask_first(
    pipeline: Pipeline,
) -> dict[RegistryListTarget, RegistryListing]:
    """Return the registry list of each account and region, or why there is none.

    Raises:
        UserError: the configuration cannot be used.
    """
    targets = pipeline.connect(pipeline.config)
    clients = pipeline.accounts.clients
    asked = [_ask(clients[target.account], target) for target in targets]
    return dict(zip(targets, await asyncio.gather(*asked), strict=True))


async def _ask(client: Client, target: RegistryListTarget) -> RegistryListing:
    try:
        listed = await client.registries(target.label, target.prefix)
    except ApiError as error:
        return RegistryListing(failure=Failure(error.reason, str(error), error.remedy))
    return RegistryListing(tuple(registry.name for registry in listed.records))
