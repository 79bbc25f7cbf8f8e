"""The state of a registry and of an image. Frozen: a change makes a new state.

A tuple of states is thus a consistent snapshot, which a thread may read.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import msgspec

from ncr_exporter.inventory import NOTHING_IN_USE, ImageSummary, TagList, Usage, Verdict, verdicts
from ncr_exporter.ncr.pages import Activity
from ncr_exporter.state.presence import ListTrust, Presence
from ncr_exporter.state.pull_count import PullCount
from ncr_exporter.targets.targets import ImageKey, ImageTarget, RegistryTarget

RECENT_POLLS = 5
"""Polls remembered of each image, for people who look why it fails."""

Hosts = tuple[tuple[str, str], ...]
"""Hosts to pull from, each with the endpoint that it serves: `public` or `private`."""


@dataclass(frozen=True)
class Failure:
    """Why a poll or a list failed."""

    reason: str
    """A value of the label `reason`."""
    message: str
    """What happened, for people."""
    remedy: str
    """What to do about it, for people."""


class Poll(msgspec.Struct, frozen=True, gc=False):
    """The outcome of one poll. Small: five are remembered of each image."""

    at: float
    """When it ended, in seconds since the epoch."""
    duration: float
    """Seconds, including the wait for the rate limit."""
    failure: Failure | None = None


@dataclass(frozen=True)
class Description:
    """What a registry list said about one registry. It expires apart from the image list."""

    at: float
    """When the list was read, in seconds since the epoch."""
    hosts: Hosts
    public: bool | None
    """Whether anyone may pull without logging in; None if unknown."""
    scan_on_push: bool | None = None
    """Whether pushes are scanned for vulnerabilities; None if unknown."""


class IdlePattern(NamedTuple):
    """A pattern of the configuration that matched no image: most likely it is mistyped."""

    key: str
    """Where it is written: `images` or `exclude`."""
    pattern: str
    similar: str = ""
    """The listed image, or a glob for several, that was most likely meant; empty if unclear."""
    excluded: bool = False
    """Whether it matches images, all of which `exclude` leaves out."""


@dataclass(frozen=True)
class RegistryState:
    """What is known of a registry, from its image list and from its account's registry list."""

    target: RegistryTarget
    up: bool | None = None
    """Whether the last image list succeeded; None before the first."""
    failure: Failure | None = None
    """Why the last image list failed; None if it succeeded."""
    images: int | None = None
    """Images in the last complete image list that is believed."""
    last_success: float | None = None
    """When the last complete image list was read, in seconds since the epoch."""
    description: Description | None = None
    """What the registry list said; None if it said nothing, or that has expired."""
    glob_images: tuple[tuple[str, int], ...] = ()
    """The globs of `images`, each with the number of images that it matched at the last list."""
    exclude_images: tuple[tuple[str, int], ...] = ()
    """The patterns of `exclude`, each with the number of images that it matched at that list."""
    idle_patterns: tuple[IdlePattern, ...] = ()
    """The patterns that matched none of its images; none for a registry without any."""
    unlisted_changes: int = 0
    """Tag lists that had changed although the image list did not tell."""
    turned_empty: bool = False
    """Whether the last image list was empty and the one before was not."""
    trust: ListTrust = field(default_factory=ListTrust)
    """Whether its image lists tell what is gone."""

    def after_list(self, images: int, at: float, trust: ListTrust) -> "RegistryState":
        """Return the state after a complete list of `images` images, read at `at` (s).

        A list that turns empty is believed only the second time in a row: a registry rarely loses
        all images at once, and a service in trouble may well answer with none.
        """
        turned_empty = images == 0 and bool(self.images) and not self.turned_empty
        return replace(
            self,
            up=True,
            failure=None,
            images=self.images if turned_empty else images,
            turned_empty=turned_empty,
            trust=trust,
            last_success=at,
        )

    @property
    def hosts(self) -> Hosts:
        """Hosts to pull from, by the registry list; else the one of the documented pattern."""
        told = self.description.hosts if self.description else ()
        if told or self.target.is_every:
            return told
        return ((self.target.documented_host, "public"),)

    @property
    def public(self) -> bool | None:
        """Whether anyone may pull without logging in; None if unknown."""
        return self.description.public if self.description else None

    @property
    def scan_on_push(self) -> bool | None:
        """Whether pushes are scanned for vulnerabilities; None if unknown."""
        return self.description.scan_on_push if self.description else None

    @property
    def list_denied(self) -> bool:
        """Whether this key may not read the image list: a 404 for an image then counts alone."""
        return self.failure is not None and self.failure.reason == "permission"


