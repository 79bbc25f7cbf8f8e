"""Lists whose count is of something else: what is sent, what is planned, what is remembered."""

from typing import Any

import pytest
from structlog.typing import EventDict

from ncr_exporter.ncr.odd_counts import LISTINGS_PER_CHECK, READINGS_DOUBTED
from ncr_exporter.ncr.versions import V2
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.targets.targets import RegistryListTarget
from tests.support.api_client import tag
from tests.support.miscounting import readings, taken
from tests.support.polling import INTERVAL, Polling, choosing, events, naming, polling_of
from tests.support.states import ACCOUNT, list_target_of, registry_target, rule
from tests.support.versions import at, spoken

pytestmark = pytest.mark.usefixtures("version")

EVERY = list_target_of(every=registry_target("*", rules=(rule("*"),)))
LISTS = {
    "tag lists": "/app/tags?",
    "image lists": "my-registry?",
    "registry lists": "repositories?",
    "all lists": "",
}


def miscount(polling: Polling, where: str) -> None:
    polling.registry.faults.add(fault_named("count-lies"), where=at(spoken(), where))


def of_tags(polling: Polling) -> int:
    """Return how many readings of the tags of `app` there were since the last call."""
    return readings(each for each in taken(polling.registry) if "app/tags?" in each.target)


@pytest.mark.parametrize("lists", LISTS)
async def test_what_is_planned_is_what_was_sent(polling: Polling, lists: str) -> None:
    miscount(polling, LISTS[lists])
    await polling.first_round(EVERY)
    sent = [len(taken(polling.registry))]
    for _ in range(READINGS_DOUBTED + 2):
        await polling.intervals(1)
        sent.append(len(taken(polling.registry)))
        assert polling.budget.planned(ACCOUNT) * INTERVAL == pytest.approx(sent[-1])
    assert sent[-1] < sent[1], "one reading is enough"


async def test_over_hours_as_many_requests_are_sent_as_are_planned(polling: Polling) -> None:
    miscount(polling, "")
    await polling.first_round(EVERY)
    await polling.intervals(READINGS_DOUBTED)
    taken(polling.registry)
    lists = len(polling.fleet.content["my-registry"]) + 2
    per_reading = 1 if spoken() is V2 else 2  # for a page that the count promises
    sent = planned = 0.0
    for _ in range(LISTINGS_PER_CHECK):
        await polling.intervals(1)
        sent += len(taken(polling.registry))
        planned += polling.budget.planned(ACCOUNT) * INTERVAL
    assert planned == pytest.approx(sent)
    assert sent == lists * per_reading * (LISTINGS_PER_CHECK + 1), "each list is checked once"


async def test_intervals_are_stretched_by_what_is_sent() -> None:
    async with polling_of(limit=4 / INTERVAL) as polling:
        miscount(polling, "/tags?")
        await polling.first_round(naming("app", "web"))
        twice = polling.budget.stretch(ACCOUNT)
        for _ in range(READINGS_DOUBTED):
            await polling.intervals(2)
        assert twice > 1
        assert polling.budget.stretch(ACCOUNT) < twice


async def test_an_emptied_tag_list_that_is_not_believed_yet_is_planned_as_it_was_sent(
    polling: Polling,
) -> None:
    await polling.first_round(naming("app"))
    taken(polling.registry)
    polling.registry.faults.add(fault_named("emptied"), where="app/tags?")
    await polling.intervals(1)
    assert polling.state().tags != ()
    assert polling.budget.planned(ACCOUNT) * INTERVAL == pytest.approx(len(taken(polling.registry)))


async def test_a_reload_keeps_what_is_known_of_a_count(polling: Polling) -> None:
    miscount(polling, "")
    await polling.first_round(naming("app"))
    await polling.intervals(READINGS_DOUBTED)
    of_tags(polling)
    await polling.poller.apply([choosing(rule("app", keep_recent=7))])
    await polling.intervals(1)
    assert of_tags(polling) == 1


@pytest.mark.parametrize("target", [choosing(rule("*")), EVERY], ids=["image", "registry"])
async def test_a_list_that_was_gone_is_doubted_again(
    polling: Polling, target: RegistryListTarget
) -> None:
    miscount(polling, "/tags?")
    await polling.first_round(target)
    await polling.intervals(READINGS_DOUBTED + 1)
    content: dict[str, Any] = polling.fleet.content if target is EVERY else polling.images
    name = "my-registry" if target is EVERY else "app"
    kept = content.pop(name)
    await polling.intervals(3)
    assert "app" not in polling.published
    of_tags(polling)
    content[name] = kept
    await polling.intervals(1)
    assert of_tags(polling) >= 2


async def test_each_registry_has_its_own_line_however_many_images_it_has(
    logs: list[EventDict],
) -> None:
    images = {f"app-{number}": [tag("v1")] for number in range(5)}
    async with polling_of(images=images) as polling:
        miscount(polling, "/tags?")
        await polling.first_round(choosing(rule("*")))
        await polling.intervals(READINGS_DOUBTED + 3)
    told = [event for _, event in events(logs) if event.startswith("the count of a list")]
    assert len(told) == 1
