"""The first question to each account, which tells whether there is a point in asking more."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ncr_exporter.app.accounts import connected
from ncr_exporter.config import Config
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.ncr.http import Hook
from ncr_exporter.ncr.transport import Observer
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.state.model import Failure
from ncr_exporter.targets.targets import Catalog

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


async def ask_first(  # noqa: PLR0913 -- what a client is made of, each by name
    config: Config,
    wanted: Sequence[Catalog],
    *,
    environ: Mapping[str, str],
    clock: Clock,
    observer: Observer,
    hooks: Sequence[Hook],
) -> dict[Catalog, RegistryListing]:
    """Return the registry list of each catalog, or why there is none.

    Raises:
        UserError: the configuration cannot be used.
    """
    async with connected(
        config,
        wanted,
        rate=config.api.requests_per_second,
        environ=environ,
        clock=clock,
        observer=observer,
        hooks=hooks,
    ) as clients:
        asked = [_ask(clients[catalog.account], catalog) for catalog in wanted]
        return dict(zip(wanted, await asyncio.gather(*asked), strict=True))


async def _ask(client: Client, catalog: Catalog) -> RegistryListing:
    try:
        listed = await client.registries(catalog.label, catalog.prefix)
    except ApiError as error:
        return RegistryListing(failure=Failure(error.reason, str(error), error.remedy))
    return RegistryListing(tuple(registry.name for registry in listed.records))
