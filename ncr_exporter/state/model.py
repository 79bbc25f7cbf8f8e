"""What is known of registries and images at one moment. Frozen: a new state replaces an old one."""

from dataclasses import dataclass, field, replace

import msgspec

from ncr_exporter.inventory import NOTHING_IN_USE, ImageSummary, Tag, Usage, Verdict, verdicts
from ncr_exporter.state.presence import Presence
from ncr_exporter.targets.targets import ImageTarget, RegistryTarget

Hosts = tuple[tuple[str, str], ...]
"""Hosts to pull from, each with `public` or `private`."""


@dataclass(frozen=True)
class Failure:
    """Why a poll or a list failed, in words."""

    reason: str
    message: str
    remedy: str


class Poll(msgspec.Struct, frozen=True, gc=False):
    """How one poll went; small, for five of them are kept of each image."""

    at: float
    """When it ended, in seconds since the epoch."""
    duration: float
    """Seconds it took, waiting for its turn included."""
    failure: Failure | None = None


@dataclass(frozen=True)
class Description:
    """What the registry list said of a registry; its age is its own."""

    at: float
    """Seconds since the epoch."""
    hosts: Hosts
    public: bool | None


@dataclass(frozen=True)
class RegistryState:
    """What is known of a registry from its image list, and from the registry list."""

    target: RegistryTarget
    up: bool | None = None
    """Whether the last image list succeeded; None before the first."""
    failure: Failure | None = None
    images: int | None = None
    last_success: float | None = None
    """Seconds since the epoch."""
    hosts: Hosts = ()
    public: bool | None = None
    described_at: float | None = None
    """When the registry list said these two, in seconds since the epoch; None where it did not."""

    emptied: bool = False
    """Whether the last image list was the first to be empty, and so is not believed yet."""

    def after_list(self, images: int, at: float) -> "RegistryState":
        """Take a complete list of so many images in; one that turns empty counts the second time.

        A registry that lists nothing all at once is rather one that answered in a bad moment.
        """
        emptied = images == 0 and bool(self.images) and not self.emptied
        believed = self.images if emptied else images
        return replace(
            self, up=True, failure=None, images=believed, emptied=emptied, last_success=at
        )

    @property
    def list_denied(self) -> bool:
        """Whether the image list may not be read, so that a 404 has to be believed alone."""
        return self.failure is not None and self.failure.reason == "permission"


@dataclass(frozen=True)
class ImageState:
    """What is known of an image: the last complete listing, and how polling goes."""

    target: ImageTarget
    tags: tuple[Tag, ...] | None = None
    """The last complete listing; None before the first, once it expired, and when gone."""
    image: ImageSummary | None = None
    """What the listing amounts to."""
    up: bool | None = None
    """Whether the last poll succeeded; None before the first."""
    failure: Failure | None = None
    last_success: float | None = None
    """Seconds since the epoch."""
    duration: float | None = None
    """Seconds the last poll took."""
    polls: int = 0
    failures: int = 0
    recent: tuple[Poll, ...] = ()
    """The last polls, the newest first."""
    presence: Presence = field(default_factory=Presence)
    gone: bool = False
    pull_count: int | None = None

    def verdicts(self, in_use: Usage = NOTHING_IN_USE) -> list[Verdict]:
        """Return the verdict of every tag of the last listing, as of the moment it was read.

        Worked out at each call: only people ask for more than the tags that have series.
        """
        if self.tags is None or self.image is None or self.last_success is None:
            return []
        return verdicts(
            self.tags,
            self.target.policy,
            round(self.last_success * 1000),
            believed=self.image.trusted,
            in_use=in_use,
        )

    @property
    def present(self) -> bool | None:
        """Whether the image exists, where that is known."""
        if self.gone:
            return False
        # A failed poll says nothing: an image that was there is there until it is known to be gone.
        return True if self.presence.listed or self.last_success is not None else None
