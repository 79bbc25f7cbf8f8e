"""The images' part of a scrape, as text."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.inventory import ImageSummary, Platform, Tag
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.metrics.families import RENDERED_FAMILIES
from ncr_exporter.metrics.families.family import (
    RenderedFamily,
    Sample,
    StateFamily,
    SummaryFamily,
    TagFamily,
)
from ncr_exporter.metrics.families.image import LAST_PULLED_AGE
from ncr_exporter.state.model import Failure, ImageState
from ncr_exporter.state.store import Store
from tests.support.expositions import Key, samples_of
from tests.support.states import NOW, NOW_MS, sample_tags, target

GOLDEN = Path(__file__).resolve().parents[2] / "data" / "golden"


def text_of(exposition: Exposition, now: float = NOW, *, openmetrics: bool = False) -> str:
    return b"".join(exposition.snapshot.text(now, openmetrics=openmetrics)).decode()


def fleet() -> Exposition:
    """Return one image that was polled, one that failed after a success, one not polled yet."""
    exposition = Exposition()
    store = Store(exposition)
    for name in ("app", "web/frontend", "waiting"):
        store.add(target(name, tag_series=2))
    store.commit(target("app", tag_series=2), sample_tags(), at=NOW - 60, duration=0.125)
    web = target("web/frontend", tag_series=2)
    store.commit(web, sample_tags()[:1], at=NOW - 900, duration=0.25)
    store.record_failure(web, Failure("timeout", "no answer", "wait"), at=NOW, duration=30.0)
    return exposition


@pytest.mark.parametrize(("name", "openmetrics"), [("images.prom", False), ("images.om", True)])
def test_the_exposition_is_the_golden_one(name: str, openmetrics: bool) -> None:  # noqa: FBT001 -- a parametrised case
    text = text_of(fleet(), openmetrics=openmetrics)
    golden = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text(), "look at the difference; UPDATE_GOLDEN=1 accepts it"


def test_both_formats_have_the_same_samples() -> None:
    exposition = fleet()
    openmetrics = text_of(exposition, openmetrics=True) + "# EOF\n"
    assert samples_of(openmetrics, openmetrics=True) == samples_of(text_of(exposition))


def test_an_image_that_was_not_polled_publishes_no_zeros() -> None:
    lines = [line for line in text_of(fleet()).splitlines() if 'image="waiting"' in line]
    assert lines == [
        'ncr_image_stale_after_seconds{registry="my-registry",image="waiting"} 7776000.0',
        'ncr_image_poll_interval_seconds{registry="my-registry",image="waiting"} 900.0',
        'ncr_image_polls_total{registry="my-registry",image="waiting"} 0',
        'ncr_image_poll_failures_total{registry="my-registry",image="waiting"} 0',
    ]


def test_the_age_moves_with_the_clock_and_nothing_else_does() -> None:
    exposition = fleet()
    before = text_of(exposition, NOW).splitlines()
    after = text_of(exposition, NOW + 7).splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert [a.split("{")[0] for a, _ in changed] == ["ncr_image_last_pulled_age_seconds"] * 2
    assert changed[0][0].endswith("} 3600.5")
    assert changed[0][1].endswith("} 3607.5")


def test_an_age_is_not_below_0_when_the_clock_is_behind() -> None:
    text = text_of(fleet(), NOW - 1_000_000)
    ages = [line for line in text.splitlines() if line.startswith("ncr_image_last_pulled_age")]
    assert [line.split()[-1] for line in ages] == ["0.0", "0.0"]


def test_a_vanished_tag_leaves_with_the_next_poll() -> None:
    exposition = Exposition()
    store = Store(exposition)
    app = target("app")
    store.add(app)
    store.commit(app, sample_tags(), at=NOW, duration=0.1)
    assert 'tag="1.4.2"' in text_of(exposition)
    store.commit(app, sample_tags()[:1], at=NOW, duration=0.1)
    assert 'tag="1.4.2"' not in text_of(exposition)
    assert 'tag="latest"' in text_of(exposition)


def test_the_number_of_series_is_what_a_scrape_returns() -> None:
    exposition = fleet()
    lines = [line for line in text_of(exposition).splitlines() if not line.startswith("#")]
    assert exposition.series == len(lines)


def test_the_pieces_are_of_the_moment_of_the_call() -> None:
    exposition = Exposition()
    store = Store(exposition)
    apps = [target(f"app-{i}") for i in range(600)]
    for app in apps:
        store.add(app)
        store.commit(app, sample_tags(), at=NOW, duration=0.1)
    expected = text_of(exposition)
    pieces = exposition.snapshot.text(NOW, openmetrics=False)
    first = next(pieces)
    for app in apps:
        store.commit(app, (), at=NOW, duration=0.1)
    store.add(target("another"))
    assert (first + b"".join(pieces)).decode() == expected
    assert text_of(exposition) != expected


def test_image_and_tag_are_not_swapped() -> None:
    text = text_of(fleet())
    assert 'ncr_tag_size_bytes{registry="my-registry",image="app",tag="latest"} 50000000' in text


words = st.text(min_size=1, max_size=20)
moments = st.none() | st.integers(946_684_800_000, NOW_MS)
sizes = st.none() | st.integers(0, 2**53)
tags = st.builds(
    Tag,
    name=words,
    digest=st.none() | words,
    full_size=sizes,
    last_updated=moments,
    platforms=st.lists(
        st.builds(
            Platform,
            digest=st.none() | words,
            os=words,
            variant=st.just("") | words,
            size=sizes,
            pulled=moments | st.just(0),
        ),
        max_size=3,
    ).map(tuple),
)


def representable(*texts: str | None) -> bool:
    return not any("\ud800" <= char <= "\udfff" for text in texts for char in text or "")


def representable_tag(tag: Tag) -> bool:
    return representable(tag.name, tag.digest, *(p.os + p.variant for p in tag.platforms))


def samples_by(family: RenderedFamily, state: ImageState) -> Iterable[Sample]:
    if isinstance(family, StateFamily):
        more = (family.more_label(state),) if family.more_label else ()
        return [] if (value := family.value(state)) is None else [(more, value)]
    if state.image is None:
        return ()
    if isinstance(family, TagFamily):
        return samples_by_tag(family, state.image)
    if isinstance(family, SummaryFamily):
        return [] if (value := family.value(state.image)) is None else [((), value)]
    return family.samples(state.image)


def samples_by_tag(family: TagFamily, image: ImageSummary) -> Iterable[Sample]:
    labels: list[tuple[str, ...]] = [(tag.name,) for tag in image.exposed]
    if family.more_label:
        labels = [*zip((tag.name for tag in image.exposed), family.more_label(image), strict=True)]
    rows = zip(labels, family.values(image), strict=True)
    return [(label, value) for label, value in rows if value is not None]


def said_of(store: Store, now: float) -> Iterator[tuple[Key, float]]:
    """Yield every sample that the table of families has of the images."""
    for state in store.images.values():
        for family in RENDERED_FAMILIES:
            for values, number in samples_by(family, state):
                labels = zip(family.labels, (*state.target.key, *values), strict=True)
                yield (family.name, tuple(sorted(labels))), float(number)
        if state.image and state.image.pulled:
            labels = zip(LAST_PULLED_AGE.labels, state.target.key, strict=True)
            age = round(now - state.image.pulled / 1000, 3)
            yield (LAST_PULLED_AGE.name, tuple(sorted(labels))), age


@given(
    st.lists(words.filter(representable), min_size=1, max_size=3, unique=True),
    st.lists(tags.filter(representable_tag), max_size=5, unique_by=lambda tag: tag.name),
)
def test_any_inventory_is_read_back_by_both_parsers_to_equal_values(
    image_names: list[str], some_tags: list[Tag]
) -> None:
    exposition = Exposition()
    store = Store(exposition)
    for name in image_names:
        image = target(name, registry=name[::-1], tag_series=None, platform_series=True)
        store.add(image)
        store.commit(image, tuple(some_tags), at=NOW, duration=0.1)
    expected = dict(said_of(store, NOW))
    assert samples_of(text_of(exposition)) == expected
    openmetrics = text_of(exposition, openmetrics=True) + "# EOF\n"
    assert samples_of(openmetrics, openmetrics=True) == expected
    for tag in some_tags:
        of_tag = (("image", image_names[0]), ("registry", image_names[0][::-1]), ("tag", tag.name))
        assert expected.get(("ncr_tag_size_bytes", of_tag)) == tag.size
