"""States as lines, and lines as what they were: checked like an answer of the API."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.inventory import Platform, Tag, TagList
from ncr_exporter.state.lines import LineReader, image_lines, registry_line
from ncr_exporter.state.model import Description
from ncr_exporter.state.restoring import evaluate_saved
from ncr_exporter.state.saved import SavedImage, SavedState
from ncr_exporter.targets.targets import Coverage, ImageTarget, Shard, Timing
from tests.support.states import (
    NOW,
    NOW_MS,
    list_target_of,
    read_lines,
    recorder,
    registry_target,
    rule,
    sample_tags,
    target,
)

REGISTRY = registry_target()
APP = target("app")
DAY = 86_400.0


def line_of(tags: tuple[Tag, ...], pull_count: int | None = 7) -> bytes:
    store, _ = recorder()
    store.restore(APP, SavedImage(TagList.of(tags), NOW, pull_count, overwritten=3))
    (line,) = image_lines(store.images[APP.key])
    return line


def saved_of(line: bytes, now: float = NOW) -> SavedState:
    return read_lines([line], now)


def changed(line: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(line), **fields}).encode()


def test_an_image_comes_back_as_it_was() -> None:
    saved = saved_of(line_of(sample_tags()))
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
    saved = saved_of(line_of(listing, pulls))
    assert saved.images[REGISTRY.identity]["app"] == SavedImage(
        TagList.of(listing), NOW, pulls, overwritten=3
    )


def long_listing() -> list[bytes]:
    """Return the lines of an image of 2,500 tags, and of one of three."""
    store, _ = recorder()
    many = tuple(Tag(f"v{number}", platforms=(Platform(),) * 3) for number in range(2500))
    store.restore(APP, SavedImage(TagList.of(many), NOW, 7))
    store.restore(target("web"), SavedImage(TagList.of(sample_tags()), NOW, 7))
    return [line for state in store.images.values() for line in image_lines(state)]


def test_a_long_listing_takes_several_lines_and_comes_back_whole() -> None:
    lines = long_listing()
    assert len(lines) == 11, "250 tags of 3 platforms are 1,000 records"
    assert max(map(len, lines)) < 2 * min(map(len, lines[:-1]))
    saved = read_lines(lines, NOW)
    assert saved.refused == 0
    images = saved.images[REGISTRY.identity]
    assert [tag.name for tag in images["app"].tags] == [f"v{number}" for number in range(2500)]
    assert images["web"].tags == TagList.of(sample_tags())


@pytest.mark.parametrize("missing", range(10))
def test_a_listing_of_which_a_line_is_missing_is_left_out_alone(missing: int) -> None:
    lines = long_listing()
    del lines[missing]
    saved = read_lines(lines, NOW)
    assert list(saved.images[REGISTRY.identity]) == ["web"]
    assert saved.refused == (missing > 0), "without its first line it is nobody's"


def test_an_image_that_stands_there_twice_counts_once() -> None:
    saved = read_lines([line_of(sample_tags()), line_of(())], NOW)
    assert saved.images[REGISTRY.identity]["app"].tags == TagList.of(sample_tags())
    assert saved.refused == 1


def test_a_line_of_version_1_which_held_a_whole_listing_is_read() -> None:
    line = json.loads(line_of(sample_tags()))
    del line["lines"]
    saved = saved_of(json.dumps(line).encode())
    assert saved.images[REGISTRY.identity]["app"].tags == TagList.of(sample_tags())


def test_what_the_configuration_does_not_cover_is_left_out_and_the_rest_evaluated() -> None:
    registry = registry_target(rules=(rule("app"),))
    coverage = Coverage([list_target_of(registry)], Shard())
    store, _ = recorder()
    for name in ("app", "web"):
        store.restore(target(name), SavedImage(TagList.of(sample_tags()), NOW, 7))
    reader = LineReader(SavedState(), NOW, coverage)
    for state in store.images.values():
        for line in image_lines(state):
            reader.add(line)
    saved = reader.finish()
    assert list(saved.images[REGISTRY.identity]) == ["app"]
    for _ in evaluate_saved(saved, coverage, NOW):
        pass
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
    assert list(image_lines(store.images[APP.key])) == []


def test_a_registry_comes_back_as_it_was() -> None:
    store, _ = recorder()
    found = registry_target(found_by="*")
    store.add_registry(found)
    hosts = (("my-registry.kr.ncr.ntruss.com", "public"), ("ab.example", "private"))
    store.restore_registry("my-registry", at=NOW, images=3)
    store.record_description(
        "my-registry", Description(NOW - 7, hosts, public=True, scan_on_push=False)
    )
    line = registry_line(store.registries["my-registry"])
    assert line is not None
    saved = saved_of(line)
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
    line = registry_line(store.registries["my-registry"])
    assert line is not None
    said = saved_of(line).description(REGISTRY, NOW)
    assert said is not None
    assert said.hosts == (("a.example", "public"),)


def test_a_description_of_the_future_is_left_out_alone() -> None:
    store, _ = recorder()
    store.add_registry(REGISTRY)
    store.restore_registry("my-registry", at=NOW, images=3)
    store.record_description("my-registry", Description(NOW + DAY, (), public=True))
    line = registry_line(store.registries["my-registry"])
    assert line is not None
    assert saved_of(line).description(REGISTRY, NOW) is None
    assert saved_of(line).registry(REGISTRY, NOW) is not None


def test_what_stands_for_every_registry_is_not_kept() -> None:
    store, _ = recorder()
    store.add_registry(registry_target("*"))
    store.record_registry_list_success("*", at=NOW)
    assert registry_line(store.registries["*"]) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"at": NOW + 10 * DAY},
        {"at": "yesterday"},
        {"at": None},
        {"page": {"results": [{"name": None}]}},
        {"page": "html"},
        {"page": []},
        {"image": ""},
        {"image": "a\nb"},
        {"image": 7},
        {"type": "tag"},
        {"registry": "my-registry"},
        {"pull_count": "many"},
    ],
)
def test_a_line_that_no_answer_could_be_is_left_out_and_counted(fields: dict[str, Any]) -> None:
    saved = saved_of(changed(line_of(sample_tags()), **fields))
    assert (saved.images.get(REGISTRY.identity, {}), saved.refused) == ({}, 1)


@pytest.mark.parametrize("name", ["", "..", "a\nb"])
def test_a_registry_whose_name_no_answer_could_have_is_left_out(name: str) -> None:
    line = json.loads(line_of(sample_tags()))
    for field in ("name", "label"):
        bad = changed(line_of(sample_tags()), registry={**line["registry"], field: name})
        assert (saved_of(bad).images, saved_of(bad).refused) == ({}, 1)


def test_bad_fields_within_a_page_become_unknown_as_in_an_answer() -> None:
    page = {"results": [{"name": "v1", "full_size": -5, "last_updated": NOW_MS + 9 * 86_400_000}]}
    saved = saved_of(changed(line_of(()), page=page))
    assert saved.images[REGISTRY.identity]["app"].tags == TagList.of([Tag("v1")])


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: json.dumps(text).encode()))
def test_any_bytes_are_a_record_or_left_out(line: bytes) -> None:
    saved = read_lines([line], NOW)
    assert saved.refused == 1


def test_a_clock_set_back_a_little_is_no_fault() -> None:
    assert saved_of(line_of(()), now=NOW - 200).refused == 0
    assert saved_of(line_of(()), now=NOW - 400).refused == 1


# What of it is used


def test_data_older_than_expire_after_is_not_used() -> None:
    saved = saved_of(line_of(sample_tags()))
    assert saved.image(APP, NOW + DAY - 1) is not None
    assert saved.image(APP, NOW + DAY) is None
    quick = ImageTarget(REGISTRY, "app", True, Timing(60.0, expire_after=300.0), APP.policy)
    assert saved.image(quick, NOW + 301) is None


def test_data_of_another_place_is_not_used() -> None:
    saved = saved_of(line_of(sample_tags()))
    japan = ImageTarget(registry_target(region="jpn"), "app", True, APP.timing, APP.policy)
    assert saved.image(japan, NOW) is None
    assert saved.image(target("other"), NOW) is None