@dataclass(frozen=True)
class DeletedImage:
    """An image found by a glob that does not exist any more, and is remembered for a while."""

    target: ImageTarget
    at: float
    """When that was known, in seconds since the epoch."""


class ImageState(msgspec.Struct, frozen=True, gc=False):
    """What is known of an image: its last complete listing, and how polling it goes."""

    target: ImageTarget
    tags: TagList | None = None
    """The last complete listing; None before the first, after it expired, and if gone."""
    image: ImageSummary | None = None
    """The summary of `tags`."""
    turned_empty: bool = False
    """Whether the last listing was empty and `tags` are those of the one before."""
    up: bool | None = None
    """Whether the last poll succeeded; None before the first."""
    failure: Failure | None = None
    """Why the last poll failed; None if it succeeded."""
    last_success: float | None = None
    """When the last complete listing was read, in seconds since the epoch."""
    duration: float | None = None
    """Seconds that the last poll took."""
    polls: int = 0
    """Polls since the start, successful or not."""
    failures: int = 0
    """Polls since the start that failed."""
    recent: tuple[Poll, ...] = ()
    """The last few polls, newest first."""
    presence: Presence = Presence()
    gone: bool = False
    """Whether the image is known not to exist."""
    pulls: PullCount = PullCount()
    """What image lists said of its pulls."""
    overwritten: int = 0
    """Times that a tag which must not change came with other content."""
    unchanged: int = 0
    """Polls since the start that the image list answered: its entry was unchanged."""
    listed_at: float | None = None
    """When `tags` were listed, in seconds since the epoch: `last_success` may be later."""
    listed_under: Activity | None = None
    """The image's entry in the last image list before that; None if it is not known."""

    def recent_with(self, poll: Poll) -> tuple[Poll, ...]:
        """Return the last few polls once another one has ended."""
        return (poll, *self.recent[: RECENT_POLLS - 1])

    def changed(self, **changes: object) -> "ImageState":
        """Return the state with other values of these fields."""
        return msgspec.structs.replace(self, **changes)

    def verdicts(self, in_use: Usage = NOTHING_IN_USE) -> list[Verdict]:
        """Return the verdict of every tag of the last listing, as of the moment it was read.

        Worked out at each call: only people ask for more than the tags that have series.
        """
        if self.tags is None or self.image is None or self.last_success is None:
            return []
        return verdicts(
            self.tags.tags,
            self.target.policy,
            round(self.last_success * 1000),
            believed=self.image.trusted,
            in_use=in_use,
        )

    @property
    def pull_count(self) -> int | None:
        """Pulls in all, by the image lists; None if unknown."""
        return self.pulls.published

    @property
    def present(self) -> bool | None:
        """Whether the image exists; None if unknown."""
        if self.gone:
            return False
        # A failed poll proves nothing: an image that existed exists until it is known to be gone.
        return True if self.presence.listed or self.last_success is not None else None


class StateListener(Protocol):
    """Called by a store with each state that changes."""

    def put(self, state: ImageState) -> None:
        """Handle the new state of an image."""
        ...

    def put_deleted(self, image: DeletedImage) -> None:
        """Handle that an image was deleted in its registry: only that is published of it."""
        ...

    def remove(self, key: ImageKey) -> None:
        """Handle the removal of an image."""
        ...

    def put_registry(self, state: RegistryState) -> None:
        """Handle the new state of a registry."""
        ...

    def remove_registry(self, label: str) -> None:
        """Handle the removal of a registry."""
        ...
