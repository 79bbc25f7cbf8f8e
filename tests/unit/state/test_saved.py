"""States as frames, and frames as what they were: checked like an answer of the API."""

import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.inventory import Platform, Tag, TagList
from ncr_exporter.state.frames import image_frame, registry_frame
from ncr_exporter.state.model import Description
from ncr_exporter.state.saved import SavedImage, SavedState
from ncr_exporter.targets.targets import Coverage, ImageTarget, Shard, Timing
from tests.support.states import (
    NOW,
    NOW_MS,
    list_target_of,
    read_frames,
    recorder,
    registry_target,
    rule,
    sample_tags,
    target,
)

REGISTRY = registry_target()
APP = target("app")
DAY = 86_400.0


def frame_of(tags: tuple[Tag, ...], pull_count: int | None = 7) -> bytes:
    store, _ = recorder()
    store.restore(APP, SavedImage(TagList.of(tags), NOW, pull_count, overwritten=3))
    frame = image_frame(store.images[APP.key])
    assert frame is not None
    return frame


def saved_of(frame: bytes, now: float = NOW) -> SavedState:
    return read_frames([frame], now)


def changed(frame: bytes, **fields: Any) -> bytes:
    return msgspec.msgpack.encode({**msgspec.msgpack.decode(frame), **fields})


def test_an_image_comes_back_as_it_was() -> None:
    saved = saved_of(frame_of(sample_tags()))
    assert saved.images == {
        REGISTRY.identity: {"app": SavedImage(TagList.of(sample_tags()), NOW, 7, overwritten=3)}
    }
    assert saved.refused == 0


moments = st.none() | st.integers(946_684_800_000, NOW_MS)
sizes = st.none() | st.integers(0, 2**53)
words = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20)
platforms = st.builds(
    Platform,
    digest=st.none()
    | words.filter(bool).filter(lambda word: not word.startswith("sha256:sha256:")),
    os=words,
    architecture=words,
    variant=words,
    size=sizes,
    pulled=moments | st.just(0),
    updated=moments,
)
tags = st.builds(
    Tag,
    name=words.filter(lambda word: word not in {"", ".", ".."}),
    digest=st.none() | st.just("sha256:ab"),
    full_size=sizes,
    last_updated=moments,
    platforms=st.lists(platforms, max_size=3).map(tuple),
)


@given(st.lists(tags, max_size=5, unique_by=lambda tag: tag.name).map(tuple), sizes)
def test_any_listing_comes_back_as_it_was(listing: tuple[Tag, ...], pulls: int | None) -> None:
    saved = saved_of(frame_of(listing, pulls))
    assert saved.images[REGISTRY.identity]["app"] == SavedImage(
        TagList.of(listing), NOW, pulls, overwritten=3
    )


def test_a_long_listing_comes_back_whole() -> None:
    many = tuple(Tag(f"v{number}", platforms=(Platform(),) * 3) for number in range(2500))
    saved = saved_of(frame_of(many))
    assert saved.refused == 0
    (kept,) = saved.images[REGISTRY.identity].values()
    assert len(kept.tags.chunks) == 10, "250 tags of 3 platforms are 1,000 records"
    assert kept.tags == TagList.of(many)


def test_an_image_that_stands_there_twice_counts_once() -> None:
    saved = read_frames([frame_of(sample_tags()), frame_of(())], NOW)
    assert saved.images[REGISTRY.identity]["app"].tags == TagList.of(sample_tags())
    assert saved.refused == 1


def test_what_the_configuration_does_not_cover_is_left_out_and_the_rest_evaluated() -> None:
    registry = registry_target(rules=(rule("app"),))
    coverage = Coverage([list_target_of(registry)], Shard())
    store, _ = recorder()
    for name in ("app", "web"):
        store.restore(target(name), SavedImage(TagList.of(sample_tags()), NOW, 7))
    frames = filter(None, map(image_frame, store.images.values()))
    saved = read_frames(frames, NOW, coverage)
    assert list(saved.images[REGISTRY.identity]) == ["app"]
    again, _ = recorder()
    again.add_registry(registry)
    again.record_that_pulls_show(registry.label)
    kept = saved.image(target("app"), NOW)
    assert kept is not None
    assert kept.evaluation is not None
    again.restore(target("app"), kept)
    assert again.images[APP.key].image is kept.evaluation.image, "it is not evaluated again"


def test_what_was_never_listed_or_is_gone_is_not_kept() -> None:
    store, _ = recorder()
    store.add(APP)
    assert image_frame(store.images[APP.key]) is None


def test_a_registry_comes_back_as_it_was() -> None:
    store, _ = recorder()
    found = registry_target(found_by="*")
    store.add_registry(found)
    hosts = (("my-registry.kr.ncr.ntruss.com", "public"), ("ab.example", "private"))
    store.restore_registry("my-registry", at=NOW, images=3)
    store.record_description(
        "my-registry", Description(NOW - 7, hosts, public=True, scan_on_push=False)
    )
    frame = registry_frame(store.registries["my-registry"])
    assert frame is not None
    saved = saved_of(frame)
    registry = saved.registry(found, NOW)
    assert registry is not None
    assert (registry.at, registry.images) == (NOW, 3)
    assert saved.description(found, NOW) == Description(
        NOW - 7, hosts, public=True, scan_on_push=False
    )
    assert saved.description(found, NOW + DAY - 7) is None
    assert list(saved.found_by(list_target_of(every=registry_target("*")))) == ["my-registry"]
    other = registry_target("*", region="jpn")
    assert list(saved.found_by(list_target_of(every=other))) == []


