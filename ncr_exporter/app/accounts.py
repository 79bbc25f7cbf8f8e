"""One API client per account: registries of an account share its limits, and nothing else."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import structlog

from ncr_exporter.config import Api, Config
from ncr_exporter.metrics.exporter_metrics import AccountUse
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.credentials import find_credentials
from ncr_exporter.ncr.http import Hook, client_pool
from ncr_exporter.ncr.limiter import Limiter
from ncr_exporter.ncr.transport import ClientMetrics, Transport
from ncr_exporter.polling.tags import Clients
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Account, RegistryListTarget, RegistryTarget

_ClientSettings = tuple[Api, Path, float]
"""What a client is made from besides its account: `api`, the file's directory, and the rate."""

log = structlog.get_logger()


@dataclass(frozen=True)
class ClientFactory:
    """Makes the client of an account."""

    environ: Mapping[str, str]
    """The environment variables, which may hold keys."""
    clock: Clock
    metrics: ClientMetrics
    hooks: Sequence[Hook] = ()
    """Awaited with each response."""
    max_throttled_wait: float = 0.0
    """Seconds in all that requests wait for an API that throttles, rather than fail."""

    def make(
        self, config: Config, target: RegistryListTarget, rate: float, before: Client | None
    ) -> Client:
        """Return a client for the account of `target` that sends `rate` requests per second.

        It takes over the circuit breaker and the retry budget of the account's client `before`: a
        reload must neither resume throttled requests nor allow more retries.

        Raises:
            CredentialsError: the account has no key.
            ConfigError: `ca_file` cannot be used.
        """
        account, api = target.account, config.api
        credentials = find_credentials(
            account.credentials, config.directory, self.environ, self.clock
        )
        log.info("key found", registry=target.label, source=credentials.source)
        limiter = Limiter(
            rate,
            api.max_concurrency,
            self.clock,
            breaker=before.transport.limiter.breaker if before else None,
            max_throttled_wait=self.max_throttled_wait,
        )
        transport = Transport(
            client_pool=client_pool(api, config.directory, self.hooks),
            base_url=account.base_url(api),
            credentials=credentials,
            limiter=limiter,
            timeout=api.timeout,
            clock=self.clock,
            metrics=self.metrics,
            retry_budget=before.transport.retry_budget if before else None,
        )
        return Client(transport, page_size=api.page_size, metrics=self.metrics)


class Accounts:
    """The current clients. A new configuration reuses clients made from equal settings."""

    def __init__(self, factory: ClientFactory) -> None:
        self.clients: dict[Account, Client] = {}
        """By account. Changed in place: pollers look up their client for each list."""
        self._factory = factory
        self._settings: _ClientSettings | None = None
        self._retiring: dict[asyncio.Task[None], Client] = {}
        """Clients no longer in use whose last lists are under way."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._retiring:
            task.cancel()
        for client in [*self._retiring.values(), *self.clients.values()]:
            await client.transport.close()

    def apply(self, config: Config, targets: Iterable[RegistryListTarget], *, rate: float) -> None:
        """Reuse or make a client for each account of `targets`, and retire all others.

        `rate` is in requests per second, of each account.

        Raises:
            CredentialsError: an account has no key; nothing was changed.
            ConfigError: `ca_file` cannot be used; nothing was changed.
        """
        settings = (config.api, config.directory, rate)
        reusable = self.clients if settings == self._settings else {}
        clients: dict[Account, Client] = {}
        for target in targets:
            account = target.account
            if account not in clients:
                before = self.clients.get(account)
                client = reusable.get(account) or self._factory.make(config, target, rate, before)
                clients[account] = client
        for account, client in self.clients.items():
            if clients.get(account) is not client:
                self._retire(client)
        self._settings = settings
        self.clients.clear()
        self.clients.update(clients)

    def _retire(self, client: Client) -> None:
        """Close a client when its lists under way have ended."""
        task = asyncio.create_task(_close_retired(client))
        self._retiring[task] = client
        task.add_done_callback(self._retiring.pop)


async def _close_retired(client: Client) -> None:
    try:
        await client.retire()
    except Exception:
        log.exception("unexpected error", task="closing an account's connections")


def account_uses(
    clients: Clients, registries: Iterable[RegistryTarget], budget: Budget, now: float
) -> Iterator[AccountUse]:
    """Yield how the account of each registry is used at `now` (monotonic seconds)."""
    for registry in registries:
        limiter = clients[registry.account].transport.limiter
        yield AccountUse(
            registry.label,
            limit=limiter.rate.configured,
            planned=budget.planned(registry.account),
            throttled_seconds=limiter.breaker.tripped_seconds(now),
        )
