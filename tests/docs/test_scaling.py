"""docs/scaling.md names figures for accounts that nobody here has: each is worked out again."""

from pathlib import Path

import pytest

from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Timing

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "scaling.md").read_text()
QUARTER, HOUR, DAY = 900.0, 3600.0, 86_400.0


def cells(label: str) -> list[str]:
    """Return the cells after the first of the table row with this label."""
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| {label} |"))
    return [cell.strip() for cell in row.strip("|").split("|")[1:]]


def planned(images: int, active: int, timing: Timing, lists: int) -> float:
    """Return the requests a second of images of one page, `active` of which change, and lists."""
    budget = Budget(1e9)
    budget.plan("lists", "account", timing.interval, lists)
    budget.plan("unchanged", "account", timing.longest, images - active)
    budget.plan("changed", "account", timing.interval, active)
    return budget.planned("account")


@pytest.mark.parametrize(
    ("label", "active", "relist_after"),
    [
        ("without `relist_after`", 0, None),
        ("with `relist_after: 24h`, nothing changes", 0, DAY),
        ("with it, and 2 % of the images pulled in each interval", 40, DAY),
    ],
)
def test_what_relist_after_saves(label: str, active: int, relist_after: float | None) -> None:
    timing = Timing(QUARTER, 3 * DAY, relist_after)
    requests = planned(2000, active, timing, lists=20)
    assert cells(label) == [f"{float(f'{requests:.2g}'):g}" if requests < 1 else f"{requests:.1f}"]


MILLION, SHARDS, REGISTRIES = 1_000_000, 10, 500
TIMING = Timing(HOUR, 3 * DAY, DAY)


@pytest.mark.parametrize(("column", "page"), [(0, 100), (1, 1000)])
def test_a_million_images_over_ten_shards(column: int, page: int) -> None:
    each, images = MILLION // REGISTRIES, MILLION // SHARDS
    lists = REGISTRIES * -(-each // page) + -(-REGISTRIES // page)
    alone = planned(0, 0, TIMING, lists)
    quiet, busy = planned(images, 0, TIMING, lists), planned(images, images // 50, TIMING, lists)
    for label, requests in (
        ("requests a second for image lists", alone),
        ("in all, nothing changes", quiet),
        ("in all, 2 % of the images pulled an hour", busy),
        ("of the account, all shards", busy * SHARDS),
    ):
        assert cells(label)[column] == f"{requests:.1f}", label
    first_round = (images + lists) / 5 / HOUR
    assert cells("first round at 5 requests a second")[column] == f"{first_round:.1f} hours"
