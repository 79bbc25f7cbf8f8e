"""States → lines of the exposition, rendered once per change of a state. Pure."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ncr_exporter.inventory import ImageSummary
from ncr_exporter.metrics.families import RENDERED_FAMILIES
from ncr_exporter.metrics.families.family import (
    IMAGE_LABELS,
    REGISTRY_LABELS,
    Family,
    Number,
    Sample,
    StateFamily,
    TagFamily,
)
from ncr_exporter.metrics.families.image import LAST_PULLED_AGE
from ncr_exporter.metrics.families.polling import PRESENT
from ncr_exporter.metrics.families.registry import REGISTRY_FAMILIES
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.targets.targets import ImageKey

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def label_pair(name: str, value: str) -> str:
    """Return `name="value"`, escaped."""
    if "\\" in value or '"' in value or "\n" in value:  # hardly ever, and `translate` is slow
        value = value.translate(_ESCAPES)
    return f'{name}="{value}"'


def series(name: str, pairs: str) -> str:
    """Return a sample's line up to its value; `pairs` are label pairs joined by commas."""
    return f"{name}{{{pairs}}}"


def sample_line(name: str, pairs: str, value: Number) -> str:
    """Return the line of one sample; `pairs` are label pairs joined by commas.

    Floats are written in Python's shortest form, which both formats read back as the same float.
    """
    return f"{series(name, pairs)} {value!r}\n"


def header(family: Family, *, openmetrics: bool) -> bytes:
    """Return a family's lines of HELP and TYPE, and of UNIT if OpenMetrics has one."""
    name = family.openmetrics_name if openmetrics else family.name
    help_text = family.help_text.translate(_ESCAPES if openmetrics else _HELP_ESCAPES)
    lines = [f"# HELP {name} {help_text}\n", f"# TYPE {name} {family.type}\n"]
    if openmetrics and family.unit:
        lines.append(f"# UNIT {name} {family.unit}\n")
    return "".join(lines).encode()


_LARGE_BLOCK = 64 * 1024
"""Bytes that take a millisecond or two to render: other tasks run before the next block."""


@dataclass(frozen=True, slots=True)
class RenderedImage:
    """An image's lines, to be joined with those of other images family by family."""

    summary: ImageSummary | None
    """The summary that the lines were rendered from."""
    blocks: tuple[bytes, ...]
    """The lines of each of `RENDERED_FAMILIES`, in that order; empty without samples."""
    series: int
    """The number of lines, with that of the age."""
    age_start: str
    """The line of the age up to its value; empty if no pull is known."""
    pulled: float
    """The newest pull, in seconds since the epoch; 0 if none is known."""
    size: int
    """Bytes of the blocks."""

    def age_line(self, now: float) -> str:
        """Return the line of the age at `now` (seconds since the epoch); empty if unknown."""
        if not self.age_start:
            return ""
        return f"{self.age_start}{max(0.0, round(now - self.pulled, 3))!r}\n"


def render(
    state: ImageState, before: RenderedImage | None = None
) -> Generator[None, None, RenderedImage]:
    """Render all lines of an image's state, in steps if they are many.

    `before` are the image's lines so far. Those that depend on the summary alone are reused if the
    summary is still the same object.
    """
    summary, pairs = state.image, ",".join(map(label_pair, IMAGE_LABELS, state.target.key))
    reused = before.blocks if before and before.summary is summary else None
    # The labels of a tag are put together once, not for each of its families.
    tags = _tag_labels(summary, pairs) if summary and reused is None else []
    blocks: list[bytes] = []
    for position, family in enumerate(RENDERED_FAMILIES):
        if isinstance(family, StateFamily):
            blocks.append(_block(family, IMAGE_LABELS, family.samples(state), pairs))
        elif reused is not None:
            blocks.append(reused[position])
        elif summary is None:
            blocks.append(b"")
        elif isinstance(family, TagFamily):
            blocks.append(_tag_block(family, summary, tags))
        else:
            blocks.append(_block(family, IMAGE_LABELS, family.samples(summary), pairs))
        if len(blocks[-1]) > _LARGE_BLOCK and reused is None:
            yield
    return _rendered(summary, tuple(blocks), pairs)


def _tag_labels(summary: ImageSummary, pairs: str) -> list[str]:
    """Return the labels of each exposed tag, from the opening brace, without the closing one."""
    return [f"{{{pairs},{label_pair('tag', tag.name)}" for tag in summary.exposed]


def _tag_block(family: TagFamily, summary: ImageSummary, tags: Sequence[str]) -> bytes:
    name, labels = family.name, tags
    if family.more_label is not None:
        more, values = family.labels[-1], family.more_label(summary)
        labels = [f"{tag},{label_pair(more, it)}" for tag, it in zip(tags, values, strict=True)]
    numbers = family.values(summary)
    return "".join(
        [
            f"{name}{tag}}} {number!r}\n"
            for tag, number in zip(labels, numbers, strict=True)
            if number is not None
        ]
    ).encode()


def _rendered(summary: ImageSummary | None, blocks: tuple[bytes, ...], pairs: str) -> RenderedImage:
    lines = sum(block.count(b"\n") for block in blocks)
    size = sum(map(len, blocks))
    pulled = LAST_PULLED_AGE.since(summary) if summary else None
    if pulled is None:
        return RenderedImage(summary, blocks, lines, "", 0.0, size)
    start = f"{series(LAST_PULLED_AGE.name, pairs)} "
    return RenderedImage(summary, blocks, lines + 1, start, pulled / 1000, size)


def render_deleted(key: ImageKey) -> RenderedImage:
    """Return the lines of an image that was deleted: that it is not present, and nothing else."""
    pairs = ",".join(map(label_pair, IMAGE_LABELS, key))
    blocks = [
        _block(family, IMAGE_LABELS, [((), 0)], pairs) if family.name == PRESENT else b""
        for family in RENDERED_FAMILIES
    ]
    return _rendered(None, tuple(blocks), pairs)


def render_registry(state: RegistryState) -> tuple[bytes, ...]:
    """Return the lines of each of `REGISTRY_FAMILIES`, in that order, for a registry's state."""
    pairs = label_pair("registry", state.target.label)
    return tuple(
        _block(family, REGISTRY_LABELS, family.samples(state), pairs)
        for family in REGISTRY_FAMILIES
    )


def _block(family: Family, common: tuple[str, ...], samples: Iterable[Sample], pairs: str) -> bytes:
    name, names = family.name, family.labels[len(common) :]
    return "".join(
        [sample_line(name, pairs + _more_pairs(names, values), value) for values, value in samples]
    ).encode()


@lru_cache(maxsize=1024)  # two families in a row need the pairs of the same platforms
def _more_pairs(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Return label pairs, each after a comma."""
    return "".join(f",{pair}" for pair in map(label_pair, names, values))
