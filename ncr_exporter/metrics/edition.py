"""What is published at one moment, as text and compressed. Never changed, only replaced."""

import zlib
from collections.abc import Generator, Iterator
from functools import cache

from ncr_exporter.metrics.chunks import Chunk
from ncr_exporter.metrics.families.catalogue import STATE_FAMILIES
from ncr_exporter.metrics.families.image import LAST_PULLED_AGE
from ncr_exporter.metrics.families.registry import REGISTRY_FAMILIES
from ncr_exporter.metrics.packing import Packed, deflated, joined, packed
from ncr_exporter.metrics.text import header

_SMALL = 128 * 1024
"""Bytes that are compressed whole each time: blocks of few lines would be twice as large."""
_CHUNKS_AT_A_TIME = 8
"""Whose ages are compressed together."""

Known = dict[tuple[int, bool], Packed]
"""Position of a family, and whether in OpenMetrics → the family with its header."""
Steps = Generator[None, None, Packed]
"""Work that pauses where the event loop may have its turn, and its result."""


class Edition:
    """The lines of every image and registry at one moment."""

    def __init__(
        self,
        chunks: tuple[Chunk, ...],
        registries: tuple[tuple[bytes, ...], ...],
        known: Known,
    ) -> None:
        """`known` are the families that are compressed already; those to come are added."""
        self._chunks = chunks
        self._registries = registries
        self._known = known
        self._heads: dict[bool, Packed] = {}

    def text(self, now: float | None, *, openmetrics: bool) -> Iterator[bytes]:
        """Yield the text in pieces; without `now` (s) it has no ages."""
        for position, family in enumerate(STATE_FAMILIES):
            yield header(family, openmetrics=openmetrics)
            for chunk in self._chunks:
                yield chunk.kept_text(position)
        if now is not None:
            yield header(LAST_PULLED_AGE, openmetrics=openmetrics)
            for chunk in self._chunks:
                yield chunk.ages(now)
        yield self._of_registries(openmetrics=openmetrics)

    def packed(self, now: float, *, openmetrics: bool) -> Steps:
        """Return the same text compressed; what did not change since the last time is joined."""
        if sum(chunk.size for chunk in self._chunks) < _SMALL:
            return packed(b"".join(self.text(now, openmetrics=openmetrics)))
        head = self._heads.get(openmetrics)
        if head is None:
            head = Packed()
            for position in range(len(STATE_FAMILIES)):
                family = yield from self._family(position, openmetrics=openmetrics)
                head = joined((head, family))
            self._heads[openmetrics] = head
        ages = yield from self._ages(now, openmetrics=openmetrics)
        return joined((head, ages, packed(self._of_registries(openmetrics=openmetrics))))

    def _family(self, position: int, *, openmetrics: bool) -> Steps:
        known = self._known.get((position, openmetrics))
        if known is None:
            known = yield from self._compressed(position, openmetrics=openmetrics)
            self._known[position, openmetrics] = known
        return known

    def _compressed(self, position: int, *, openmetrics: bool) -> Steps:
        text, block = _header(position, openmetrics=openmetrics)
        blocks, crc, length = [block], zlib.crc32(text), len(text)
        for chunk in self._chunks:
            is_known, text = chunk.is_deflated(position), chunk.text(position)
            blocks.append(chunk.deflated(position, text))
            crc, length = zlib.crc32(text, crc), length + len(text)
            if not is_known:
                yield
        return Packed(tuple(blocks), crc, length)

    def _ages(self, now: float, *, openmetrics: bool) -> Steps:
        parts = [packed(header(LAST_PULLED_AGE, openmetrics=openmetrics))]
        for start in range(0, len(self._chunks), _CHUNKS_AT_A_TIME):
            chunks = self._chunks[start : start + _CHUNKS_AT_A_TIME]
            parts.append(packed(b"".join([chunk.ages(now) for chunk in chunks])))
            yield
        return joined(parts)

    def _of_registries(self, *, openmetrics: bool) -> bytes:
        lines: list[bytes] = []
        for position, family in enumerate(REGISTRY_FAMILIES):
            lines.append(header(family, openmetrics=openmetrics))
            lines += [blocks[position] for blocks in self._registries]
        return b"".join(lines)


@cache
def _header(position: int, *, openmetrics: bool) -> tuple[bytes, bytes]:
    """Return a family's header, plain and compressed."""
    text = header(STATE_FAMILIES[position], openmetrics=openmetrics)
    return text, deflated(text)
