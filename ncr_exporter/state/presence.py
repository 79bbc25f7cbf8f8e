"""Whether an image exists: what lists and polls say, and when an image is gone. Pure."""

from dataclasses import dataclass, replace

ABSENCES_BELIEVED = 2
"""Complete lists in a row that must lack an image: one list may come from a bad moment."""


@dataclass(frozen=True)
class Presence:
    """What is known of one image."""

    listed: bool | None = None
    """Whether the last complete image list held it; None before the first."""
    absences: int = 0
    not_found: bool = False
    """Whether the service itself said that there is no such image, and no poll succeeded since."""

    def after_list(self, *, listed: bool) -> "Presence":
        """Take a complete image list in."""
        if listed:
            return Presence(listed=True)
        return replace(self, listed=False, absences=self.absences + 1)

    def after_success(self) -> "Presence":
        """Take a successful poll in."""
        return replace(self, not_found=False)

    def after_not_found(self) -> "Presence":
        """Take a 404 in that came from the service itself."""
        return replace(self, not_found=True)

    def gone(self, *, list_denied: bool) -> bool:
        """Tell whether the image is known not to exist.

        A 404 counts only while the list lacks the image, or may not be read: an image that is
        listed has been seen to answer 404 and 500, and must not vanish for it.
        """
        unlisted = self.listed is False or list_denied
        return self.absences >= ABSENCES_BELIEVED or (self.not_found and unlisted)
