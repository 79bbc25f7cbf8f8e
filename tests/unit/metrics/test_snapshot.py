"""Joined from blocks or rendered plainly: the same bytes, whatever happened before."""

import gzip

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ncr_exporter.inventory import Tag
from ncr_exporter.metrics import gzip as packing
from ncr_exporter.metrics.exposition import Exposition, ScrapeSnapshot
from ncr_exporter.metrics.families import RENDERED_FAMILIES
from ncr_exporter.metrics.gzip import GzipPart, gzip_member
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.state.model import Failure
from ncr_exporter.state.store import Store
from tests.support.properties import share
from tests.support.states import DAY_MS, NOW, NOW_MS, platform, registry_target, target

FAILURE = Failure("timeout", "no answer", "wait")
MANY = 40
IMAGES = st.integers(0, MANY - 1).map(lambda number: f"app-{number}")


def text_of(edition: ScrapeSnapshot, now: float, *, openmetrics: bool) -> bytes:
    return b"".join(edition.text(now, openmetrics=openmetrics))


def unpacked(edition: ScrapeSnapshot, now: float, *, openmetrics: bool) -> bytes:
    head: GzipPart = exhaust(edition.gzip_part(now, openmetrics=openmetrics))
    return gzip.decompress(gzip_member(head))


def listing(number: int) -> tuple[Tag, ...]:
    return tuple(
        Tag(
            f"v{i}",
            "sha256:" + f"{i:064x}",
            10**6 + i,
            NOW_MS - i * DAY_MS,
            (platform(pulled=NOW_MS - number * DAY_MS, size=10**6, digest=f"sha256:{i:064x}"),),
        )
        for i in range(number)
    )


class Published(RuleBasedStateMachine):
    """Polls, failures, deletions, editions sent slowly and clock steps, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.exposition = Exposition()
        self.store = Store(self.exposition)
        self.now = NOW
        self.kept: tuple[ScrapeSnapshot, float, bytes] | None = None

    @initialize()
    def begin(self) -> None:
        """Have enough images for several chunks, above what is compressed whole."""
        self.store.add_registry(registry_target())
        for number in range(MANY):
            self.store.add(target(f"app-{number}", tag_series=None))
            self._poll(f"app-{number}", 12)

    def _poll(self, image: str, tags: int) -> None:
        known = self.store.images.get(("my-registry", image))
        if known is None:
            self.store.add(target(image, tag_series=None))
        self.store.commit(target(image), listing(tags), at=self.now, duration=0.5)

    @rule(image=IMAGES, tags=st.integers(0, 15))
    def poll(self, image: str, tags: int) -> None:
        self._poll(image, tags)

    @rule(image=IMAGES)
    def fail(self, image: str) -> None:
        if ("my-registry", image) in self.store.images:
            self.store.record_failure(target(image), FAILURE, at=self.now, duration=30.0)

    @rule(image=IMAGES)
    def delete(self, image: str) -> None:
        if ("my-registry", image) in self.store.images:
            self.store.remove(("my-registry", image))

    @rule(seconds=st.integers(-1000, 100_000))
    def clock_steps(self, seconds: int) -> None:
        self.now += seconds

    @rule(openmetrics=st.booleans())
    def scrape(self, openmetrics: bool) -> None:  # noqa: FBT001 -- drawn
        edition = self.exposition.snapshot
        exhaust(edition.gzip_part(self.now, openmetrics=openmetrics))

    @rule()
    def begin_to_send(self) -> None:
        edition = self.exposition.snapshot
        self.kept = (edition, self.now, text_of(edition, self.now, openmetrics=False))

    @invariant()
    def what_is_sent_slowly_is_of_one_moment(self) -> None:
        if self.kept is not None:
            edition, now, text = self.kept
            assert text_of(edition, now, openmetrics=False) == text

    @invariant()
    def blocks_joined_are_a_plain_rendering(self) -> None:
        plain = self._rendered_plainly()
        for openmetrics in (False, True):
            text = text_of(self.exposition.snapshot, self.now, openmetrics=openmetrics)
            packed = unpacked(self.exposition.snapshot, self.now, openmetrics=openmetrics)
            assert packed == text
            again = text_of(plain.snapshot, self.now, openmetrics=openmetrics)
            assert sorted(text.splitlines()) == sorted(again.splitlines())
        assert self.exposition.series == plain.series

    def _rendered_plainly(self) -> Exposition:
        plain = Exposition()
        for registry in self.store.registries.values():
            plain.put_registry(registry)
        for state in self.store.images.values():
            plain.put(state)
        return plain


Published.TestCase.settings = share(0.1, steps=25)
TestPublished = Published.TestCase


def fleet(images: int) -> tuple[Store, Exposition]:
    exposition = Exposition()
    store = Store(exposition)
    for number in range(images):
        store.add(target(f"app-{number}", tag_series=None))
        store.commit(target(f"app-{number}"), listing(8), at=NOW, duration=0.5)
    return store, exposition


def compressions(exposition: Exposition, calls: list[int]) -> int:
    """Return how many blocks a scrape had to compress."""
    before = len(calls)
    exhaust(exposition.snapshot.gzip_part(NOW, openmetrics=False))
    return len(calls) - before


def test_a_scrape_compresses_only_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    store, exposition = fleet(200)
    calls: list[int] = []

    def counted(text: bytes) -> bytes:
        calls.append(len(text))
        return packing.deflated(text)

    monkeypatch.setattr("ncr_exporter.metrics.grouping.deflated", counted)
    assert compressions(exposition, calls) > len(RENDERED_FAMILIES)
    assert compressions(exposition, calls) == 0, "nothing changed"
    store.commit(target("app-7"), listing(8), at=NOW + 900, duration=0.5)
    last_success, polls = 1, 1
    assert compressions(exposition, calls) == last_success + polls
    assert max(calls[-2:]) < 64 * 200, "one chunk of each, not the family"
    store.remove(("my-registry", "app-7"))
    assert compressions(exposition, calls) < len(RENDERED_FAMILIES)


def test_no_step_compresses_more_than_one_chunk() -> None:
    _, exposition = fleet(500)
    steps = sum(1 for _ in exposition.snapshot.gzip_part(NOW, openmetrics=False))
    assert steps > len(RENDERED_FAMILIES) * 2
