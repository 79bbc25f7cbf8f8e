"""What an earlier run knew, in memory. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from ncr_exporter.inventory import TagList
from ncr_exporter.ncr.pages import Activity
from ncr_exporter.state.evaluation import Evaluation
from ncr_exporter.state.model import Description
from ncr_exporter.targets.targets import (
    ImageTarget,
    RegistryIdentity,
    RegistryListTarget,
    RegistryTarget,
)


class SavedImage(msgspec.Struct, frozen=True, gc=False):
    """The last complete listing of an image, read at `at` (seconds since the epoch)."""

    tags: TagList
    at: float
    pull_count: int | None
    overwritten: int = 0
    listed_at: float | None = None
    """When the tags were listed, in seconds since the epoch: `at`, or before."""
    listed_under: Activity | None = None
    """The image's entry in the image list before that; None if it is not known."""
    evaluation: Evaluation | None = None
    """The summary of the tags, if it was worked out beforehand."""


@dataclass(frozen=True)
class SavedRegistry:
    """What the lists said about a registry; its image list was read at `at` (s)."""

    at: float
    images: int | None
    description: Description | None
    found_by: str | None
    """The label of the registry list that found it; None if the configuration named it."""


@dataclass
class SavedState:
    """All data of an earlier run. What of it is used depends on the configuration.

    Each `now` is in seconds since the epoch. Data older than its target's `expire_after` is not
    returned.
    """

    registries: dict[RegistryIdentity, SavedRegistry] = field(default_factory=dict)
    images: dict[RegistryIdentity, dict[str, SavedImage]] = field(default_factory=dict)
    """By registry and name."""
    deleted: dict[RegistryIdentity, dict[str, float]] = field(default_factory=dict)
    """By registry and name, when an image was known to be deleted (s)."""
    showing_pulls: set[RegistryIdentity] = field(default_factory=set)
    """Registries of which some image that is not too old has a pull time, if that was looked up."""
    refused: int = 0
    """Frames of the file that could not be used."""
    correction: float = 0.0
    """Seconds to add to the host's time until the API shows its own: the clock is still wrong."""

    def image(self, target: ImageTarget, now: float) -> SavedImage | None:
        """Return the saved data of an image, or None."""
        saved = self.images.get(target.registry.identity, {}).get(target.name)
        if saved is None or now - saved.at >= target.timing.expire_after:
            return None
        # The pull count is from an image list, so it expires with the registry's saved list.
        has_list = self.registry(target.registry, now) is not None
        return saved if has_list else msgspec.structs.replace(saved, pull_count=None)

    def registry(self, target: RegistryTarget, now: float) -> SavedRegistry | None:
        """Return what the image list said about a registry, or None."""
        saved = self.registries.get(target.identity)
        return saved if saved and now - saved.at < target.timing.expire_after else None

    def description(self, target: RegistryTarget, now: float) -> Description | None:
        """Return what the registry list said about a registry, or None."""
        registry = self.registries.get(target.identity)
        saved = registry and registry.description
        return saved if saved and now - saved.at < target.timing.expire_after else None

    def images_of(self, target: RegistryTarget) -> Iterable[str]:
        """Return the names of a registry's saved images, whatever their age."""
        return self.images.get(target.identity, {})

    def deleted_of(self, target: RegistryTarget) -> Iterable[tuple[str, float]]:
        """Return a registry's deleted images, each with when that was known (s)."""
        return self.deleted.get(target.identity, {}).items()

    def found_by(self, registry_list: RegistryListTarget) -> Iterator[str]:
        """Yield the names of the registries that a registry list had found."""
        for (zone, path), saved in self.registries.items():
            place = (registry_list.account.zone, registry_list.region)
            if (zone, path.region) == place and saved.found_by == registry_list.label:
                yield path.name

    def clear(self) -> None:
        """Free the memory, once polling has begun with what it needed."""
        self.registries.clear()
        self.images.clear()
        self.deleted.clear()
        self.showing_pulls.clear()
