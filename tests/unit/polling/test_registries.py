"""Registry lists at work: every registry of an account, its hosts, and what a bad list changes."""

from collections.abc import AsyncIterator

import pytest
from structlog.typing import EventDict

from ncr_exporter.config import CredentialsConfig, Secret
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.state.presence import SHORT_LISTS_DOUBTED
from ncr_exporter.targets.targets import Account, RegistryListTarget
from tests.support.api_client import Fleet, tag
from tests.support.polling import Polling, events, polling_of
from tests.support.states import list_target_of, registry_target, rule

EVERY = registry_target("*", rules=(rule("*"),))
ALL = list_target_of(every=EVERY)


@pytest.fixture
def source() -> Fleet:
    return Fleet(one={"app": [tag("v1")]}, two={"app": [tag("v1"), tag("v2")]})


@pytest.fixture
async def polling(source: Fleet) -> AsyncIterator[Polling]:
    async with polling_of(source=source) as it:
        yield it


def labels(polling: Polling) -> list[str]:
    return sorted(polling.store.registries)


async def test_every_registry_of_the_account_is_found_with_its_images(polling: Polling) -> None:
    await polling.first_round(ALL)
    assert labels(polling) == ["*", "one", "two"]
    two = polling.state("app", registry="two").image
    assert two is not None
    assert two.tags == 2
    assert polling.listed("*").up is True


async def test_a_new_registry_appears_and_a_deleted_one_leaves_with_its_images(
    source: Fleet, logs: list[EventDict]
) -> None:
    async with polling_of(source=source) as polling:
        await polling.first_round(ALL)
        source.content["three"] = {"web": [tag("v1")]}
        await polling.intervals(2)
        assert polling.state("web", registry="three").up is True
        del source.content["one"]
        await polling.intervals(3)
        assert labels(polling) == ["*", "three", "two"]
        assert ("one", "app") not in polling.store.images
        assert polling.told.removed_registries == ["one"]
    assert ("info", "registry is gone") in events(logs)


async def test_a_registry_list_with_fewer_names_than_its_count_does_not_tell_what_is_gone(
    source: Fleet, polling: Polling
) -> None:
    await polling.first_round(ALL)
    del source.content["one"]
    polling.registry.faults.add(fault_named("count-lies"), where="/repositories?")
    await polling.intervals(SHORT_LISTS_DOUBTED)
    assert labels(polling) == ["*", "one", "two"]
    await polling.intervals(3)
    assert labels(polling) == ["*", "two"], "the count may be of something else"


async def test_a_registry_that_one_list_lacks_stays(source: Fleet, polling: Polling) -> None:
    await polling.first_round(ALL)
    kept = source.content.pop("one")
    lists = polling.listed("*").last_success
    while polling.listed("*").last_success == lists:
        await polling.clock.advance(9)
        await polling.settled()
    source.content["one"] = kept
    await polling.intervals(3)
    assert labels(polling) == ["*", "one", "two"]
    assert polling.told.removed_registries == []


async def test_a_list_with_an_unusable_name_does_not_tell_that_a_registry_is_gone(
    polling: Polling,
) -> None:
    await polling.first_round(ALL)
    polling.registry.faults.add(fault_named("control"), where="repositories?")
    await polling.intervals(4)
    assert labels(polling) == ["*", "one", "two"], "the name left out may be that of two"


async def test_a_failed_registry_list_changes_nothing_and_says_so_once(
    source: Fleet, logs: list[EventDict]
) -> None:
    async with polling_of(source=source) as polling:
        await polling.first_round(ALL)
        polling.registry.faults.add(fault_named("denied"), where="repositories?")
        await polling.intervals(3)
        assert labels(polling) == ["*", "one", "two"]
        assert polling.listed("*").up is False
        assert polling.listed("one").up is True
    assert events(logs).count(("warning", "registry list failed")) == 1


