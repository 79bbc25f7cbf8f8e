"""Whether an image exists, and when it is gone, by image lists and by its own polls. Pure."""

from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

ABSENCES_UNTIL_GONE = 2
"""Complete lists in a row that must lack an image or registry: a single one may be an error."""
SHORT_LISTS_DOUBTED = 4
"""Lists in a row, each with fewer names than its own count, that do not tell what is gone. Where
more follow, the count is taken for one of something else."""


@dataclass(frozen=True)
class ListTrust:
    """Whether the lists of a registry tell what is gone."""

    short_lists: int = 0
    """Lists in a row with fewer names than their own count."""
    is_whole: bool = True
    """Whether every record of the last list had a usable name."""

    def after_list(self, *, short: bool, left_out: int) -> "ListTrust":
        """Return the trust after a list that is `short` of its count, and left records out."""
        return ListTrust(self.short_lists + 1 if short else 0, not left_out)

    @property
    def tells_what_is_gone(self) -> bool:
        """Whether what the last list lacks counts as absent."""
        return self.is_whole and not 0 < self.short_lists <= SHORT_LISTS_DOUBTED


class Presence(msgspec.Struct, frozen=True, gc=False):
    """What image lists and polls say about the existence of one image."""

    listed: bool | None = None
    """Whether the last complete image list held it; None before the first."""
    absences: int = 0
    """Complete image lists in a row that lacked it."""
    not_found: bool = False
    """Whether a poll was answered 404 by the service itself, and none succeeded since."""

    def after_list(self, *, listed: bool) -> "Presence":
        """Return the presence after a complete image list that holds the image, or lacks it."""
        if listed:
            return _LISTED  # nearly every image of every list
        return replace(self, listed=False, absences=self.absences + 1)

    def after_success(self) -> "Presence":
        """Return the presence after a successful poll."""
        return replace(self, not_found=False) if self.not_found else self

    def after_not_found(self) -> "Presence":
        """Return the presence after a poll that the service itself answered with 404."""
        return replace(self, not_found=True)

    def is_gone(self, *, list_denied: bool) -> bool:
        """Return whether the image is known not to exist.

        A 404 counts only if the last list lacks the image too, or if the list may not be read
        (`list_denied`). The API has been seen to answer 404 and 500 for images that exist.
        """
        unlisted = self.listed is False or list_denied
        return self.absences >= ABSENCES_UNTIL_GONE or (self.not_found and unlisted)


_LISTED = Presence(listed=True)
