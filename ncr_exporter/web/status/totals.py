"""Sums over all images, their failures grouped by reason, and what registries list. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ncr_exporter.state.model import Failure, Hosts, IdlePattern, ImageState, RegistryState
from ncr_exporter.web.status.images import BROKEN, PollStatus, poll_status


@dataclass
class FailureGroup:
    """The images that cannot be polled for one reason."""

    status: PollStatus
    failure: Failure | None
    """The failure of the first image; the messages of the others differ only in details."""
    images: int = 0

    @property
    def only(self) -> str:
        """The value of the parameter `only` that shows these images."""
        return self.failure.reason if self.status == "failing" and self.failure else self.status


@dataclass
class RegistryTotals:
    """How many of the images that are polled a registry's list holds."""

    polled: int = 0
    """Images that are polled, listed or not."""
    listed: int = 0
    """Those of them that the last list holds."""
    unjudged: int = 0
    """Those that no list has told of yet, in this run."""
    known: int = 0
    """Those whose tags are known."""


@dataclass
class Totals:
    """Sums over all images. Unknown values add nothing; where none is known, the sum is None."""

    images: int = 0
    poll_statuses: Counter[PollStatus] = field(default_factory=Counter)
    registries: dict[str, RegistryTotals] = field(default_factory=dict)
    """By the label of the registry."""
    listed: int = 0
    """Images whose tags are known."""
    tags: int | None = None
    size: int | None = None
    """Bytes."""
    stale_tags: int | None = None
    reclaimable: int | None = None
    """Bytes that only stale tags refer to."""
    images_with_stale_tags: int = 0
    failures: dict[str, FailureGroup] = field(default_factory=dict)
    """By the value of `only` that shows the images."""

    def add(self, state: ImageState) -> None:
        """Add one image to the sums."""
        status = poll_status(state)
        self.images += 1
        self.poll_statuses[status] += 1
        self._add_to_registry(state)
        if status in BROKEN:
            group = FailureGroup(status, state.failure)
            self.failures.setdefault(group.only, group).images += 1
        if state.image is not None:
            self.listed += 1
            self.tags = _sum(self.tags, state.image.tags)
            self.size = _sum(self.size, state.image.size)
            self.stale_tags = _sum(self.stale_tags, state.image.stale_tags)
            self.reclaimable = _sum(self.reclaimable, state.image.reclaimable)
            self.images_with_stale_tags += bool(state.image.stale_tags)

    def _add_to_registry(self, state: ImageState) -> None:
        registry = self.of_registry(state.target.registry.label)
        registry.polled += 1
        registry.listed += state.presence.listed is True
        registry.unjudged += state.presence.listed is None
        registry.known += state.image is not None

    def of_registry(self, label: str) -> RegistryTotals:
        """Return the totals of one registry."""
        return self.registries.setdefault(label, RegistryTotals())

    @property
    def broken(self) -> int:
        """Images that cannot be polled: those that fail, are missing, or are gone."""
        return sum(self.poll_statuses[status] for status in BROKEN)

    @property
    def failures_by_images(self) -> list[FailureGroup]:
        """The groups of failures, the one with the most images first."""
        return sorted(self.failures.values(), key=lambda group: -group.images)


def _sum(total: int | None, value: int | None) -> int | None:
    if value is None:
        return total
    return value if total is None else total + value


def totals_of(states: Iterable[ImageState]) -> Totals:
    """Return the sums over all images."""
    totals = Totals()
    for state in states:
        totals.add(state)
    return totals


@dataclass(frozen=True)
class RegistryView:
    """What the status page shows of a registry."""

    state: RegistryState
    totals: RegistryTotals

    @property
    def polled_of(self) -> int | None:
        """How many images the list has, of which `totals.listed` are polled; None if unknown.

        Unknown, too, until a list has told of each image that is polled, and while a list that
        turned empty is not believed.
        """
        if self.totals.unjudged or self.state.turned_empty:
            return None
        return self.state.images

    @property
    def hosts(self) -> Hosts:
        """Hosts to pull from; none unless something shows that there is such a registry."""
        state, failure = self.state, self.state.failure
        if failure is not None and failure.reason == "not_found":
            return ()
        exists = state.description is not None or state.last_success is not None
        return state.hosts if exists or self.totals.known else ()

    @property
    def host(self) -> str | None:
        """The host that references begin with: the public one, if there is one."""
        by_endpoint = {endpoint: host for host, endpoint in reversed(self.hosts)}
        return by_endpoint.get("public") or next((host for host, _ in self.hosts), None)

    @property
    def idle_globs(self) -> tuple[IdlePattern, ...]:
        """The globs of `images` that matched nothing in the last list."""
        return tuple(idle for idle in self.state.idle_patterns if idle.key == "images")

    @property
    def idle_excludes(self) -> tuple[IdlePattern, ...]:
        """The patterns of `exclude` that matched nothing in the last list."""
        return tuple(idle for idle in self.state.idle_patterns if idle.key == "exclude")


def registry_views(registries: Iterable[RegistryState], totals: Totals) -> list[RegistryView]:
    """Return the registries sorted by name, those whose image list failed before the others."""
    ordered = sorted(registries, key=lambda state: (state.failure is None, state.target.label))
    return [RegistryView(state, totals.of_registry(state.target.label)) for state in ordered]
