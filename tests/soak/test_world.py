"""The world of a soak knows what is there, and when a deleted image must have left."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ncr_exporter.config import Api
from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.errors import ApiError, AuthenticationError
from ncr_exporter.ncr.paths import RegistryPath
from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY
from tests.soak.plan import IMAGES, TAGS, Calm, Change, Spell
from tests.soak.settings import PAGE_SIZE
from tests.soak.world import LISTS_ALLOWED, World
from tests.support.api_client import REGISTRY, client_of, keys

ALPHA = RegistryPath("alpha", "alpha", REGISTRY.region)
DEAD = ("alpha", "app-0")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "secret")


@pytest.fixture
async def client(world: World, tmp_path: Path) -> AsyncIterator[Client]:
    api = Api(requests_per_second=10_000, page_size=PAGE_SIZE)
    key = keys({DEMO_ACCESS_KEY: (tmp_path / "secret").read_text()})
    async with world.serving() as url, client_of(url, api=api, credentials=key) as (it, _):
        yield it


async def test_it_lists_what_is_born_and_no_longer_what_is_dead(
    world: World, client: Client
) -> None:
    born = ("alpha", "app-new")
    world.apply(Change(born=born, dead=DEAD, tagged=(born,)))
    names = {image.name for image in (await client.images(ALPHA)).records}
    assert "app-new" in names
    assert "app-0" not in names
    assert len(names) == IMAGES
    assert len((await client.tags(ALPHA, "app-new")).records) == TAGS
    assert world.truth({"alpha": "app-new"}) == {born: TAGS}


async def test_an_image_is_overdue_once_so_many_whole_lists_lack_it(
    world: World, client: Client
) -> None:
    await client.images(ALPHA)
    world.apply(Change(dead=DEAD))
    later = time.time() + 60
    for _ in range(LISTS_ALLOWED):
        assert not world.overdue(DEAD, later)
        await client.images(ALPHA)
    assert world.overdue(DEAD, later)
    assert not world.overdue(DEAD, time.time()), "the exporter may take a moment"
    assert not world.overdue(("alpha", "app-2"), later)


async def test_a_list_that_met_a_fault_on_any_page_does_not_count(
    world: World, client: Client
) -> None:
    world.apply(Change(dead=DEAD))
    for _ in range(LISTS_ALLOWED):
        world.apply(Spell("missing-500", "page=2"))
        with pytest.raises(ApiError):
            await client.images(ALPHA)
        world.apply(Calm())
    assert not world.overdue(DEAD, time.time() + 60)


async def test_a_rotated_key_is_handed_out_when_the_spell_is_over(
    world: World, client: Client, tmp_path: Path
) -> None:
    before = (tmp_path / "secret").read_text()
    world.apply(Spell("rotated-key"))
    with pytest.raises(AuthenticationError):
        await client.images(ALPHA)
    world.apply(Calm())
    assert (tmp_path / "secret").read_text() != before
