"""Expositions read back by prometheus_client's two parsers, the oracles of these tests."""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

Key = tuple[str, tuple[tuple[str, str], ...]]
"""A sample's name and its labels, sorted."""


def families_of(text: str, *, openmetrics: bool = False) -> list[Metric]:
    """Return the families of an exposition; it must parse."""
    if openmetrics:
        return list(openmetrics_parser.text_string_to_metric_families(text))  # type: ignore[no-untyped-call] # not annotated upstream
    return list(text_string_to_metric_families(text))


def samples_of(text: str, *, openmetrics: bool = False) -> dict[Key, float]:
    """Return every sample, as the float that Prometheus makes of it; none may stand there twice."""
    found = list(_samples(families_of(text, openmetrics=openmetrics)))
    samples = dict(found)
    assert len(samples) == len(found), "the same sample twice"
    return samples


def _samples(families: Iterable[Metric]) -> Iterable[tuple[Key, float]]:
    for family in families:
        for sample in family.samples:
            yield key_of(sample), float(sample.value)


def key_of(sample: Sample) -> Key:
    """Return a sample's name and labels."""
    return sample.name, tuple(sorted(sample.labels.items()))
