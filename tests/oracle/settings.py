"""What the contract's model knows of a configuration; shares no code with the program."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.oracle.computation import Rules

EVERY = "*"


@dataclass(frozen=True)
class Wanted:
    """What the configuration asks of a registry: the first pattern that matches decides."""

    rules: tuple[tuple[str, Rules], ...]
    exclude: tuple[str, ...] = ()

    def named(self) -> list[str]:
        return [pattern for pattern, _ in self.rules if EVERY not in pattern]

    def finds(self, image: str) -> bool:
        """Tell whether an image is wanted that is not named."""
        excluded = any(fnmatchcase(image, pattern) for pattern in self.exclude)
        return not excluded and any(fnmatchcase(image, pattern) for pattern, _ in self.rules)

    def globs(self) -> list[str]:
        return [pattern for pattern, _ in self.rules if EVERY in pattern and pattern != EVERY]

    def matched_by(self, images: Iterable[str]) -> dict[str, int]:
        """Return each glob with the number of images that it matches and nothing excludes."""
        left = [
            image
            for image in images
            if not any(fnmatchcase(image, pattern) for pattern in self.exclude)
        ]
        return {glob: sum(fnmatchcase(name, glob) for name in left) for glob in self.globs()}

    def excluded_by(self, images: Iterable[str]) -> dict[str, int]:
        """Return each pattern of `exclude` with the number of images that it matches."""
        names = list(images)
        return {glob: sum(fnmatchcase(name, glob) for name in names) for glob in self.exclude}

    def rules_of(self, image: str) -> Rules:
        return next(rules for pattern, rules in self.rules if fnmatchcase(image, pattern))


@dataclass(frozen=True)
class Settings:
    """A whole configuration; seconds."""

    named: dict[str, Wanted]
    every: Wanted | None
    interval: float
    expire_after: float
    relist_after: float | None = None
