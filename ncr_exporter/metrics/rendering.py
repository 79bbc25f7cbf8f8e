"""States → lines, rendered once when a state changes."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import lru_cache

from ncr_exporter.inventory import ImageSummary
from ncr_exporter.metrics.families.catalogue import STATE_FAMILIES
from ncr_exporter.metrics.families.family import IMAGE, Family, ImageFamily, Number, Sample
from ncr_exporter.metrics.families.image import LAST_PULLED_AGE
from ncr_exporter.metrics.families.polling import PRESENT
from ncr_exporter.metrics.families.registry import REGISTRY_FAMILIES
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.targets.targets import ImageKey

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def label_pair(name: str, value: str) -> str:
    """Return `name="value"`, escaped."""
    return f'{name}="{value.translate(_ESCAPES)}"'


def series(name: str, pairs: str) -> str:
    """Return what stands before a sample's value; `pairs` are label pairs joined by commas."""
    return f"{name}{{{pairs}}}"


def sample_line(name: str, pairs: str, value: Number) -> str:
    """Return one sample; `pairs` are label pairs joined by commas.

    Ints are written whole and floats in Python's shortest form, which both formats read back to
    the same float.
    """
    return f"{series(name, pairs)} {value!r}\n"


def header(family: Family, *, openmetrics: bool) -> bytes:
    """Return a family's TYPE and HELP, and UNIT where OpenMetrics has one."""
    name = family.openmetrics_name if openmetrics else family.name
    help_text = family.help_text.translate(_ESCAPES if openmetrics else _HELP_ESCAPES)
    lines = [f"# HELP {name} {help_text}\n", f"# TYPE {name} {family.type}\n"]
    if openmetrics and family.unit:
        lines.append(f"# UNIT {name} {family.unit}\n")
    return "".join(lines).encode()


_REGISTRY = ("registry",)
_LARGE = 64 * 1024
"""Bytes of a block that took a millisecond or two: others have their turn before the next."""


@dataclass(frozen=True, slots=True)
class RenderedImage:
    """An image's lines, ready to be joined."""

    image: ImageSummary | None
    """What the listing told that these lines say."""
    blocks: tuple[bytes, ...]
    """One per family of the catalogue, in its order; empty where nothing is known."""
    series: int
    """How many samples these lines are, and the age."""
    age_start: str
    """What stands before the age on its line; empty where no pull is known."""
    pulled: float
    """Newest pull in seconds, for the one value that moves between polls."""
    size: int
    """Bytes of the blocks."""

    def age_line(self, now: float) -> str:
        """Return the line of the age at `now` (s), or nothing."""
        if not self.age_start:
            return ""
        return f"{self.age_start}{max(0.0, round(now - self.pulled, 3))!r}\n"


def render(
    state: ImageState, before: RenderedImage | None = None
) -> Generator[None, None, RenderedImage]:
    """Return every line that follows from an image's state; in steps, where they are many.

    `before` are its lines so far: those of a listing that told the same are taken over.
    """
    image, pairs = state.image, ",".join(map(label_pair, IMAGE, state.target.key))
    same = before.blocks if before and before.image is image else None
    blocks: list[bytes] = []
    for position, family in enumerate(STATE_FAMILIES):
        if isinstance(family, ImageFamily):
            blocks.append(_block(family, IMAGE, family.samples(state), pairs))
        elif same is not None:
            blocks.append(same[position])
        else:
            blocks.append(_block(family, IMAGE, family.samples(image), pairs) if image else b"")
            if len(blocks[-1]) > _LARGE:
                yield
    return _rendered(image, tuple(blocks), pairs)


def _rendered(image: ImageSummary | None, blocks: tuple[bytes, ...], pairs: str) -> RenderedImage:
    lines = sum(block.count(b"\n") for block in blocks)
    size = sum(map(len, blocks))
    pulled = LAST_PULLED_AGE.since(image) if image else None
    if pulled is None:
        return RenderedImage(image, blocks, lines, "", 0.0, size)
    start = f"{series(LAST_PULLED_AGE.name, pairs)} "
    return RenderedImage(image, blocks, lines + 1, start, pulled / 1000, size)


def render_deleted(key: ImageKey) -> RenderedImage:
    """Return the lines of an image that was deleted: that it is not present, and nothing else."""
    pairs = ",".join(map(label_pair, IMAGE, key))
    blocks = [
        _block(family, IMAGE, [((), 0)], pairs) if family.name == PRESENT else b""
        for family in STATE_FAMILIES
    ]
    return _rendered(None, tuple(blocks), pairs)


def render_registry(state: RegistryState) -> tuple[bytes, ...]:
    """Return every line that follows from a registry's state, a block per family."""
    pairs = label_pair("registry", state.target.label)
    return tuple(
        _block(family, _REGISTRY, family.samples(state), pairs) for family in REGISTRY_FAMILIES
    )


def _block(family: Family, common: tuple[str, ...], samples: Iterable[Sample], pairs: str) -> bytes:
    name, names = family.name, family.labels[len(common) :]
    return "".join(
        [sample_line(name, pairs + _further(names, values), value) for values, value in samples]
    ).encode()


@lru_cache(maxsize=1024)
def _further(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Return further label pairs, each behind a comma; five families in a row ask for a tag's."""
    return "".join(f",{pair}" for pair in map(label_pair, names, values))
