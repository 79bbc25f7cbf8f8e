"""Tags that must not change, and whose an image is."""

from pathlib import Path

from structlog.typing import EventDict

from ncr_exporter.state.persistence import StatePersister
from tests.support.api_client import tag
from tests.support.clock import ManualClock
from tests.support.polling import Polling, choosing, polling_of, published_of
from tests.support.states import rule

RELEASES = choosing(rule("*", immutable_tags=("v*",)))


def release(name: str, digest: str) -> dict[str, object]:
    platform = {**tag(name)["images"][0], "digest": digest}
    return tag(name, digest=digest, images=[platform])


async def test_a_release_that_is_pushed_again_is_counted_and_said(logs: list[EventDict]) -> None:
    async with polling_of(images={"app": [release("v1", "sha256:a1"), tag("edge")]}) as polling:
        await polling.first_round(RELEASES)
        assert published_of(polling, "app")["ncr_image_overwritten_tags_total"] == 0
        polling.images["app"][:] = [release("v1", "sha256:b2"), release("edge", "sha256:c3")]
        await polling.intervals(2)
        assert published_of(polling, "app")["ncr_image_overwritten_tags_total"] == 1
    told = [entry for entry in logs if entry["event"] == "immutable tag was overwritten"]
    assert [(entry["tag"], entry["digest_before"], entry["digest"]) for entry in told] == [
        ("v1", "sha256:a1", "sha256:b2")
    ]


async def test_a_release_overwritten_while_the_exporter_was_away_counts(tmp_path: Path) -> None:
    images = {"app": [release("v1", "sha256:a1")]}
    async with polling_of(images=images) as before:
        await before.first_round(RELEASES)
        before.images["app"][:] = [release("v1", "sha256:b2")]
        await before.intervals(2)
        await StatePersister(tmp_path, before.clock).write(before.store)
    clock = ManualClock(before.clock.time() + 60)
    saved = StatePersister(tmp_path, clock).read()
    again = {"app": [release("v1", "sha256:c3")]}
    async with polling_of(saved=saved, clock=clock, images=again) as polling:
        await polling.poller.apply([RELEASES])
        assert published_of(polling, "app")["ncr_image_overwritten_tags_total"] == 1
        await polling.polled(1)
        assert published_of(polling, "app")["ncr_image_overwritten_tags_total"] == 2


async def test_without_immutable_tags_there_is_no_counter(polling: Polling) -> None:
    await polling.first_round(choosing(rule("*")))
    assert "ncr_image_overwritten_tags_total" not in published_of(polling, "app")


async def test_whose_an_image_is_follows_a_reload(polling: Polling) -> None:
    await polling.first_round(choosing(rule("*", owner="shop")))
    assert published_of(polling, "app")["ncr_image_info"] == 1
    text = b"".join(polling.exposition.snapshot.text(None, openmetrics=False)).decode()
    assert 'ncr_image_info{registry="my-registry",image="app",owner="shop"} 1' in text
    await polling.poller.apply([choosing(rule("*"))])
    assert "ncr_image_info" not in published_of(polling, "app")
