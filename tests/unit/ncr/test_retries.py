"""What retries may cost an account, in polls that go on through an outage on a moved clock."""

from typing import Any

import pytest

from ncr_exporter.ncr.errors import (
    ApiError,
    AuthenticationError,
    DeadlineError,
    MalformedError,
    ServerError,
    ThrottledError,
)
from ncr_exporter.ncr.retries import BURST, Attempts, RetryBudget
from ncr_exporter.simulator.faults import fault_named
from tests.support.api_client import tag
from tests.support.polling import Polling, naming, polling_of

IMAGES = [f"app-{number}" for number in range(20)]


def fleet() -> dict[str, list[dict[str, Any]]]:
    return {name: [tag("v1")] for name in IMAGES}


def spend(budget: RetryBudget) -> int:
    """Return how many retries are left, and take them all."""
    taken = 0
    while budget.take():
        taken += 1
    return taken


def test_a_burst_is_at_hand_and_a_tenth_of_what_goes_well_is_earned() -> None:
    budget = RetryBudget()
    assert spend(budget) == BURST
    for _ in range(35):
        budget.earn()
    assert spend(budget) == 3
    for _ in range(5):
        budget.earn()
    assert spend(budget) == 1, "what was half earned is kept"


def test_good_times_earn_no_more_than_the_burst() -> None:
    budget = RetryBudget()
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
    budget = RetryBudget()
    attempts = Attempts(budget)
    while attempts.pause(error, signed_off=False, patient=False) is not None:
        retries -= 1
    assert retries == 0


def test_signing_again_costs_nothing_and_comes_once_a_request() -> None:
    budget = RetryBudget()
    spend(budget)
    attempts = Attempts(budget)
    refused = AuthenticationError("")
    assert attempts.pause(refused, signed_off=True, patient=False) == 0
    assert attempts.pause(refused, signed_off=True, patient=False) is None


@pytest.mark.parametrize("fault", ["unavailable", "reset", "half"])
async def test_in_an_outage_the_load_is_that_of_the_polls_alone(fault: str) -> None:
    async with polling_of(images=fleet()) as polling:
        await polling.first_round(naming(*IMAGES))
        requests, polls = len(polling.tag_requests), polls_of(polling)
        polling.registry.fault = fault_named(fault)
        await polling.intervals(4)
        without_retries = polls_of(polling) - polls
        assert without_retries > 4 * len(IMAGES), "asked again after a fifth of the interval"
        load = len(polling.tag_requests) - requests
        assert without_retries <= load <= without_retries + BURST


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
