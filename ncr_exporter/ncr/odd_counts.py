"""Lists whose `count` is not the number of their names: which to read a second time. Pure."""

from dataclasses import dataclass, replace

READINGS_DOUBTED = 3
"""Second readings in a row without another result, until a list's names are believed after one
reading. A list that changes while it is read may differ once or twice by chance."""
CHANGES_DOUBTED = 3
"""Second readings beyond those that a changed difference causes. If none has another result, the
count is taken for one that moves by itself, such as that of all tags of the registry."""
LISTINGS_PER_CHECK = 100
"""One in this many listings of a list that is believed is read a second time all the same. With
`interval: 15m` that is once a day, for 1 % more requests."""


@dataclass(frozen=True, slots=True)
class OddCount:
    """What is known of a list whose `count` differed from its names at the last listing."""

    difference: int = 0
    """The count minus the names, as the last two readings said; 0 before."""
    fruitless: int = 0
    """Second readings in a row without another result, up to a limit."""
    listings: int = 0
    """Listings in a row with a count that differed."""

    @property
    def is_believed(self) -> bool:
        """Whether the names are believed after one reading."""
        return self.fruitless >= READINGS_DOUBTED

    def is_doubted(self, difference: int, phase: int) -> bool:
        """Return whether to read the list a second time after a reading with this difference.

        `phase` is any number of the list: it spreads the checks of many lists over time.
        """
        if self._is_new(difference):
            return True
        return (self.listings + phase) % LISTINGS_PER_CHECK == 0

    def _is_new(self, difference: int) -> bool:
        """Return whether this difference may come from a change while the list was read."""
        if not self.is_believed:
            return True
        moves_by_itself = self.fruitless >= READINGS_DOUBTED + CHANGES_DOUBTED
        return difference != self.difference and not moves_by_itself

    def after_reading(self) -> "OddCount":
        """Return what is known after one more listing, of which one reading was complete."""
        return replace(self, listings=self.listings + 1)

    def after_second_reading(self, difference: int, *, fruitless: bool) -> "OddCount":
        """Return what is known after one more listing, read twice.

        Args:
            difference: the count minus the names in the second reading.
            fruitless: whether the first reading had the same names, or the same difference. A push
                between the two changes the names alone.
        """
        count = self.fruitless + self._is_new(difference) if fruitless else 0
        return OddCount(difference, count, self.listings + 1)


NOT_ODD = OddCount()
"""A list whose count was right at the last listing, or that was not listed yet."""
