"""Targets and states for tests that need no network."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from ncr_exporter.app.pipeline import Publisher
from ncr_exporter.config import Config, CredentialsConfig
from ncr_exporter.config.model import Settings
from ncr_exporter.inventory import Platform, Policy, Tag
from ncr_exporter.metrics.exporter_metrics import ExporterMetrics
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.ncr.paths import RegistryPath
from ncr_exporter.state.model import DeletedImage, ImageState, RegistryState
from ncr_exporter.state.restoring import FrameReader
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import (
    Account,
    Coverage,
    ImageKey,
    ImageRule,
    ImageTarget,
    RegistryListTarget,
    RegistryTarget,
    Shard,
    Timing,
    registry_list_targets,
)

NOW = 1_760_000_000.0
NOW_MS = 1_760_000_000_000
DAY_MS = 86_400_000

ACCOUNT = Account("public", CredentialsConfig())
TIMING = Timing(interval=900.0, expire_after=86400.0)


def policy_with(**changes: Any) -> Policy:
    """Return the policy of a configuration that says nothing, with these changes."""
    settings = Settings()
    defaults = {field.name: getattr(settings, field.name) for field in fields(Policy)}
    return Policy(**{**defaults, **changes})


def registry_target(name: str = "my-registry", **fields: Any) -> RegistryTarget:
    """Return a registry listed every 900 s, with no images chosen unless `rules` say so."""
    region = fields.pop("region", "kr")
    given = {
        "path": RegistryPath(name, name, region),
        "account": ACCOUNT,
        "timing": TIMING,
        "rules": (),
        "exclude": (),
    }
    return RegistryTarget(**{**given, **fields})


def list_target_of(
    *named: RegistryTarget, every: RegistryTarget | None = None
) -> RegistryListTarget:
    """Return the list target that these registries of one account and region make."""
    first = every or named[0]
    return RegistryListTarget(
        first.label, first.region, first.account, first.timing, named=named, every=every
    )


def rule(pattern: str, timing: Timing = TIMING, **policy: Any) -> ImageRule:
    """Return an entry of `images`."""
    return ImageRule(pattern, timing, policy_with(**policy))


def target(
    image: str, registry: str = "my-registry", *, named: bool = True, **policy: Any
) -> ImageTarget:
    """Return an image polled every 900 s."""
    return ImageTarget(registry_target(registry), image, named, TIMING, policy_with(**policy))


def named_images(config: Config) -> tuple[ImageTarget, ...]:
    """Return the images that a configuration names, in the order of the file."""
    registries = [registry for target in registry_list_targets(config) for registry in target.named]
    order = [entry.label or entry.name for entry in config.registries]
    registries.sort(key=lambda registry: order.index(registry.label))
    return tuple(image for registry in registries for image in registry.images())


def platform(**fields: Any) -> Platform:
    """Return a linux/amd64 platform."""
    return Platform(os="linux", architecture="amd64", **fields)


def sample_tags() -> tuple[Tag, ...]:
    """Return three tags: two of one digest, and one never pulled and without sizes."""
    shared = platform(digest="sha256:aa", size=50_000_000, pulled=NOW_MS - 3_600_500)
    arm = Platform(
        os="linux",
        architecture="arm64",
        variant="v8",
        digest="sha256:bb",
        size=48_000_000,
        pulled=0,
    )
    return (
        Tag("latest", "sha256:ff", 50_000_000, NOW_MS - DAY_MS, (shared, arm)),
        Tag("1.4.2", "sha256:ff", 50_000_000, NOW_MS - DAY_MS - 250, (shared, arm)),
        Tag("broken", platforms=(platform(pulled=0),)),
    )


def new_publisher(shard: Shard | None = None) -> Publisher:
    """Return what publishes a shard."""
    return Publisher(Exposition(), ExporterMetrics(series=lambda: 0), shard or Shard())


@dataclass
class Recorder:
    """A listener that remembers what it was told, in order, and publishes it."""

    images: list[ImageState] = field(default_factory=list)
    removed: list[ImageKey] = field(default_factory=list)
    registries: list[RegistryState] = field(default_factory=list)
    deleted: list[DeletedImage] = field(default_factory=list)
    removed_registries: list[str] = field(default_factory=list)
    publisher: Publisher = field(default_factory=new_publisher)

    def put(self, state: ImageState) -> None:
        self.images.append(state)
        self.publisher.put(state)

    def put_deleted(self, image: DeletedImage) -> None:
        self.deleted.append(image)
        self.publisher.put_deleted(image)

    def remove(self, key: ImageKey) -> None:
        self.removed.append(key)
        self.publisher.remove(key)

    def put_registry(self, state: RegistryState) -> None:
        self.registries.append(state)
        self.publisher.put_registry(state)

    def remove_registry(self, label: str) -> None:
        self.removed_registries.append(label)
        self.publisher.remove_registry(label)


def recorder() -> tuple[Store, Recorder]:
    """Return a store and what it tells."""
    told = Recorder()
    return Store(told), told


def read_frames(
    frames: Iterable[bytes], now: float, coverage: Coverage | None = None
) -> SavedState:
    """Return what the frames of a state file hold, read at `now` (s since the epoch)."""
    reader = FrameReader(saved := SavedState(), now, coverage)
    for frame in frames:
        reader.add(frame)
    return saved
