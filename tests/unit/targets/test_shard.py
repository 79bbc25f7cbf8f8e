"""Several exporters share the images: each has one owner, and one more moves few of them."""

from collections import Counter
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.cli.flags import UsageError
from ncr_exporter.cli.serve import chosen_shard
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Shard, shard_of
from tests.support.api_client import Fleet, tag
from tests.support.expositions import Key, samples_of
from tests.support.polling import polling_of
from tests.support.states import list_target_of, registry_target, rule

IMAGES = [("my-registry", f"team-{i % 40}/app-{i}") for i in range(2000)]
names = st.text(min_size=1, max_size=20)


@given(names, names, st.integers(1, 30))
def test_every_image_has_exactly_one_owner(registry: str, image: str, total: int) -> None:
    assert sum(Shard(index, total).owns(registry, image) for index in range(total)) == 1


def test_one_exporter_alone_owns_everything() -> None:
    assert all(Shard().owns(*key) for key in IMAGES)


def test_registry_and_image_are_not_run_together() -> None:
    assert shard_of(("ab", "c"), 1000) != shard_of(("a", "bc"), 1000)


def owners_of(total: int) -> dict[tuple[str, str], int]:
    return {key: shard_of(key, total) for key in IMAGES}


@pytest.mark.parametrize("total", [1, 2, 5, 10])
def test_one_shard_more_takes_its_share_from_the_others_and_moves_nothing_else(total: int) -> None:
    before, after = owners_of(total), owners_of(total + 1)
    moved = [key for key in IMAGES if before[key] != after[key]]
    assert all(after[key] == total for key in moved), "only to the new shard"
    assert len(moved) / len(IMAGES) == pytest.approx(1 / (total + 1), rel=0.2)


async def test_the_union_of_the_shards_is_the_unsharded_output() -> None:
    whole = await published(Shard())
    shards = [await published(Shard(index, 3)) for index in range(3)]
    assert sum(map(len, shards)) == len(whole), "no series comes from two of them"
    union = {key: value for shard in shards for key, value in shard.items()}
    assert _without_durations(union) == _without_durations(whole)
    assert all(len(shard) > len(whole) / 10 for shard in shards)


async def published(shard: Shard) -> dict[Key, float]:
    """Return what an exporter with this shard publishes of three registries."""
    content = {
        name: {f"app-{i}": [tag("v1"), tag(f"v{i}")] for i in range(12)} for name in ("a", "b", "c")
    }
    every = registry_target("*", rules=(rule("*", platform_series=True),))
    async with polling_of(source=Fleet(**content), shard=shard) as polling:
        await polling.first_round(list_target_of(every=every))
        now = polling.clock.time()
        text = b"".join(polling.exposition.snapshot.text(now, openmetrics=False))
    return samples_of(text.decode())


def _without_durations(samples: dict[Key, float]) -> dict[Key, float | None]:
    """Leave out what depends on when and how quickly something was asked."""
    moving = ("duration", "last_success", "age")
    return {
        key: None if any(word in str(key) for word in moving) else value
        for key, value in samples.items()
    }


def test_100_000_images_over_20_shards_stay_within_what_docs_scaling_says() -> None:
    """The figures of docs/scaling.md: hourly polls, 2 pages a list, 50 registries."""
    images = [(f"registry-{i % 50}", f"team-{i % 997}/app-{i}") for i in range(100_000)]
    held = Counter(shard_of(key, 20) for key in images)
    assert min(held.values()) > 0.95 * mean(held.values())
    assert max(held.values()) < 1.05 * mean(held.values())
    budget = Budget(limit=5.0)
    for number in range(max(held.values())):
        budget.plan(number, "account", 3600.0, requests=2)
    for number in range(50):
        budget.plan(("image list", number), "account", 3600.0, requests=20)
    budget.plan("registry list", "account", 3600.0)
    assert budget.planned("account") == pytest.approx(3.1, abs=0.1)
    assert budget.stretch("account") == 1


# Which shard this is


@pytest.mark.parametrize(
    ("shard", "total", "environ", "expected"),
    [
        (None, 1, {}, Shard(0, 1)),
        ("0", 1, {}, Shard(0, 1)),
        ("2", 3, {}, Shard(2, 3)),
        ("auto", 3, {"POD_NAME": "ncr-exporter-2"}, Shard(2, 3)),
        ("auto", 30, {"HOSTNAME": "ncr-exporter-12"}, Shard(12, 30)),
        ("auto", 3, {"POD_NAME": "a-1", "HOSTNAME": "b-2"}, Shard(1, 3)),
    ],
)
def test_the_flags_name_a_shard(
    shard: str | None, total: int, environ: dict[str, str], expected: Shard
) -> None:
    assert chosen_shard(shard, total, environ) == expected


@pytest.mark.parametrize(
    ("shard", "total", "environ", "said"),
    [
        (None, 3, {}, "--total-shards needs --shard"),
        ("3", 3, {}, "3 is not below --total-shards, 3"),
        ("-1", 3, {}, "must be a number from 0, or auto, not '-1'"),
        ("one", 3, {}, "must be a number from 0, or auto, not 'one'"),
        ("٢", 3, {}, "must be a number from 0"),
        ("1234567", 3, {}, "must be a number from 0"),
        ("auto", 3, {}, "the pod name '' does not end in an ordinal"),
        ("auto", 3, {"HOSTNAME": "laptop"}, "the pod name 'laptop' does not end in an ordinal"),
        ("auto", 3, {"POD_NAME": "ncr-exporter-7"}, "7 is not below --total-shards, 3"),
    ],
)
def test_flags_that_name_no_shard_are_refused(
    shard: str | None, total: int, environ: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        chosen_shard(shard, total, environ)
    assert said in str(caught.value)
