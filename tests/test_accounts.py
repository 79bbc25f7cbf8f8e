"""Registries of one account share a client and its limits; those of another share nothing."""

import asyncio

import pytest

from ncr_exporter.accounts import connected, uses
from ncr_exporter.config import parse
from ncr_exporter.metrics.own import AccountUse
from ncr_exporter.ncr.keys import CredentialsError
from ncr_exporter.polling.budget import Budget
from ncr_exporter.targets import catalogs
from tests.peer import Heard
from tests.support import ManualClock

TWO_ACCOUNTS = """
api: {requests_per_second: 7}
credentials: {access_key: one, secret_key: s1}
defaults: {interval: 100s}
registries:
  - {name: a, images: [app, web]}
  - {name: b, images: [app]}
  - {name: c, credentials: {access_key: two, secret_key: s2}, images: [{name: app, interval: 50s}]}
"""


def account_uses() -> dict[str, AccountUse]:
    """Return how accounts are used while the second is throttled for 10 s."""

    async def run() -> dict[str, AccountUse]:
        clock = ManualClock()
        wanted = catalogs(parse(TWO_ACCOUNTS, "test.yml", {}))
        registries = [registry for catalog in wanted for registry in catalog.named]
        budget = Budget(7.0)
        for catalog in wanted:
            budget.plan(catalog.key, catalog.account, 100.0, requests=2)
        async with connected(
            parse(TWO_ACCOUNTS, "test.yml", {}),
            wanted,
            rate=7.0,
            environ={},
            clock=clock,
            observer=Heard(),
        ) as clients:
            assert len(clients) == 2
            clients[wanted[1].account].transport.limiter.throttled(60)
            await clock.advance(10)
            found = uses(clients, registries, budget, clock.monotonic())
            return {use.registry: use for use in found}

    return asyncio.run(run())


def test_registries_of_one_account_share_its_plan_and_its_limit() -> None:
    found = account_uses()
    assert found["a"].planned == found["b"].planned == pytest.approx(2 / 100)
    assert {use.limit for use in found.values()} == {7}


def test_one_accounts_throttling_is_not_anothers() -> None:
    found = account_uses()
    assert found["c"].throttled_seconds == 10
    assert found["a"].throttled_seconds == found["b"].throttled_seconds == 0


def test_an_account_without_a_key_is_refused_before_anything_starts() -> None:
    async def run() -> None:
        config = parse("registries: [{name: a, images: [app]}]", "test.yml", {})
        with pytest.raises(CredentialsError, match="NCLOUD_ACCESS_KEY_ID"):
            async with connected(
                config,
                catalogs(config),
                rate=5.0,
                environ={"HOME": "/nonexistent"},
                clock=ManualClock(),
                observer=Heard(),
            ):
                pass

    asyncio.run(run())