async def test_a_registry_that_vanishes_though_it_is_named_fails_and_keeps_its_data(
    source: Fleet, polling: Polling
) -> None:
    await polling.first_round(list_target_of(registry_target("one", rules=(rule("*"),))))
    image = polling.state("app", registry="one").image
    del source.content["one"]
    await polling.intervals(3)
    assert polling.listed("one").up is False
    assert polling.state("app", registry="one").image == image


# What the list tells of each registry


def hosts(polling: Polling, registry: str) -> dict[str, str]:
    return {endpoint: host for host, endpoint in polling.listed(registry).hosts}


async def test_the_list_tells_the_hosts_to_pull_from_and_whether_anyone_may(
    source: Fleet, polling: Polling
) -> None:
    source.public.add("one")
    await polling.first_round(ALL)
    assert hosts(polling, "one")["public"] == "one.kr.ncr.ntruss.com"
    assert hosts(polling, "one")["private"].endswith(".kr.private-ncr.ntruss.com")
    assert (polling.listed("one").public, polling.listed("two").public) == (True, False)


async def test_where_the_list_may_not_be_read_the_documented_host_stands_and_public_is_unknown(
    polling: Polling,
) -> None:
    polling.registry.faults.add(fault_named("denied"), where="repositories?")
    await polling.first_round(list_target_of(registry_target("one", rules=(rule("*"),))))
    assert hosts(polling, "one") == {"public": "one.kr.ncr.ntruss.com"}
    assert polling.listed("one").public is None
    assert polling.state("app", registry="one").up is True


async def test_what_the_list_told_leaves_after_expire_after(polling: Polling) -> None:
    await polling.first_round(ALL)
    assert polling.listed("one").public is False
    polling.registry.faults.add(fault_named("denied"), where="repositories?")
    await polling.clock.advance(86400)
    await polling.settled()
    assert polling.listed("one").public is None
    assert hosts(polling, "one") == {"public": "one.kr.ncr.ntruss.com"}


async def test_so_it_does_when_another_list_was_asked_since_in_vain(polling: Polling) -> None:
    one, two = (registry_target(name, rules=(rule("*"),)) for name in ("one", "two"))
    await polling.first_round(list_target_of(one, two))
    assert polling.listed("two").public is False
    polling.registry.faults.add(fault_named("denied"), where="repositories?")
    await polling.poller.apply([list_target_of(two)])
    await polling.clock.advance(86400)
    await polling.settled()
    assert polling.listed("two").public is None


# Names that clash


async def test_a_registry_that_is_named_too_is_polled_as_it_is_named(polling: Polling) -> None:
    named = registry_target("two", rules=(rule("other"),))
    await polling.first_round(list_target_of(named, every=EVERY))
    assert set(polling.store.images) == {("one", "app"), ("two", "other")}


async def test_of_two_registries_of_one_name_the_one_found_later_is_left_out_with_a_warning(
    source: Fleet, logs: list[EventDict]
) -> None:
    japan = registry_target("one", region="jpn", rules=(rule("app"),))
    targets: list[RegistryListTarget] = [
        RegistryListTarget("one", "/ncr/jpn-api/v2", japan.account, japan.timing, (japan,), None),
        ALL,
    ]
    async with polling_of(source=source) as polling:
        await polling.first_round(*targets)
        assert labels(polling) == ["*", "one", "two"]
        assert polling.listed("one").target == japan
    left_out = "two registries have one name; the one found later is left out"
    assert ("warning", left_out) in events(logs)


async def test_one_accounts_failure_is_not_anothers(source: Fleet) -> None:
    key = CredentialsConfig(access_key=Secret("OTHER"), secret_key=Secret("other-secret"))
    other = registry_target("two", account=Account("public", key), rules=(rule("*"),))
    accounts = {other.account: {"OTHER": "other-secret"}}
    async with polling_of(source=source, accounts=accounts) as polling:
        polling.registry.denied.add("OTHER")
        await polling.first_round(
            list_target_of(registry_target("one", rules=(rule("*"),))), list_target_of(other)
        )
        assert polling.listed("one").up is True
        assert polling.listed("two").up is False
        assert polling.listed("two").list_denied
