"""Registries of one account share a client and its limits; those of another share nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from ncr_exporter.app.accounts import Accounts, ClientFactory, account_uses
from ncr_exporter.config import Config, ConfigError, parse
from ncr_exporter.metrics.exporter_metrics import AccountUse
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.errors import AuthenticationError, ServerError, TlsError
from ncr_exporter.ncr.keys import CredentialsError
from ncr_exporter.ncr.retries import BURST, TRICKLE
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.simulator.registry import SimulatedRegistry
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import RegistryListTarget, registry_list_targets
from tests.support.api_client import DEMO_KEYS, REGISTRY, Heard, simulated, source_of, tag
from tests.support.certificates import server_tls
from tests.support.clock import ManualClock, passing, tls_access
from tests.support.http_server import served

TWO_ACCOUNTS = """
api: {requests_per_second: 7}
credentials: {access_key: one, secret_key: s1}
defaults: {interval: 100s}
registries:
  - {name: a, images: [app, web]}
  - {name: b, images: [app]}
  - {name: c, credentials: {access_key: two, secret_key: s2}, images: [{name: app, interval: 50s}]}
"""


def use(
    accounts: Accounts, config: Config, targets: Iterable[RegistryListTarget], rate: float
) -> None:
    """Put the clients of a configuration in force, and retire all others."""
    accounts.put(accounts.made(config, targets, rate=rate))
    accounts.retire_unused()


async def uses_of_two_accounts() -> dict[str, AccountUse]:
    """Return how accounts are used while the second is throttled for 10 s."""
    clock = ManualClock()
    wanted = registry_list_targets(parse(TWO_ACCOUNTS, "test.yml", {}))
    registries = [registry for target in wanted for registry in target.named]
    budget = Budget(7.0)
    for target in wanted:
        budget.plan(target.key, target.account, 100.0, requests=2)
    async with aclosing(Accounts(ClientFactory({}, clock, Heard()))) as accounts:
        use(accounts, parse(TWO_ACCOUNTS, "test.yml", {}), wanted, rate=7.0)
        clients = accounts.clients
        assert len(clients) == 2
        clients[wanted[1].account].transport.limiter.record_throttling(60)
        await clock.advance(10)
        found = account_uses(clients, registries, budget, clock.monotonic())
        return {use.registry: use for use in found}


async def test_registries_of_one_account_share_its_plan_and_its_limit() -> None:
    found = await uses_of_two_accounts()
    assert found["a"].planned == found["b"].planned == pytest.approx(2 / 100)
    assert {use.limit for use in found.values()} == {7}


async def test_one_accounts_throttling_is_not_anothers() -> None:
    found = await uses_of_two_accounts()
    assert found["c"].throttled_seconds == 10
    assert found["a"].throttled_seconds == found["b"].throttled_seconds == 0


async def test_an_account_without_a_key_is_refused_before_anything_starts() -> None:
    config = parse("registries: [{name: a, images: [app]}]", "test.yml", {})
    factory = ClientFactory({"HOME": "/nonexistent"}, ManualClock(), Heard())
    accounts = Accounts(factory)
    with pytest.raises(CredentialsError, match="NCLOUD_ACCESS_KEY_ID"):
        use(accounts, config, registry_list_targets(config), rate=5.0)


ONE_ACCOUNT = """
api: {{base_url: "{url}", timeout: {timeout}s, page_size: 10}}
credentials: {{access_key: DEMOACCESSKEY, secret_key: demo-secret-key}}
registries: [my-registry]
"""


class Reloaded:
    """The client of one account, and the one that another configuration puts in its place."""

    def __init__(self, accounts: Accounts, url: str) -> None:
        self.accounts = accounts
        self._url = url

    def reload(self, timeout: int) -> Client:
        """Put a configuration in force; return the client that is in force then."""
        config = parse(ONE_ACCOUNT.format(url=self._url, timeout=timeout), "test.yml", {})
        use(self.accounts, config, registry_list_targets(config), rate=1000.0)
        (client,) = self.accounts.clients.values()
        return client


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def registry_at_work(
    clock: ManualClock,
) -> AsyncIterator[tuple[SimulatedRegistry, str]]:
    """A registry whose image `app` has three pages of tags, and its base URL."""
    source = source_of(app=[tag(f"v{n}") for n in range(30)])
    async with simulated(source, clock=clock) as it:
        yield it


@pytest.fixture
def registry(registry_at_work: tuple[SimulatedRegistry, str]) -> SimulatedRegistry:
    return registry_at_work[0]


@pytest.fixture
async def account(
    registry_at_work: tuple[SimulatedRegistry, str], clock: ManualClock, heard: Heard
) -> AsyncIterator[Reloaded]:
    async with aclosing(Accounts(ClientFactory({}, clock, heard))) as accounts:
        yield Reloaded(accounts, registry_at_work[1])


def is_closed(client: Client) -> bool:
    """Return whether a client had connections and all are closed."""
    made = client.transport._pool._all
    return bool(made) and all(http.is_closed for http in made)


async def test_a_listing_that_waits_to_retry_a_page_outlives_the_reload_that_retires_its_client(
    account: Reloaded, registry: SimulatedRegistry, clock: ManualClock, heard: Heard
) -> None:
    before = account.reload(timeout=5)
    registry.faults.add(fault_named("unavailable"), where="page=2", times=1)
    listing = asyncio.create_task(before.tags(REGISTRY, "app"))
    await passing(clock, lambda: heard.retries)
    assert account.reload(timeout=6) is not before
    await passing(clock, listing.done)
    assert len((await listing).records) == 30
    await passing(clock, lambda: is_closed(before))


async def test_a_client_that_was_retired_is_closed_when_the_program_stops_whatever_is_under_way(
    account: Reloaded, registry: SimulatedRegistry, clock: ManualClock
) -> None:
    before = account.reload(timeout=5)
    registry.fault = fault_named("hang")
    listing = asyncio.create_task(before.tags(REGISTRY, "app"))
    await passing(clock, lambda: registry.requests)
    account.reload(timeout=6)
    await account.accounts.aclose()
    assert is_closed(before)
    listing.cancel()


async def test_a_reload_in_an_outage_brings_no_fresh_retries(
    account: Reloaded, registry: SimulatedRegistry, clock: ManualClock, heard: Heard
) -> None:
    registry.fault, began = fault_named("unavailable"), clock.monotonic()
    for timeout in range(2, 12):
        listing = asyncio.create_task(account.reload(timeout).tags(REGISTRY, "app"))
        while not listing.done():
            await clock.advance(0.5)
            await asyncio.sleep(0.001)
        with pytest.raises(ServerError):
            await listing
    trickle = 1 + (clock.monotonic() - began) // TRICKLE
    assert BURST < heard.retries <= BURST + trickle


async def test_a_reload_does_not_forget_the_gateways_clock(
    account: Reloaded, registry: SimulatedRegistry, clock: ManualClock, heard: Heard
) -> None:
    registry.clock_offset = 7200
    for timeout in (5, 6):
        listing = asyncio.create_task(account.reload(timeout).tags(REGISTRY, "app"))
        await passing(clock, listing.done)
        assert len((await listing).records) == 30
    assert heard.attempts.count("authentication") == 1


# Files that the configuration names, changed though it is equal


def served_by(
    authority: trustme.CA, registry: SimulatedRegistry
) -> AbstractAsyncContextManager[str]:
    return served(registry.handle, tls_access(server_tls(authority)))


async def tags_of(accounts: Accounts) -> list[str]:
    (client,) = accounts.clients.values()
    return [record.name for record in (await client.tags(REGISTRY, "app")).records]


async def test_a_reload_takes_up_a_ca_file_that_was_renewed(tmp_path: Path) -> None:
    old, new, clock = trustme.CA(), trustme.CA(), ManualClock()
    registry = SimulatedRegistry(source_of(app=[tag("v1")]), keys=DEMO_KEYS, clock=clock)
    async with served_by(new, registry) as url, aclosing(Accounts(factory_of(clock))) as accounts:
        config = replace(parse(WITH_CA_FILE.format(url=url), "f", {}), directory=tmp_path)
        old.cert_pem.write_to_path(tmp_path / "ca.pem")
        targets = registry_list_targets(config)
        use(accounts, config, targets, rate=1000.0)
        (before,) = accounts.clients.values()
        with pytest.raises(TlsError):
            await tags_of(accounts)
        use(accounts, config, targets, rate=1000.0)
        assert list(accounts.clients.values()) == [before], "nothing changed: the client stays"
        new.cert_pem.write_to_path(tmp_path / "ca.pem")
        use(accounts, config, targets, rate=1000.0)
        assert await tags_of(accounts) == ["v1"]


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
async def test_a_ca_file_that_turned_bad_is_refused_and_the_client_stays(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    async with aclosing(Accounts(factory_of(ManualClock()))) as accounts:
        text = WITH_CA_FILE.format(url="https://localhost")
        config = replace(parse(text, "f", {}), directory=tmp_path)
        targets = registry_list_targets(config)
        use(accounts, config, targets, rate=1000.0)
        before = dict(accounts.clients)
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"api\.ca_file: .* cannot be read as certificates"):
            use(accounts, config, targets, rate=1000.0)
        assert accounts.clients == before


async def test_the_key_in_the_vendors_file_is_taken_up_when_it_is_rotated(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / ".ncloud" / "configure"
    path.parent.mkdir()
    lines = "ncloud_access_key_id = DEMOACCESSKEY\nncloud_secret_access_key = {}\n"
    path.write_text(lines.format("revoked"))
    text = 'api: {{base_url: "{url}"}}\nregistries: [my-registry]'
    async with (
        simulated(source_of(app=[tag("v1")]), clock=clock) as (_, url),
        aclosing(Accounts(factory_of(clock, HOME=str(tmp_path)))) as accounts,
    ):
        config = parse(text.format(url=url), "f", {})
        use(accounts, config, registry_list_targets(config), rate=1000.0)
        with pytest.raises(AuthenticationError):
            await tags_of(accounts)
        path.write_text(lines.format("demo-secret-key"))
        assert await tags_of(accounts) == ["v1"]


WITH_CA_FILE = """
api: {{base_url: "{url}", ca_file: ca.pem}}
credentials: {{access_key: DEMOACCESSKEY, secret_key: demo-secret-key}}
registries: [my-registry]
"""


def factory_of(clock: ManualClock, **environ: str) -> ClientFactory:
    return ClientFactory(environ, clock, Heard())
