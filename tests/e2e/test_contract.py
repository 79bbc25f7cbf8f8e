"""Every family that follows from data: live output against an independent computation, whole.

Not only must each value agree: no sample may be missing, and none may be there beside them.
"""

import itertools
import time

import pytest

from ncr_exporter.app.serve import exporter
from ncr_exporter.config import parse
from ncr_exporter.metrics.families import SECTIONS
from ncr_exporter.ncr.versions import VERSIONS
from tests.oracle.computation import (
    DAY_MS,
    Json,
    Rules,
    busy_image,
    expected_image,
    expected_limits,
    expected_staleness,
    expected_tags,
)
from tests.support.api_client import Fleet, simulated
from tests.support.exporter import HERE, listening
from tests.support.expositions import Key, samples_of

CONFIG = """
api: {{base_url: "{url}", requests_per_second: 1000, version: {version}}}
credentials: {{access_key: DEMOACCESSKEY, secret_key: demo-secret-key}}
defaults:
  stale_after: 400d
  keep_recent: 5
  keep_tags: [1.20.*]
  tag_size_limit: 150MB
  tags_limit: 300
  tag_series: 25
  platform_series: true
  ignore_tags: [alias-6]
  immutable_tags: ["1.*"]
  owner: 팀 하나
registries: [{{name: "*"}}]
"""
RULES = Rules(
    stale_after_ms=400 * DAY_MS,
    keep_recent=5,
    keep_tags={f"1.20.{n}" for n in range(10)},
    tag_size_limit=150_000_000,
    tags_limit=300,
    tag_series=25,
    ignore_tags=frozenset({"alias-6"}),
)
DATA = {family.name: family for group in ("Per image", "Per tag") for family in SECTIONS[group]}
AGE = "ncr_image_last_pulled_age_seconds"


def expected(fleet: Fleet, now_ms: int) -> dict[Key, float]:
    found: dict[Key, float] = {}
    for registry, images in fleet.content.items():
        for image, tags in images.items():
            common = (("image", image), ("registry", registry))
            values = {
                **expected_image(tags, RULES),
                **expected_limits(tags, RULES),
                **expected_staleness(tags, now_ms, RULES),
            }
            values["ncr_image_pulls_total"] = sum(
                record["latest_pulled"] > 0 for tag in tags for record in tag["images"]
            )
            values["ncr_image_overwritten_tags_total"] = 0
            found.update({(name, common): value for name, value in values.items()})
            found["ncr_image_info", tuple(sorted((*common, ("owner", "팀 하나"))))] = 1
            for (name, labels), value in expected_tags(tags, now_ms, RULES).items():
                names = DATA[name].labels[2:]
                key = tuple(sorted((*common, *zip(names, labels, strict=True))))
                found[name, key] = value
    return found


async def live(fleet: Fleet, version: str) -> dict[Key, float]:
    """Return what an exporter publishes that has polled all of these registries once."""
    async with simulated(fleet) as (registry, url):
        config = parse(CONFIG.format(url=url, version=version), "test.yml", {})
        async with exporter(config, HERE) as running, listening(registry, running) as it:
            await it.ready()
            return samples_of(await it.text())


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_family_about_images_and_tags_holds_what_a_second_computation_finds(
    version: str,
) -> None:
    now_ms = round(time.time() * 1000)
    seeds = itertools.count(1)
    content: dict[str, dict[str, list[Json]]] = {
        registry: {image: busy_image(now_ms, size, next(seeds)) for image, size in images.items()}
        for registry, images in {"one": {"a": 385, "b/c": 40}, "two": {"a": 120}}.items()
    }
    published = await live(Fleet(**content), version)
    found = {key: value for key, value in published.items() if key[0] in DATA}
    ages = {key[1]: value for key, value in found.items() if key[0] == AGE}
    found = {key: value for key, value in found.items() if key[0] != AGE}
    wanted = expected(Fleet(**content), now_ms)
    assert {key[0] for key in wanted} == set(DATA) - {AGE}, "every family has a value to compare"
    assert set(found) == set(wanted)
    assert found == {key: pytest.approx(value, abs=0.0005) for key, value in wanted.items()}
    for labels, age in ages.items():
        pulled = wanted["ncr_image_last_pulled_timestamp_seconds", labels]
        assert age == pytest.approx(time.time() - pulled, abs=30)
    assert len(ages) == 3


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_family_about_registries_and_polling_holds_what_the_fleet_is(
    version: str,
) -> None:
    now = time.time()
    tags = busy_image(round(now * 1000), 20, 1)
    fleet = Fleet(one={"a": tags, "b": tags}, two={"a": tags})
    fleet.public.add("two")
    found = await live(fleet, version)
    for registry, images, public in (("one", 2, 0), ("two", 1, 1)):
        of_registry = (("registry", registry),)
        assert found["ncr_registry_up", of_registry] == 1
        assert found["ncr_registry_images", of_registry] == images
        assert found["ncr_registry_public", of_registry] == public
        assert found["ncr_registry_scan_on_push", of_registry] == 0
        success = found["ncr_registry_last_success_timestamp_seconds", of_registry]
        assert success == pytest.approx(now, abs=30)
        info = (("region", "kr"), ("registry", registry), ("zone", "public"))
        assert found["ncr_registry_info", info] == 1
        host = (
            ("access", "public"),
            ("endpoint", "public"),
            ("host", f"{registry}.kr.ncr.ntruss.com"),
        )
        assert found["ncr_registry_host_info", tuple(sorted((*host, *of_registry)))] == 1
        hosts = [key for key in found if key[0] == "ncr_registry_host_info"]
        assert sum(("registry", registry) in labels for _, labels in hosts) == 2
    for image in (("one", "a"), ("one", "b"), ("two", "a")):
        labels = (("image", image[1]), ("registry", image[0]))
        assert found["ncr_image_up", labels] == found["ncr_image_present", labels] == 1
        assert found["ncr_image_polls_total", labels] == 1
        assert found["ncr_image_poll_failures_total", labels] == 0
        assert found["ncr_image_poll_interval_seconds", labels] == 900
        assert 0 < found["ncr_image_poll_duration_seconds", labels] < 30
        success = found["ncr_image_last_success_timestamp_seconds", labels]
        assert success == pytest.approx(now, abs=30)
