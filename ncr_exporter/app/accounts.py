"""One client per account: registries read with one key share its limits, and nothing else."""

import asyncio
import ssl
from collections.abc import (
    AsyncIterator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import structlog

from ncr_exporter.config import Api, Config, ConfigError, Problem
from ncr_exporter.metrics.exporter_metrics import AccountUse
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.credentials import find_credentials
from ncr_exporter.ncr.http import Hook, Lanes, lanes
from ncr_exporter.ncr.limiter import Limiter
from ncr_exporter.ncr.transport import Observer, Transport
from ncr_exporter.polling.context import Clients
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Account, Catalog, RegistryTarget

log = structlog.get_logger()


class Accounts:
    """The clients in force. A new configuration keeps those it would make alike."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        clock: Clock,
        observer: Observer,
        hooks: Sequence[Hook] = (),
        patience: float = 0.0,
    ) -> None:
        """`patience` is the limiters'."""
        self.clients: dict[Account, Client] = {}
        """Replaced in place: who polls looks its client up for each listing."""
        self._environ = environ
        self._clock = clock
        self._observer = observer
        self._hooks = hooks
        self._patience = patience
        self._made_by: tuple[Api, Path, float] | None = None
        self._retiring: dict[asyncio.Task[None], Client] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._retiring:
            task.cancel()
        for client in [*self._retiring.values(), *self.clients.values()]:
            await client.transport.close()

    def apply(self, config: Config, catalogs: Iterable[Catalog], *, rate: float) -> None:
        """Have a client for each account that `catalogs` need; where that fails nothing changes.

        `rate` is in requests per second, for each account.

        Raises:
            CredentialsError: an account has no key.
            ConfigError: `ca_file` cannot be used.
        """
        made_by = (config.api, config.directory, rate)
        kept = self.clients if made_by == self._made_by else {}
        clients: dict[Account, Client] = {}
        for catalog in catalogs:
            account = catalog.account
            if account not in clients:
                client = kept.get(account) or self._client(config, catalog, rate)
                clients[account] = client
        for account, client in self.clients.items():
            if clients.get(account) is not client:
                self._retire(client)
        self._made_by = made_by
        self.clients.clear()
        self.clients.update(clients)

    def _client(self, config: Config, catalog: Catalog, rate: float) -> Client:
        account, api = catalog.account, config.api
        credentials = find_credentials(
            account.credentials, config.directory, self._environ, self._clock
        )
        log.info("key found", registry=catalog.label, source=credentials.source)
        before = self.clients.get(account)
        transport = Transport(
            lanes=lanes_of(config, self._hooks),
            base_url=account.base_url(api),
            credentials=credentials,
            limiter=Limiter(
                rate,
                api.max_concurrency,
                self._clock,
                gate=before.transport.limiter.gate if before else None,
                patience=self._patience,
            ),
            timeout=api.timeout,
            clock=self._clock,
            observer=self._observer,
            retries=before.transport.retries if before else None,
        )
        return Client(transport, page_size=api.page_size, observer=self._observer)

    def _retire(self, client: Client) -> None:
        """Close a client once its listings under way have ended."""
        task = asyncio.create_task(client.retire())
        self._retiring[task] = client
        task.add_done_callback(self._retiring.pop)


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
    patience: float = 0.0,
) -> AsyncIterator[Clients]:
    """Give a client for each account that `catalogs` need; see `Accounts.apply`."""
    async with Accounts(
        environ=environ, clock=clock, observer=observer, hooks=hooks, patience=patience
    ) as accounts:
        accounts.apply(config, catalogs, rate=rate)
        yield accounts.clients


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


def lanes_of(config: Config, hooks: Sequence[Hook] = ()) -> Lanes:
    """Return clients of HTTP as the configuration wants them.

    Raises:
        ConfigError: `ca_file` cannot be used.
    """
    try:
        return lanes(config.api, config.directory, hooks)
    except (OSError, ssl.SSLError) as error:
        path = Path(config.directory, config.api.ca_file or "")
        message = f"{path} is no readable bundle of certificates: {error.strerror or error}"
        raise ConfigError("configuration", [Problem("api.ca_file", message)]) from None
