"""Counters by registry: fifty and more series for each, so that writing them must cost little.

prometheus_client takes ten times as long per line, which a hundred registries would feel at each
scrape. It keeps the exporter's other metrics.
"""

from ncr_exporter.metrics.families.family import Family
from ncr_exporter.metrics.text import header, label_pair, series


class Counters:
    """One family of counters; the first of its labels is the registry."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._counts: dict[tuple[str, ...], int] = {}
        self._series: dict[tuple[str, ...], str] = {}

    def add(self, *labels: str) -> None:
        """Begin with a series at 0, so that a rate sees its first increase."""
        if labels not in self._counts:
            pairs = ",".join(map(label_pair, self._family.labels, labels))
            self._series[labels] = series(self._family.name, pairs)
            self._counts[labels] = 0

    def count(self, *labels: str, by: int = 1) -> None:
        """Count one more, or several."""
        self.add(*labels)
        self._counts[labels] += by

    def remove(self, registry: str) -> None:
        """Remove a registry's series."""
        for labels in [labels for labels in self._counts if labels[0] == registry]:
            del self._counts[labels], self._series[labels]

    def text(self, *, openmetrics: bool) -> bytes:
        """Return the family."""
        lines = [f"{self._series[labels]} {count}\n" for labels, count in self._counts.items()]
        return header(self._family, openmetrics=openmetrics) + "".join(lines).encode()