def test_a_host_that_stands_there_twice_is_one_host() -> None:
    """Two equal samples would cost the whole scrape."""
    store, _ = recorder()
    store.add_registry(REGISTRY)
    store.restore_registry("my-registry", at=NOW, images=3)
    store.record_description(
        "my-registry", Description(NOW, (("a.example", "public"),) * 2, public=None)
    )
    frame = registry_frame(store.registries["my-registry"])
    assert frame is not None
    said = saved_of(frame).description(REGISTRY, NOW)
    assert said is not None
    assert said.hosts == (("a.example", "public"),)


def test_a_description_of_the_future_is_left_out_alone() -> None:
    store, _ = recorder()
    store.add_registry(REGISTRY)
    store.restore_registry("my-registry", at=NOW, images=3)
    store.record_description("my-registry", Description(NOW + DAY, (), public=True))
    frame = registry_frame(store.registries["my-registry"])
    assert frame is not None
    assert saved_of(frame).description(REGISTRY, NOW) is None
    assert saved_of(frame).registry(REGISTRY, NOW) is not None


def test_what_stands_for_every_registry_is_not_kept() -> None:
    store, _ = recorder()
    store.add_registry(registry_target("*"))
    store.record_registry_list_success("*", at=NOW)
    assert registry_frame(store.registries["*"]) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"at": NOW + 10 * DAY},
        {"at": "yesterday"},
        {"at": None},
        {"tags": None},
        {"tags": b"html"},
        {"tags": [b"html"]},
        {"tags": [zlib.compress(b"")]},
        {"tags": [zlib.compress(b"html")]},
        {"tags": [TagList.of(sample_tags()).chunks[0][:-1]]},
        {"tags": [TagList.of(sample_tags()).chunks[0] + b"x"]},
        {"tags": TagList.of(sample_tags()).chunks * 2},
        {"image": ""},
        {"image": "a\nb"},
        {"image": 7},
        {"type": "tag"},
        {"registry": "my-registry"},
        {"pull_count": "many"},
    ],
)
def test_a_frame_that_no_answer_could_be_is_left_out_and_counted(fields: dict[str, Any]) -> None:
    saved = saved_of(changed(frame_of(sample_tags()), **fields))
    assert (saved.images.get(REGISTRY.identity, {}), saved.refused) == ({}, 1)


@pytest.mark.parametrize("name", ["", "..", "a\nb"])
def test_a_registry_whose_name_no_answer_could_have_is_left_out(name: str) -> None:
    frame = msgspec.msgpack.decode(frame_of(sample_tags()))
    for field in ("name", "label"):
        bad = changed(frame_of(sample_tags()), registry={**frame["registry"], field: name})
        assert (saved_of(bad).images, saved_of(bad).refused) == ({}, 1)


NO_TAGS_OF_THE_API = {
    "no name": Tag(""),
    "a directory's name": Tag(".."),
    "a frame break": Tag("v1\n"),
    "a long name": Tag("x" * 513),
    "an empty digest": Tag("v1", ""),
    "a digest with its prefix twice": Tag("v1", "sha256:sha256:ab"),
    "a size below 0": Tag("v1", full_size=-5),
    "a size that no float holds": Tag("v1", full_size=2**53 + 1),
    "a time in the future": Tag("v1", last_updated=NOW_MS + 9 * 86_400_000),
    "seconds for milliseconds": Tag("v1", last_updated=NOW_MS // 1000),
    "an attestation's platform": Tag("v1", platforms=(Platform(os="unknown"),)),
    "a word of two lines": Tag("v1", platforms=(Platform(os="linux", variant="v\n8"),)),
    "a platform's digest": Tag("v1", platforms=(Platform(""),)),
    "a platform's size": Tag("v1", platforms=(Platform(size=-1),)),
    "a pull in the future": Tag("v1", platforms=(Platform(pulled=NOW_MS + 9 * 86_400_000),)),
    "a platform of 1970": Tag("v1", platforms=(Platform(updated=1),)),
}


@pytest.mark.parametrize("which", NO_TAGS_OF_THE_API)
def test_an_image_with_a_tag_that_no_answer_could_have_is_left_out(which: str) -> None:
    saved = saved_of(frame_of((*sample_tags(), NO_TAGS_OF_THE_API[which])))
    assert (saved.images, saved.refused) == ({}, 1)


@given(st.binary(max_size=200) | st.text(max_size=100).map(msgspec.msgpack.encode))
def test_any_bytes_are_left_out(frame: bytes) -> None:
    assert read_frames([frame], NOW).refused == 1


def test_a_clock_set_back_a_little_is_no_fault() -> None:
    assert saved_of(frame_of(()), now=NOW - 200).refused == 0
    assert saved_of(frame_of(()), now=NOW - 400).refused == 1


# What of it is used


def test_data_older_than_expire_after_is_not_used() -> None:
    saved = saved_of(frame_of(sample_tags()))
    assert saved.image(APP, NOW + DAY - 1) is not None
    assert saved.image(APP, NOW + DAY) is None
    quick = ImageTarget(REGISTRY, "app", True, Timing(60.0, expire_after=300.0), APP.policy)
    assert saved.image(quick, NOW + 301) is None


def test_data_of_another_place_is_not_used() -> None:
    saved = saved_of(frame_of(sample_tags()))
    japan = ImageTarget(registry_target(region="jpn"), "app", True, APP.timing, APP.policy)
    assert saved.image(japan, NOW) is None
    assert saved.image(target("other"), NOW) is None
