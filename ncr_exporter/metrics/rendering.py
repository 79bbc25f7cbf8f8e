"""States → lines of the exposition, rendered once per change of a state. Pure."""

from collections.abc import Generator, Iterable, Sequence
from functools import lru_cache

import msgspec

from ncr_exporter.inventory import ImageSummary
from ncr_exporter.metrics.families import RENDERED_FAMILIES
from ncr_exporter.metrics.families.family import (
    IMAGE_LABELS,
    REGISTRY_LABELS,
    Family,
    Number,
    PlatformFamily,
    Sample,
    StateFamily,
    SummaryFamily,
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


_STATE_FAMILIES = [
    (position, family)
    for position, family in enumerate(RENDERED_FAMILIES)
    if isinstance(family, StateFamily)
]
"""The families that follow from how polling goes, each with its position."""


class SummaryBlocks(msgspec.Struct, frozen=True, gc=False):
    """An image's lines that follow from its summary; they are rendered once for each summary."""

    summary: ImageSummary | None
    blocks: tuple[bytes, ...]
    """The lines of each of `RENDERED_FAMILIES`, in that order; empty without samples, and for
    those that follow from the state."""
    series: int
    size: int


class RenderedImage(msgspec.Struct, frozen=True, gc=False):
    """An image's lines, to be joined with those of other images family by family."""

    pairs: str
    """The label pairs of the image, joined by commas."""
    of_summary: SummaryBlocks
    blocks: tuple[bytes, ...]
    """The lines of each of `RENDERED_FAMILIES`, in that order; empty without samples."""
    series: int
    """The number of lines, with that of the age."""
    pulled: float | None
    """The newest pull, in seconds since the epoch; None if none is known."""
    size: int
    """Bytes of the blocks."""

    def age_line(self, now: float) -> str:
        """Return the line of the age at `now` (seconds since the epoch); empty if unknown."""
        if self.pulled is None:
            return ""
        age = max(0.0, round(now - self.pulled, 3))
        return sample_line(LAST_PULLED_AGE.name, self.pairs, age)


def render(
    state: ImageState, before: RenderedImage | None = None
) -> Generator[None, None, RenderedImage]:
    """Render all lines of an image's state, in steps if they are many.

    `before` are the image's lines so far. Those that depend on the summary alone are reused if the
    summary is still the same object.
    """
    pairs = before.pairs if before else _image_pairs(state.target.key)
    of_summary = before.of_summary if before else _NO_SUMMARY
    if of_summary.summary is not state.image:
        of_summary = yield from _render_summary(state.image, pairs)
    blocks, series, size = list(of_summary.blocks), of_summary.series, of_summary.size
    for position, family in _STATE_FAMILIES:
        if block := _state_block(family, state, pairs):
            blocks[position] = block
            series += 1
            size += len(block)
    pulled = LAST_PULLED_AGE.since(state.image) if state.image else None
    if pulled is None:
        return RenderedImage(pairs, of_summary, tuple(blocks), series, None, size)
    return RenderedImage(pairs, of_summary, tuple(blocks), series + 1, pulled / 1000, size)


def _image_pairs(key: ImageKey) -> str:
    return ",".join(map(label_pair, IMAGE_LABELS, key))


def _state_block(family: StateFamily, state: ImageState, pairs: str) -> bytes:
    number = family.value(state)
    if number is None:
        return b""
    if family.more_label is not None:
        pairs = f"{pairs},{label_pair(family.labels[-1], family.more_label(state))}"
    return sample_line(family.name, pairs, number).encode()


def _render_summary(
    summary: ImageSummary | None, pairs: str
) -> Generator[None, None, SummaryBlocks]:
    if summary is None:
        return _NO_SUMMARY
    # The labels of a tag are put together once, not for each of its families.
    tags = [f"{{{pairs},{label_pair('tag', tag.name)}" for tag in summary.exposed]
    blocks: list[bytes] = []
    for family in RENDERED_FAMILIES:
        if isinstance(family, StateFamily):
            blocks.append(b"")
            continue
        blocks.append(_summary_block(family, summary, pairs, tags))
        if len(blocks[-1]) > _LARGE_BLOCK:
            yield
    lines = sum(block.count(b"\n") for block in blocks)
    return SummaryBlocks(summary, tuple(blocks), lines, sum(map(len, blocks)))


def _summary_block(
    family: SummaryFamily | TagFamily | PlatformFamily,
    summary: ImageSummary,
    pairs: str,
    tags: Sequence[str],
) -> bytes:
    """Return a family's lines.

    `tags` are the labels of each exposed tag, from the opening brace and without the closing one.
    """
    if isinstance(family, TagFamily):
        return _tag_block(family, summary, tags)
    if isinstance(family, PlatformFamily):
        return _block(family, IMAGE_LABELS, family.samples(summary), pairs)
    number = family.value(summary)
    return b"" if number is None else sample_line(family.name, pairs, number).encode()


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


_NO_SUMMARY = SummaryBlocks(None, (b"",) * len(RENDERED_FAMILIES), 0, 0)


def render_deleted(key: ImageKey) -> RenderedImage:
    """Return the lines of an image that was deleted: that it is not present, and nothing else."""
    pairs, blocks = _image_pairs(key), list(_NO_SUMMARY.blocks)
    position = next(n for n, family in enumerate(RENDERED_FAMILIES) if family.name == PRESENT)
    blocks[position] = sample_line(PRESENT, pairs, 0).encode()
    return RenderedImage(pairs, _NO_SUMMARY, tuple(blocks), 1, None, len(blocks[position]))


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
