"""Requests per second that the plan needs, against what an account may send."""

import pytest

from ncr_exporter.targets.budget import Budget


def test_each_job_needs_its_requests_once_per_interval() -> None:
    budget = Budget(5.0)
    budget.plan("a", "account", 10.0)
    budget.plan("b", "account", 100.0, requests=4)
    assert budget.planned("account") == pytest.approx(0.14)


def test_planning_a_job_again_replaces_its_plan() -> None:
    budget = Budget(5.0)
    for requests in (1, 7, 2):
        budget.plan("a", "account", 10.0, requests)
    assert budget.planned("account") == pytest.approx(0.2)


def test_a_job_that_ended_needs_nothing() -> None:
    budget = Budget(5.0)
    budget.plan("a", "account", 10.0)
    budget.drop("a")
    budget.drop("a")
    assert budget.planned("account") == 0


def test_accounts_have_budgets_of_their_own() -> None:
    budget = Budget(1.0)
    budget.plan("a", "one", 0.25)
    budget.plan("b", "two", 10.0)
    assert (budget.stretch("one"), budget.stretch("two"), budget.stretch("none")) == (4, 1, 1)


def test_many_changes_leave_no_remainder() -> None:
    budget = Budget(1.0)
    for job in range(1000):
        budget.plan(job, "account", 0.7 + job / 7)
    for job in range(1000):
        budget.drop(job)
    assert budget.planned("account") == 0
