"""One client per account: registries read with one key share its limits, and nothing else."""

import ssl
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import structlog

from ncr_exporter.clock import Clock
from ncr_exporter.config import Config, ConfigError, Problem
from ncr_exporter.metrics.own import AccountUse
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.credentials import find_credentials
from ncr_exporter.ncr.http import http_client
from ncr_exporter.ncr.limiter import Limiter
from ncr_exporter.ncr.observer import Observer
from ncr_exporter.ncr.transport import Transport
from ncr_exporter.polling.budget import Budget
from ncr_exporter.polling.context import Clients
from ncr_exporter.targets import Account, Catalog, RegistryTarget

Hook = Callable[[httpx.Response], Awaitable[None]]
"""Awaited with each answer before its body is read."""

log = structlog.get_logger()


@asynccontextmanager
async def connected(  # noqa: PLR0913 -- what every account's client is made of, each by name
    config: Config,
    catalogs: Iterable[Catalog],
    *,
    rate: float,
    environ: Mapping[str, str],
    clock: Clock,
    observer: Observer,
    hooks: Sequence[Hook] = (),
) -> AsyncIterator[Clients]:
    """Give a client for each account that `catalogs` need, closed at the end.

    `rate` is in requests per second, for each account.

    Raises:
        CredentialsError: an account has no key.
        ConfigError: `ca_file` cannot be used.
    """
    async with AsyncExitStack() as stack:
        clients: dict[Account, Client] = {}
        for catalog in catalogs:
            account = catalog.account
            if account in clients:
                continue
            credentials = find_credentials(account.credentials, config.directory, environ)
            log.info("key found", registry=catalog.label, source=credentials.source)
            http = await stack.enter_async_context(http_of(config))
            http.event_hooks = {"response": [*hooks]}
            transport = Transport(
                http=http,
                base_url=account.base_url(config.api),
                credentials=credentials,
                limiter=Limiter(rate, config.api.max_concurrency, clock),
                timeout=config.api.timeout,
                clock=clock,
                observer=observer,
            )
            clients[account] = Client(
                transport, page_size=config.api.page_size, clock=clock, observer=observer
            )
        yield clients


def uses(
    clients: Clients, registries: Iterable[RegistryTarget], budget: Budget, now: float
) -> Iterator[AccountUse]:
    """Yield how each registry's account is used; `now` is monotonic seconds."""
    for registry in registries:
        limiter = clients[registry.account].transport.limiter
        yield AccountUse(
            registry.label,
            limit=limiter.pace.configured,
            planned=budget.planned(registry.account),
            throttled_seconds=limiter.gate.closed_seconds(now),
        )


def http_of(config: Config) -> httpx.AsyncClient:
    """Return a client as the configuration wants it.

    Raises:
        ConfigError: `ca_file` cannot be used.
    """
    try:
        return http_client(config.api, config.directory)
    except (OSError, ssl.SSLError) as error:
        path = Path(config.directory, config.api.ca_file or "")
        message = f"{path} is no readable bundle of certificates: {error.strerror or error}"
        raise ConfigError("configuration", [Problem("api.ca_file", message)]) from None
