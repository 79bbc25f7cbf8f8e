"""One API client per account: registries of an account share its limits, and nothing else."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from ncr_exporter.config import Api, Config, Secret
from ncr_exporter.metrics.exporter_metrics import AccountUse
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.corrected_clock import CorrectedClock
from ncr_exporter.ncr.credentials import find_credentials
from ncr_exporter.ncr.http import Hook, ca_file_content, client_pool
from ncr_exporter.ncr.limiter import Limiter
from ncr_exporter.ncr.proxies import proxy_of
from ncr_exporter.ncr.signing import GatewayClock
from ncr_exporter.ncr.transport import ClientMetrics, Transport
from ncr_exporter.ncr.versions import Gateway, gateway_of
from ncr_exporter.polling.tags import Clients
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Account, RegistryListTarget, RegistryTarget

_ClientSettings = tuple[Api, Path, float, bytes]
"""What a client is made from besides its account: `api`, the file's directory, the rate, and the
content of `ca_file`. Key files are read again by the client itself."""

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
    language: str = ""
    """The language of errors' details, such as `ko-KR`; empty for the API's default."""

    def make(
        self, config: Config, target: RegistryListTarget, rate: float, before: Client | None
    ) -> Client:
        """Return a client for the account of `target` that sends `rate` requests per second.

        It takes over what the account's client `before` knows: a reload must neither resume
        throttled requests, nor allow more retries, nor forget the gateway's clock.

        Raises:
            CredentialsError: the account has no key.
            ConfigError: `ca_file`, or the environment's proxy, cannot be used.
        """
        account, api = target.account, config.api
        known = before.transport if before else None
        gateway_clock = known.gateway_clock if known else GatewayClock(self.clock)
        corrected = CorrectedClock(self.clock, lambda: [gateway_clock])
        credentials = find_credentials(
            account.credentials, config.directory, self.environ, corrected
        )
        log.info("key found", registry=target.label, source=credentials.source)
        limiter = Limiter(
            rate,
            api.max_concurrency,
            self.clock,
            breaker=known.limiter.breaker if known else None,
            max_throttled_wait=self.max_throttled_wait,
        )
        gateway = gateway_of(api, account.zone, language=self.language)
        proxies = proxies_of(api, gateway, self.environ)
        transport = Transport(
            client_pool=client_pool(api, config.directory, proxies=proxies, hooks=self.hooks),
            credentials=credentials,
            limiter=limiter,
            timeout=api.timeout,
            clock=self.clock,
            metrics=self.metrics,
            retry_budget=known.retry_budget if known else None,
            gateway_clock=gateway_clock,
        )
        return Client(transport, gateway=gateway, page_size=api.page_size, metrics=self.metrics)


def proxies_of(api: Api, gateway: Gateway, environ: Mapping[str, str]) -> dict[str, Secret | None]:
    """Return base URL → the URL of its proxy, or None for none, for each host of an API.

    Raises:
        ConfigError: the environment's proxy cannot be used.
    """
    hosts = {endpoint.base_url for endpoint in gateway.endpoints.values()}
    return {host: proxy_of(api, host, environ) for host in sorted(hosts)}


@dataclass(frozen=True)
class ConnectedAccounts:
    """The clients that a configuration needs, and what they were made from."""

    settings: _ClientSettings
    clients: Mapping[Account, Client]


class Accounts:
    """The current clients. A new configuration reuses clients made from equal settings."""

    def __init__(self, factory: ClientFactory) -> None:
        self.clients: dict[Account, Client] = {}
        """By account. Changed in place: pollers look up their client for each list."""
        self._factory = factory
        self._settings: _ClientSettings | None = None
        self._used: set[Account] = set()
        """The accounts of the configuration in force."""
        self._retiring: dict[asyncio.Task[None], Client] = {}
        """Clients no longer in use whose last lists are under way."""

    def gateway_clocks(self) -> Iterator[GatewayClock]:
        """Yield the gateway's clock of each account."""
        for client in self.clients.values():
            yield client.transport.gateway_clock

    async def aclose(self) -> None:
        """Close the connections of all clients."""
        for task in self._retiring:
            task.cancel()
        for client in [*self._retiring.values(), *self.clients.values()]:
            await client.transport.close()

    def made(
        self, config: Config, targets: Iterable[RegistryListTarget], *, rate: float
    ) -> ConnectedAccounts:
        """Return a client for each account of `targets`, made or reused; change nothing.

        It reads the files of keys and certificates, and may run in a thread. `rate` is in requests
        per second, of each account.

        Raises:
            CredentialsError: an account has no key.
            ConfigError: `ca_file`, or the environment's proxy, cannot be used.
        """
        authorities = ca_file_content(config.api, config.directory)
        settings = (config.api, config.directory, rate, authorities)
        reusable = self.clients if settings == self._settings else {}
        clients: dict[Account, Client] = {}
        for target in targets:
            account = target.account
            if account not in clients:
                before = self.clients.get(account)
                client = reusable.get(account) or self._factory.make(config, target, rate, before)
                clients[account] = client
        return ConnectedAccounts(settings, clients)

    def put(self, made: ConnectedAccounts) -> None:
        """Put clients in force, and retire those that they replace.

        Those of other accounts stay until `retire_unused`: their images may be polled until then.
        """
        for account, client in self.clients.items():
            if made.clients.get(account, client) is not client:
                self._retire(client)
        self._settings, self._used = made.settings, set(made.clients)
        self.clients.update(made.clients)

    def retire_unused(self) -> None:
        """Retire the clients of accounts that are no longer polled."""
        for account in self.clients.keys() - self._used:
            self._retire(self.clients.pop(account))

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
