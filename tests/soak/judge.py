"""Whether a series of measurements grows. Pure.

Only the second half counts: in the first caches fill, and pools reach their size. Of that half each
window's lowest value is taken: what is in flight comes and goes, what leaks stays. A straight line
through them (least squares) tells how much was added; that is growth where it is more than is
allowed and cannot well be chance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import NamedTuple

Point = tuple[float, float]
"""A moment (seconds) and what was measured."""

FEWEST = 12
"""Measurements: with fewer nothing can be said."""
_WINDOWS = 12
_SURE = 3.0
"""Standard errors that the rise must be away from nothing."""
_ENDS = 10
"""The start and the end that people are shown are a series' first and last tenth."""


@dataclass(frozen=True)
class Resource:
    """Something that a program in good health uses no more of as time goes on."""

    name: str
    unit: str
    allowed: float
    """Rise over the judged half that is none. Absolute, and in the unit."""
    shortest: float = 0.0
    """Seconds that a soak must have lasted for it to be judged."""


class Trend(NamedTuple):
    """How a resource went."""

    resource: Resource
    start: float
    middle: float
    end: float
    """Medians of a tenth of the run."""
    rise: float
    """Over the second half, by the line through the lowest values."""
    error: float
    """Standard error of that."""
    per_hour: float
    """The same rise, were it to go on."""
    is_judged: bool

    @property
    def grows(self) -> bool:
        """Whether it grew."""
        sure = self.rise > _SURE * self.error
        return self.is_judged and sure and self.rise > self.resource.allowed


def trend(resource: Resource, points: Sequence[Point]) -> Trend:
    """Return how a resource went, from its measurements in the order of time.

    Raises:
        ValueError: there are too few to say anything.
    """
    if len(points) < FEWEST:
        raise ValueError(f"{resource.name}: {len(points)} measurements are too few")
    slope, error = line(_floors(points[len(points) // 2 :]))
    lasted = points[-1][0] - points[0][0]
    tenth = max(1, len(points) // _ENDS)
    half = lasted / 2
    values = [value for _, value in points]
    middle = (len(values) - tenth) // 2
    return Trend(
        resource,
        start=median(values[:tenth]),
        middle=median(values[middle : middle + tenth]),
        end=median(values[-tenth:]),
        rise=slope * half,
        error=error * half,
        per_hour=slope * 3600,
        is_judged=lasted >= resource.shortest,
    )


def line(points: Sequence[Point]) -> tuple[float, float]:
    """Return the slope of the line through three points or more, and its standard error."""
    middle = fmean(at for at, _ in points)
    level = fmean(value for _, value in points)
    spread = sum((at - middle) ** 2 for at, _ in points)
    slope = sum((at - middle) * (value - level) for at, value in points) / spread
    rest = sum((value - level - slope * (at - middle)) ** 2 for at, value in points)
    return slope, math.sqrt(rest / (len(points) - 2) / spread)


def _floors(points: Sequence[Point]) -> list[Point]:
    """Return the lowest point of each window; of windows as many as there are points for."""
    windows = min(_WINDOWS, len(points) // 2)
    edges = [len(points) * number // windows for number in range(windows + 1)]
    return [min(points[start:end], key=lambda point: point[1]) for start, end in pairwise(edges)]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of all do not exceed; there must be one."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100) - 1)]
