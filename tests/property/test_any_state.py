"""Whatever a state file holds: kept or refused, and what is kept can be asked for and published."""

import zlib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.state.file import StateError, read_state
from ncr_exporter.state.model import DeletedImage
from ncr_exporter.state.persistence import StatePersister
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import ImageTarget
from tests.support.clock import ManualClock
from tests.support.expositions import samples_of
from tests.support.states import NOW, TIMING, list_target_of, read_frames, registry_target, rule

INTEGERS = st.integers(-(2**63), 2**64 - 1)
WILD = st.recursive(
    st.none()
    | st.booleans()
    | INTEGERS
    | st.floats()
    | st.text(max_size=4)
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
"""Whatever a frame can hold."""


def mostly(
    usual: st.SearchStrategy[Any], seldom: st.SearchStrategy[Any] = WILD
) -> st.SearchStrategy[Any]:
    """Draw what belongs there, and now and then something else: else no frame would be used."""
    belongs = st.sampled_from([True] * 12 + [False])
    return belongs.flatmap(lambda as_usual: usual if as_usual else seldom)


MOMENTS = st.none() | st.sampled_from([0, 1, round(NOW * 1000), round(NOW * 1000) + 10**9])
SIZES = st.none() | st.integers(-1, 2**54)
DIGESTS = st.none() | st.sampled_from(["", "sha256:ab", "sha256:sha256:ab", "a\nb"])
WORDS = st.sampled_from(["", "linux", "unknown", "a\nb"])
WILD_PLATFORMS = st.tuples(*map(mostly, (DIGESTS, WORDS, WORDS, WORDS, SIZES, MOMENTS, MOMENTS)))
WILD_TAGS = st.tuples(
    *map(mostly, (st.text(max_size=3), DIGESTS, SIZES, MOMENTS)),
    mostly(st.lists(mostly(WILD_PLATFORMS), max_size=2)),
)


def chunk(tags: object) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(tags))


CHUNKS = mostly(st.lists(mostly(WILD_TAGS), max_size=3).map(chunk), st.binary(max_size=9))

EVERY = registry_target("*", rules=(rule("*"),))
NAMES = st.sampled_from(["my-registry", "", ".", "..", "a\nb", "*"]) | st.text(max_size=3)
PLACES = st.fixed_dictionaries(
    {
        "label": mostly(st.just("my-registry"), NAMES),
        "name": mostly(st.just("my-registry"), NAMES),
        "region": st.just("kr"),
    }
)
COMMON = {
    "zone": mostly(st.just("public")),
    "registry": mostly(PLACES),
    "at": mostly(st.floats(NOW - 1000, NOW)),
}
IMAGES = st.fixed_dictionaries(
    {
        **COMMON,
        "type": st.just("image"),
        "image": mostly(NAMES),
        "tags": mostly(st.lists(CHUNKS, max_size=2)),
    },
    optional={
        "pull_count": mostly(INTEGERS),
        "overwritten": mostly(INTEGERS),
    },
)
HOSTS = st.lists(st.tuples(NAMES, st.sampled_from(["public", "private", "x"])), max_size=3)
REGISTRIES = st.fixed_dictionaries(
    {
        **COMMON,
        "type": st.just("registry"),
        "images": mostly(st.none() | INTEGERS),
        "hosts": mostly(HOSTS),
        "public": mostly(st.none() | st.booleans()),
        "described_at": mostly(st.floats(NOW - 1000, NOW)),
        "found_by": mostly(st.none() | st.just("*")),
        "scan_on_push": mostly(st.none() | st.booleans()),
    },
)
DELETED = st.fixed_dictionaries({**COMMON, "type": st.just("deleted"), "image": mostly(NAMES)})
FRAMES = (IMAGES | REGISTRIES | DELETED).map(msgspec.msgpack.encode)


def signed(body: bytes) -> bytes:
    """Return a file whose checksum agrees."""
    whole = b"ncr-exporter state 3\n" + body
    return whole + sha256(whole).digest()


def framed(frames: list[bytes]) -> bytes:
    return b"".join(len(frame).to_bytes(4) + frame for frame in frames)


FILES = (
    st.binary(max_size=200)
    | st.binary(max_size=200).map(signed)
    | st.lists(FRAMES | st.binary(max_size=50), max_size=6).map(lambda it: signed(framed(it)))
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@given(FILES)
@example(signed(framed([b"\x91" * 100_000])))
@example(signed(framed([msgspec.msgpack.encode({"type": "image"}) + b"\x91" * 100_000])))
def test_any_file_is_read_or_set_aside(directory: Path, content: bytes) -> None:
    path = directory / "ncr-exporter.state"
    path.write_bytes(content)
    with suppress(StateError):
        list(read_state(path))
    with structlog.testing.capture_logs():
        assert isinstance(StatePersister(directory, ManualClock(NOW)).read(), SavedState)


@given(st.lists(FRAMES, min_size=1, max_size=6))
def test_whatever_is_kept_has_names_and_values_that_an_answer_could_have(
    frames: list[bytes],
) -> None:
    kept = read_frames(frames, NOW)
    exposition = Exposition()
    store = Store(exposition)
    for name in [*kept.found_by(list_target_of(every=EVERY)), "my-registry"]:
        assert usable(name)
        if name not in store.registries:
            restored(kept, store, name)
    assert all(usable(label) for key in store.images for label in key)
    hosts = [host for state in store.registries.values() for host, _ in state.hosts]
    assert all(host.isprintable() and host for host in hosts)
    for openmetrics in (False, True):
        text = b"".join(exposition.snapshot.text(NOW, openmetrics=openmetrics)).decode()
        samples = samples_of(text + "# EOF\n" * openmetrics, openmetrics=openmetrics)
        assert all(value >= 0 for value in samples.values())


def usable(name: str) -> bool:
    return name.isprintable() and name not in {"", ".", ".."}


def restored(kept: SavedState, store: Store, name: str) -> None:
    """Take in what was kept of a registry and its images."""
    target = registry_target(name)
    store.add_registry(target)
    if registry := kept.registry(target, NOW):
        store.restore_registry(target.label, at=registry.at, images=registry.images)
    if said := kept.description(target, NOW):
        store.record_description(target.label, said)
    for image in kept.images_of(target):
        wanted = ImageTarget(target, image, named=False, timing=TIMING, policy=rule("*").policy)
        if known := kept.image(wanted, NOW):
            store.restore(wanted, known)
    for image, at in kept.deleted_of(target):
        wanted = ImageTarget(target, image, named=False, timing=TIMING, policy=rule("*").policy)
        if wanted.key not in store.images:
            store.mark_deleted(DeletedImage(wanted, at))
