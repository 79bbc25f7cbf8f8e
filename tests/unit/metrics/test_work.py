"""How much is done, counted and not timed: what did not change is neither decoded nor rendered."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from structlog.typing import EventDict

from ncr_exporter.inventory import Tag
from ncr_exporter.metrics import rendering
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.metrics.families import RENDERED_FAMILIES
from ncr_exporter.metrics.families.family import Family, StateFamily
from ncr_exporter.ncr.listing import Listing, PageReader
from ncr_exporter.ncr.pages import ListedImage, decode_page
from ncr_exporter.runtime.cooperative import BackgroundTask, exhaust, run_cooperatively
from ncr_exporter.state.store import Store
from tests.support.api_client import tag
from tests.support.states import NOW, NOW_MS, registry_target, target

POLLED = len([family for family in RENDERED_FAMILIES if isinstance(family, StateFamily)])
"""Families that follow from how polling goes."""


class Counted:
    """An exporter's state, and the families that were rendered of its images."""

    def __init__(self, images: int) -> None:
        self.exposition = Exposition()
        self.store = Store(self.exposition)
        self.store.add_registry(registry_target())
        for number in range(images):
            self.store.add(target(f"app-{number}"))
        self.names: list[str] = []

    def poll(self, image: str, tags: tuple[Tag, ...], at: float = NOW) -> None:
        self.store.commit(target(image), tags, at=at, duration=0.5)

    def rendered(self) -> list[str]:
        """Return what the next scrape had to render."""
        exhaust(self.exposition.render_changes())
        names, self.names[:] = list(self.names), []
        return names


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    it = Counted(images=50)

    def noted(render: Callable[..., bytes]) -> Callable[..., bytes]:
        def noting(family: Family, *rest: Any) -> bytes:
            it.names += [family.name] if family in RENDERED_FAMILIES else []
            return render(family, *rest)

        return noting

    for work in ("_state_block", "_summary_block"):
        monkeypatch.setattr(rendering, work, noted(getattr(rendering, work)))
    for number in range(50):
        it.poll(f"app-{number}", tags_of(5))
    it.rendered()
    return it


def page(count: int, **changed: Any) -> bytes:
    records = [tag(f"v{number}") for number in range(count)]
    records[0].update(changed)
    return json.dumps({"count": count, "next": None, "results": records}).encode()


def tags_of(count: int, **changed: Any) -> tuple[Tag, ...]:
    return tuple(decode_page("tag_list", page(count, **changed), NOW_MS).records)


def test_a_scrape_after_nothing_changed_renders_nothing(counted: Counted) -> None:
    edition = counted.exposition.snapshot
    assert counted.rendered() == []
    assert counted.exposition.snapshot is edition


def test_a_poll_that_finds_the_same_renders_only_how_polling_goes(counted: Counted) -> None:
    counted.poll("app-7", tags_of(5), at=NOW + 900)
    assert len(counted.rendered()) == POLLED
    counted.poll("app-7", tags_of(5, full_size=7), at=NOW + 1800)
    assert len(counted.rendered()) == len(RENDERED_FAMILIES), "one image alone"


def test_an_image_that_changed_several_times_is_rendered_once(counted: Counted) -> None:
    for poll in range(10):
        counted.poll("app-7", tags_of(5), at=NOW + 900 * poll)
    assert len(counted.rendered()) == POLLED


def test_an_image_list_judges_and_renders_only_what_it_says_anew(counted: Counted) -> None:
    listed = {f"app-{number}": ListedImage(f"app-{number}", 7) for number in range(50)}
    exhaust(counted.store.record_image_list("my-registry", listed, at=NOW))
    assert len(counted.rendered()) == 50 * POLLED
    before = dict(counted.store.images)
    exhaust(counted.store.record_image_list("my-registry", listed, at=NOW + 900))
    assert counted.rendered() == []
    listed["app-3"] = ListedImage("app-3", 8)
    exhaust(counted.store.record_image_list("my-registry", listed, at=NOW + 1800))
    assert len(counted.rendered()) == POLLED
    after = counted.store.images
    assert all(after[key].image is state.image for key, state in before.items()), "judged anew"


