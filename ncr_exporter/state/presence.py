"""Whether an image exists, and when it is gone, by image lists and by its own polls. Pure."""

from dataclasses import dataclass, replace

ABSENCES_UNTIL_GONE = 2
"""Complete lists in a row that must lack an image or registry: a single one may be an error."""


@dataclass(frozen=True)
class Presence:
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
            return Presence(listed=True)
        return replace(self, listed=False, absences=self.absences + 1)

    def after_success(self) -> "Presence":
        """Return the presence after a successful poll."""
        return replace(self, not_found=False)

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
