"""What happens in a soak, and when. Pure: the same seed and length give the same plan."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from ncr_exporter.config.zones import VERSIONS
from ncr_exporter.simulator.faults import FAULTS

ALWAYS = ("alpha", "beta")
"""Registries that every configuration names."""
GUESTS = ("gamma", "delta")
"""Registries that configurations take in and leave out."""
REGISTRIES = (*ALWAYS, *GUESTS)
IMAGES = 12
"""Images of each registry: for each that is born one dies, so that what grows is not the data."""
TAGS = 15

_PAUSES_LONGER_THAN_A_SOAK = {"throttle-absurd", "throttle-silent", "throttle-words"}
SPELLS = tuple(
    name
    for name, fault in FAULTS.items()
    if not fault.certificate and name not in _PAUSES_LONGER_THAN_A_SOAK
)
"""The faults that befall the registry: all whose end is seen within seconds, over plain HTTP."""
_OUTAGE = 13.0
"""Seconds: longer than the configurations' `expire_after`."""
_OUTAGES_EVERY = 12  # spells
_HEAVY = {"endless", "gzip-bomb", "nested"}
"""A few of these answers are enough to see that they leave nothing behind."""

Image = tuple[str, str]
"""A registry and an image of it."""


@dataclass(frozen=True)
class Settings:
    """A configuration of the exporter, as far as soaks change it."""

    guests: frozenset[str] = frozenset()
    every: bool = False
    """Whether `"*"` stands for all registries, those above included."""
    narrow: bool = False
    """Whether of `beta` only the images below `team/` are polled."""
    timeout: int = 2
    """Seconds. Another one needs other clients of the API."""
    tag_series: int = 10
    version: str = "v2"
    """Of the API. Another one needs other clients, too."""
    broken: bool = False
    """Whether the file is one that must be refused."""

    @property
    def selection(self) -> dict[str, str]:
        """Registry → the glob of its images that are polled."""
        names = REGISTRIES if self.every else (*ALWAYS, *sorted(self.guests))
        return {name: "team/*" if name == "beta" and self.narrow else "*" for name in names}

    @property
    def counted(self) -> dict[str, str]:
        """What counters are about: those, and the list of all registries under a label of its own.

        A counter goes on where this stays.
        """
        return self.selection | ({"*": "*"} if self.every else {})


@dataclass(frozen=True)
class Spell:
    """From now on requests whose target contains `where` meet a fault, or the next `times`."""

    fault: str
    where: str = ""
    times: int | None = None


@dataclass(frozen=True)
class Calm:
    """The registry is well again."""


@dataclass(frozen=True)
class Change:
    """Something is pushed to the registry, and as much of it deleted."""

    born: Image | None = None
    dead: Image | None = None
    tagged: tuple[Image, ...] = ()
    """Images that get a tag and lose their oldest one."""


@dataclass(frozen=True)
class Reload:
    """Another configuration is put in the file, and the exporter told."""

    settings: Settings
    by_signal: bool
    """By SIGHUP, else by `POST /-/reload`."""


Happening = Spell | Calm | Change | Reload


@dataclass(frozen=True)
class Step:
    """One thing that happens."""

    at: float
    """Seconds since the start."""
    what: Happening


@dataclass
class Population:
    """Which images there are."""

    images: dict[str, list[str]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def name(self) -> str:
        """Return a name that no image ever had: what is kept by name shows as growth."""
        number = next(self._numbers)
        return f"{'team/' if number % 2 else ''}app-{number}"

    @classmethod
    def first(cls) -> "Population":
        """Return the images that are there at the start."""
        population = cls()
        for registry in REGISTRIES:
            population.images[registry] = [population.name() for _ in range(IMAGES)]
        return population


def plan(seed: int, seconds: float) -> list[Step]:
    """Return everything that happens in a soak of this length, in order."""
    chance = random.Random(seed)  # noqa: S311 -- a soak must be repeatable
    steps = [*_spells(chance, seconds), *_changes(chance, seconds), *_reloads(chance, seconds)]
    return sorted(steps, key=lambda step: step.at)


def _spells(chance: random.Random, seconds: float) -> Iterator[Step]:
    """Yield every fault in turn, in an order of chance, each for a moment; now and then an outage.

    The calm between them is long enough for lists to succeed: what a 404 means depends on that.
    """
    at, names = 2.0, _in_turn(chance)
    for number in count(1):
        is_outage = number % _OUTAGES_EVERY == 0
        lasts = _OUTAGE if is_outage else chance.uniform(0.5, 3.0)
        if at + lasts >= seconds:
            return
        yield Step(at, Spell("unavailable") if is_outage else _spell(next(names), chance))
        yield Step(at + lasts, Calm())
        at += lasts + chance.uniform(1.5, 3.5)


def _in_turn(chance: random.Random) -> Iterator[str]:
    while True:
        yield from chance.sample(SPELLS, len(SPELLS))


def _spell(name: str, chance: random.Random) -> Spell:
    """Return a spell that befalls everything, one registry, or only tag lists."""
    where = chance.choice(("", "/tags?", f"/{chance.choice(REGISTRIES)}"))
    return Spell(name, where, times=6 if name in _HEAVY else None)


def _changes(chance: random.Random, seconds: float) -> Iterator[Step]:
    population, at = Population.first(), 0.0
    while (at := at + chance.uniform(0.2, 0.6)) < seconds:
        yield Step(at, _change(population, chance))


def _change(population: Population, chance: random.Random) -> Change:
    registry = chance.choice(REGISTRIES)
    images = population.images[registry]
    tagged = tuple((registry, image) for image in chance.sample(images, 3))
    if chance.random() > 1 / 2:
        return Change(tagged=tagged)
    dead, born = images.pop(0), population.name()
    images.append(born)
    alive = tuple(image for image in tagged if image[1] != dead)
    return Change(born=(registry, born), dead=(registry, dead), tagged=alive)


def _reloads(chance: random.Random, seconds: float) -> Iterator[Step]:
    """Yield reloads; every other one goes back to the first settings.

    So the lowest use of memory, which is what is judged, is that of the same data.
    """
    at = 1.0
    for number in count():
        at += chance.uniform(2.0, 4.0)
        if at >= seconds:
            return
        settings = Settings() if number % 2 else _others(chance)
        broken = chance.random() < 1 / 6
        by_signal = chance.random() < 1 / 2
        yield Step(at, Reload(replace(settings, broken=broken), by_signal=by_signal))


def _others(chance: random.Random) -> Settings:
    """Return settings that differ from the first in anything."""
    return Settings(
        guests=frozenset(guest for guest in GUESTS if chance.random() < 1 / 2),
        every=chance.random() < 1 / 4,
        narrow=chance.random() < 1 / 4,
        timeout=chance.choice((2, 3)),
        tag_series=chance.choice((5, 10)),
        version=chance.choice(VERSIONS),
    )
