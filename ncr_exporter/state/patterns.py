"""How many images each pattern of a registry matches, and which match none. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import islice

from ncr_exporter.config.globs import matches
from ncr_exporter.config.suggestions import nearest
from ncr_exporter.state.model import IdlePattern, RegistryState
from ncr_exporter.targets.targets import RegistryTarget

_COMPARED = 1000
"""Names of a list that a pattern is compared with; more would hold the event loop up."""


class PatternCounts:
    """Counts the images of one list that each pattern of a registry matches."""

    def __init__(self, target: RegistryTarget) -> None:
        self._target = target
        self._globs = dict.fromkeys(target.globs, 0)
        self._excludes = dict.fromkeys(target.exclude, 0)

    @property
    def is_needed(self) -> bool:
        """Whether there are patterns."""
        return bool(self._globs or self._excludes)

    def add(self, name: str) -> None:
        """Count a listed image; a glob does not match what `exclude` leaves out."""
        is_excluded = False
        for pattern in self._excludes:
            if matches(name, pattern):
                is_excluded = True
                self._excludes[pattern] += 1
        for glob in self._globs if not is_excluded else ():
            self._globs[glob] += matches(name, glob)

    def of(self, state: RegistryState, listed: Collection[str]) -> RegistryState:
        """Return a registry's state with the counts; unchanged if its patterns are others now.

        `listed` are the names that were counted.
        """
        if patterns_of(state.target) != patterns_of(self._target):
            return state
        return replace(
            state,
            glob_images=tuple(self._globs.items()),
            exclude_images=tuple(self._excludes.items()),
            idle_patterns=tuple(self._idle(state, listed)) if listed else (),
        )

    def _idle(self, state: RegistryState, listed: Collection[str]) -> Iterator[IdlePattern]:
        known = {(each.key, each.pattern): each for each in state.idle_patterns}
        for key, counts in (("images", self._globs), ("exclude", self._excludes)):
            for pattern, count in counts.items():
                if not count:
                    yield known.get((key, pattern)) or _idle_pattern(key, pattern, listed)


def patterns_of(target: RegistryTarget) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the globs of a registry's `images`, and the patterns of its `exclude`."""
    return target.globs, target.exclude


def without_other_patterns(state: RegistryState, target: RegistryTarget) -> RegistryState:
    """Return a registry's state under a changed target: counts of patterns that it still has."""
    excludes = target.exclude
    wanted = {
        *(("images", glob) for glob in target.globs),
        *(("exclude", each) for each in excludes),
    }
    return replace(
        state,
        target=target,
        glob_images=tuple(each for each in state.glob_images if ("images", each[0]) in wanted),
        exclude_images=tuple(each for each in state.exclude_images if each[0] in excludes),
        idle_patterns=tuple(each for each in state.idle_patterns if each[:2] in wanted),
    )


def _idle_pattern(key: str, pattern: str, listed: Collection[str]) -> IdlePattern:
    excluded = key == "images" and any(matches(name, pattern) for name in listed)
    names = islice(listed, _COMPARED)
    similar = None if excluded else nearest(pattern, dict.fromkeys(_alike(names)))
    return IdlePattern(key, pattern, similar or "", excluded=excluded)


def _alike(names: Iterator[str]) -> Iterator[str]:
    """Yield what a pattern may have been meant to be: each name, and a glob for each folder."""
    for name in names:
        yield name
        parts = name.split("/")
        yield from (f"{'/'.join(parts[:end])}/*" for end in range(1, len(parts)))
        yield f"*/{parts[-1]}"
