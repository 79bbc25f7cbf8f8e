"""Which polls the image list answers: a newer one whose entry of the image is unchanged.

Pure: each moment is given, in monotonic seconds.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from ncr_exporter.ncr.listing import ReadPage
from ncr_exporter.ncr.pages import Activity, ListedImage
from ncr_exporter.targets.targets import ImageKey, Timing


class ImageList(NamedTuple):
    """A complete image list."""

    began: float
    """When its first page was asked for: an entry in it is not of before."""
    ended: float
    at: float
    """When it ended, in seconds since the epoch."""
    entries: dict[str, Activity]
    """Image → what a pull or a push changes in its record."""


class _Basis(msgspec.Struct, frozen=True, gc=False):
    """What is known of the last listing of an image's tags."""

    entry: Activity
    """The image's entry in the newest image list before the listing."""
    listed: float
    """When the tags were listed."""
    confirmed: float
    """When they were listed, or known from an image list to be unchanged."""
    contradicted: bool
    """Whether the tags had changed, and the entry had not yet."""


@dataclass
class Relisting:
    """Compares each image's entry in the newest image list with the one it was listed under.

    The entry before a listing counts, not the one after: a push between the two is seen twice
    rather than never.
    """

    _lists: dict[str, ImageList] = field(default_factory=dict)
    """The newest image list by registry; none where it failed, or contradicts itself."""
    _bases: dict[ImageKey, _Basis] = field(default_factory=dict)
    _distrusted: set[str] = field(default_factory=set)
    """Registries in which tags changed and the entry never did."""

    def record_list(self, registry: str, images: ImageList) -> None:
        """Record a complete image list of a registry."""
        self._lists[registry] = images

    def forget_list(self, registry: str) -> None:
        """Believe no earlier list of a registry: the newest one failed, or contradicts itself."""
        self._lists.pop(registry, None)

    def entry(self, key: ImageKey) -> Activity | None:
        """Return an image's entry in the newest list; None if there is none or it lacks a value."""
        images = self._lists.get(key[0])
        return images.entries.get(key[1]) if images else None

    def record_tags(
        self, key: ImageKey, entry: Activity | None, at: float, *, changed: bool
    ) -> None:
        """Record that an image's tags were listed at `at`.

        `entry` is the image's before that listing. `changed`: the tags differ from the listing
        before.
        """
        before = self._bases.pop(key, None)
        if entry is not None:
            contradicted = changed and before is not None and before.entry == entry
            self._bases[key] = _Basis(entry, at, at, contradicted)

    def restore(self, key: ImageKey, entry: Activity, listed: float) -> None:
        """Record what an earlier run knew: tags that were listed at `listed`, under `entry`."""
        self._bases[key] = _Basis(entry, listed, listed, contradicted=False)

    def forget(self, key: ImageKey) -> None:
        """Forget an image."""
        self._bases.pop(key, None)

    def forget_registry(self, registry: str) -> None:
        """Forget a registry, and trust it again if it comes back."""
        self.forget_list(registry)
        self._distrusted.discard(registry)

    def is_contradicted(self, key: ImageKey) -> bool:
        """Return whether a newer list still has the entry that the tags had changed under.

        Its registry's image lists are not believed from then on.
        """
        basis, images = self._bases.get(key), self._lists.get(key[0])
        if basis is None or images is None or not basis.contradicted:
            return False
        if images.began <= basis.listed:
            return False  # as old as the change
        self._bases[key] = msgspec.structs.replace(basis, contradicted=False)
        if images.entries.get(key[1]) != basis.entry:
            return False  # it came late
        self._distrusted.add(key[0])
        return True

    def confirm(self, key: ImageKey, timing: Timing, now: float) -> ImageList | None:
        """Return the image list that answers a poll at `now`; None where the tags must be listed.

        Each poll brings something new, or has what is at most an interval old: after a restart an
        image's moment may come again before that of its registry's list.
        """
        basis, images = self._bases.get(key), self._lists.get(key[0])
        if basis is None or images is None or not self._holds(key, basis, images, timing, now):
            return None
        is_new = images.began > basis.confirmed or now - images.ended <= timing.interval
        if not is_new or images.began <= basis.listed:
            return None
        self._bases[key] = _Basis(basis.entry, basis.listed, images.ended, basis.contradicted)
        return images

    def may_be_confirmed(
        self, key: ImageKey, timing: Timing, now: float, *, unlisted: bool
    ) -> bool:
        """Return whether the next image list may answer a poll that none answers at `now`.

        `unlisted`: no list was read yet.
        """
        basis, images = self._bases.get(key), self._lists.get(key[0])
        if basis is None or (images is None and not unlisted):
            return False  # the newest list failed, or contradicts itself
        return self._holds(key, basis, images, timing, now)

    def _holds(
        self, key: ImageKey, basis: _Basis, images: ImageList | None, timing: Timing, now: float
    ) -> bool:
        """Return whether nothing speaks against an image's last listing at `now`."""
        if images is not None and images.entries.get(key[1]) != basis.entry:
            return False
        if timing.relist_after is None or key[0] in self._distrusted:
            return False
        # Rounded to a whole poll: a listing ends a little after its tick.
        return now - basis.listed + timing.interval / 2 < timing.relist_after


def entries_of(
    pages: Iterable[ReadPage[ListedImage]],
) -> Generator[None, None, dict[str, Activity]]:
    """Return image → its entry, where all is known that a pull or a push changes.

    Each page is a step. Of two records with one name the one read later counts.
    """
    entries: dict[str, Activity] = {}
    for read in pages:
        for image in read.page.records:
            if (entry := image.activity) is not None:
                entries[image.name] = entry
            else:
                entries.pop(image.name, None)
        yield
    return entries
