"""What retries may cost an account, in polls that go on through an outage on a moved clock."""

import itertools
from typing import Any

import pytest

from ncr_exporter.config import Api
from ncr_exporter.ncr.errors import (
    ApiError,
    AuthenticationError,
    DeadlineError,
    MalformedError,
    ServerError,
    ThrottledError,
)
from ncr_exporter.ncr.retries import BURST, TRICKLE, RequestRetries, RetryBudget
from ncr_exporter.simulator.faults import Fault, fault_named
from ncr_exporter.simulator.responses import service_error
from tests.support.api_client import tag
from tests.support.clock import ManualClock
from tests.support.polling import INTERVAL, Polling, naming, polling_of

IMAGES = [f"app-{number}" for number in range(20)]


def fleet() -> dict[str, list[dict[str, Any]]]:
    return {name: [tag("v1")] for name in IMAGES}


def new_budget(clock: ManualClock | None = None) -> RetryBudget:
    """Return a budget whose trickle has just been used, by a clock that stands still."""
    budget = RetryBudget(clock or ManualClock())
    assert budget.take()
    return budget


def spend(budget: RetryBudget) -> int:
    """Return how many retries are left, and take them all."""
    taken = 0
    while budget.take():
        taken += 1
    return taken


def test_a_burst_is_at_hand_and_a_tenth_of_what_goes_well_is_earned() -> None:
    budget = new_budget()
    assert spend(budget) == BURST
    for _ in range(35):
        budget.earn()
    assert spend(budget) == 3
    for _ in range(5):
        budget.earn()
    assert spend(budget) == 1, "what was half earned is kept"


async def test_beside_the_budget_one_retry_trickles_in_ten_seconds_and_none_is_saved_up() -> None:
    clock = ManualClock()
    budget = new_budget(clock)
    spend(budget)
    found = []
    for seconds in (9.9, 0.2, 9.9, 0.1, 3600):
        await clock.advance(seconds)
        found.append(spend(budget))
    assert found == [0, 1, 0, 1, 1]


async def test_the_trickle_is_used_before_the_budget() -> None:
    clock = ManualClock()
    budget = new_budget(clock)
    await clock.advance(10)
    assert spend(budget) == 1 + BURST


def test_good_times_earn_no_more_than_the_burst() -> None:
    budget = new_budget()
    for _ in range(100_000):
        budget.earn()
    assert spend(budget) == BURST


@pytest.mark.parametrize(
    ("error", "retries"),
    [
        (ServerError(""), 2),
        (DeadlineError(""), 1),
        (MalformedError(""), 0),
        (ThrottledError(""), 0),
    ],
)
def test_how_often_a_request_is_sent_again_follows_from_its_error(
    error: ApiError, retries: int
) -> None:
    budget = new_budget()
    attempts = RequestRetries(budget)
    while attempts.pause(error, clock_corrected=False, waits_when_throttled=False) is not None:
        retries -= 1
    assert retries == 0


@pytest.mark.parametrize(
    ("errors", "shortest", "longest"),
    [
        ([ServerError("")], 0.25, 0.5),
        ([DeadlineError("")], 0.25, 0.5),
        ([ServerError(""), ServerError("")], 0.5, 1.0),
        ([ServerError(""), DeadlineError("")], 0.5, 1.0),
    ],
)
def test_the_pause_follows_from_the_number_of_the_retry_alone(
    errors: list[ApiError], shortest: float, longest: float
) -> None:
    pauses = [last_pause(errors) for _ in range(200)]
    assert shortest <= min(pauses) < max(pauses) <= longest


@pytest.mark.parametrize("second", [ServerError(""), DeadlineError("")])
def test_after_a_timeout_one_retry_is_the_last_whatever_comes_then(second: ApiError) -> None:
    retries = RequestRetries(new_budget())
    assert pause(retries, DeadlineError("")) is not None
    assert pause(retries, second) is None


def test_throttled_requests_that_wait_are_sent_again_twice_at_once_and_for_nothing() -> None:
    budget = new_budget()
    retries = RequestRetries(budget)
    throttled = ThrottledError("")
    pauses = [
        retries.pause(throttled, clock_corrected=False, waits_when_throttled=True) for _ in range(3)
    ]
    assert pauses == [0.0, 0.0, None]
    assert spend(budget) == BURST


def pause(retries: RequestRetries, error: ApiError) -> float | None:
    return retries.pause(error, clock_corrected=False, waits_when_throttled=False)


def last_pause(errors: list[ApiError]) -> float:
    retries = RequestRetries(new_budget())
    found = [pause(retries, error) for error in errors][-1]
    assert found is not None
    return found


def test_signing_again_costs_nothing_and_comes_once_a_request() -> None:
    budget = new_budget()
    spend(budget)
    attempts = RequestRetries(budget)
    refused = AuthenticationError("")
    assert attempts.pause(refused, clock_corrected=True, waits_when_throttled=False) == 0
    assert attempts.pause(refused, clock_corrected=True, waits_when_throttled=False) is None


@pytest.mark.parametrize("fault", ["unavailable", "reset", "half"])
async def test_in_an_outage_the_load_is_that_of_the_polls_alone(fault: str) -> None:
    async with polling_of(images=fleet()) as polling:
        await polling.first_round(naming(*IMAGES))
        requests, polls = len(polling.tag_requests), polls_of(polling)
        polling.registry.fault = fault_named(fault)
        await polling.intervals(4)
        without_retries = polls_of(polling) - polls
        assert 4 * len(IMAGES) <= without_retries < (5 + 2) * len(IMAGES), "two are added, once"
        load = len(polling.tag_requests) - requests
        trickle = 4 * INTERVAL / TRICKLE
        kept = Api().max_concurrency  # connections that break without costing a retry
        assert without_retries <= load <= without_retries + BURST + trickle + kept


async def test_few_polls_of_a_small_deployment_fail_where_every_second_request_does() -> None:
    """Ten images, one request each: what goes well earns a retry in ten polls, and all need one."""
    images = {name: [tag("v1")] for name in IMAGES[:10]}
    answers = itertools.cycle([service_error(503, "busy"), None])
    refusing = Fault("every second", "", lambda _, good: next(answers) or good)
    async with polling_of(images=images) as polling:
        await polling.first_round(naming(*images))
        polling.registry.faults.add(refusing, where="/tags?")
        await polling.intervals(10)
        polls, failures = polls_of(polling), failures_of(polling)
        assert polls >= 100
        assert failures <= polls / 20


async def test_after_an_outage_retries_are_earned_again() -> None:
    async with polling_of(images=fleet()) as polling:
        await polling.first_round(naming(*IMAGES))
        polling.registry.fault = fault_named("unavailable")
        await polling.intervals(2)
        polling.registry.fault = None
        await polling.intervals(3)
        failures = failures_of(polling)
        polling.registry.faults.add(fault_named("unavailable"), where="/tags", times=2)
        await polling.intervals(1)
        assert failures_of(polling) == failures, "bridged"


def polls_of(polling: Polling) -> int:
    return sum(state.polls for state in polling.store.images.values())


def failures_of(polling: Polling) -> int:
    return sum(state.failures for state in polling.store.images.values())