def test_a_page_with_the_same_bytes_is_not_decoded_again() -> None:
    decoded = 0

    def now_ms() -> float:
        """Only what is decoded asks for the time."""
        nonlocal decoded
        decoded += 1
        return NOW_MS

    def read(body: bytes, before: Listing[Tag] | None) -> Listing[Tag]:
        reader = PageReader("tag_list", now_ms, before)
        reader.add_page(body)
        return reader.listing(requests=1)

    first = read(page(100), None)
    assert read(page(100), first) is first
    assert decoded == 1
    assert read(page(100, full_size=7), first) is not first
    assert decoded == 2


def test_rendering_holds_nobody_up_for_more_than_a_few_images(counted: Counted) -> None:
    for number in range(50):
        counted.poll(f"app-{number}", tags_of(6))
    steps = []
    for _ in counted.exposition.render_changes():
        steps.append(len(counted.names))
        counted.names.clear()
    steps.append(len(counted.names))
    assert max(steps) <= 10 * len(RENDERED_FAMILIES), "some 45 lines each"
    assert sum(steps) == 50 * len(RENDERED_FAMILIES)


async def test_what_changes_is_rendered_in_the_background_with_turns_for_others(
    counted: Counted,
) -> None:
    counted.exposition.on_change = BackgroundTask(counted.exposition.render_changes).wake
    for number in range(50):
        counted.poll(f"app-{number}", tags_of(6))
    turns = 0
    async with asyncio.timeout(10):
        while len(counted.names) < 50 * len(RENDERED_FAMILIES):
            await asyncio.sleep(0)
            turns += 1
        counted.poll("app-7", tags_of(7))
        while len(counted.names) < 51 * len(RENDERED_FAMILIES):
            await asyncio.sleep(0)
    assert turns > 5


def test_a_scrape_does_not_wait_for_what_changes_while_it_renders(counted: Counted) -> None:
    """In a start images change faster than they are rendered: it would wait for all of them."""
    for number in range(50):
        counted.poll(f"app-{number}", tags_of(6))
    for number, _ in enumerate(counted.exposition.render_changes_so_far()):
        counted.store.add(target(f"other-{number}"))
        counted.poll(f"other-{number}", tags_of(6))
    text = b"".join(counted.exposition.rendered.text(NOW, openmetrics=False)).decode()
    assert text.count("\nncr_image_tags{") == 50
    text = b"".join(counted.exposition.snapshot.text(NOW, openmetrics=False)).decode()
    assert text.count("\nncr_image_tags{") > 53, "the next one has them"


async def test_a_scrape_renders_what_the_background_has_not_yet(counted: Counted) -> None:
    counted.poll("app-7", tags_of(9))
    await run_cooperatively(counted.exposition.render_changes())
    counted.names.clear()
    assert counted.rendered() == []
    text = b"".join(counted.exposition.snapshot.text(NOW, openmetrics=False)).decode()
    assert 'ncr_image_tags{registry="my-registry",image="app-7"} 9\n' in text


def test_an_image_that_leaves_or_changes_while_it_is_rendered_is_not_published_as_it_was(
    counted: Counted,
) -> None:
    for key in ("app-1", "app-2"):
        policy = target(key, tag_series=None)
        counted.store.retarget(policy)
        counted.poll(key, tags_of(1000))
    steps = counted.exposition.render_changes()
    next(steps)
    counted.store.remove(("my-registry", "app-1"))
    counted.poll("app-2", tags_of(3))
    for _ in steps:
        pass
    text = b"".join(counted.exposition.snapshot.text(NOW, openmetrics=False)).decode()
    assert 'image="app-1"' not in text
    assert 'ncr_image_tags{registry="my-registry",image="app-2"} 3\n' in text


def test_an_image_that_cannot_be_rendered_costs_no_other(
    counted: Counted, logs: list[EventDict]
) -> None:
    counted.store.add(target("no-\ud800-text"))
    counted.poll("app-7", tags_of(9))
    text = b"".join(counted.exposition.snapshot.text(NOW, openmetrics=False)).decode()
    assert 'ncr_image_tags{registry="my-registry",image="app-7"} 9\n' in text
    assert [line["event"] for line in logs] == ["image cannot be published"]
