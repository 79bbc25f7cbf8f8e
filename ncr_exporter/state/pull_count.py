"""The pull count of an image: another program's number, published as a counter. Pure.

A counter that falls is taken for one that began again at 0: of a count of 100,000 that dips by 2
and comes back, `increase()` makes 200,000 pulls.
"""

import msgspec
from msgspec.structs import replace


class PullCount(msgspec.Struct, frozen=True, gc=False):
    """What image lists said of an image's pulls, and what of it is published."""

    published: int | None = None
    """None if the last list did not say, or what lists said has expired."""
    highest: int | None = None
    """The last number that was believed; it is kept while none is published."""
    was_lower: bool = False
    """Whether the last number said was lower, and not believed."""

    def after_list(self, said: int | None) -> "PullCount":
        """Return the pull count after a list that said this number, or None for no number.

        A lower number is believed the second time in a row, or at once if it is less than half:
        then the image was deleted and pushed again, or the service began again.
        """
        if said is None:
            return replace(self, published=None)
        if said == self.published == self.highest and not self.was_lower:
            return self  # nearly every image of every list
        dips = self.highest is not None and self.highest / 2 <= said < self.highest
        if dips and not self.was_lower:
            return PullCount(self.highest, self.highest, was_lower=True)
        return PullCount(said, said)

    def expired(self) -> "PullCount":
        """Return the pull count once what lists said is too old to be published."""
        return replace(self, published=None)
