"""Expositions read back by prometheus_client's two parsers, the oracles of these tests."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

Key = tuple[str, tuple[tuple[str, str], ...]]
"""A sample's name and its labels, sorted."""
_FAMILY = re.compile(r"^(?=# HELP )", re.MULTILINE)
"""Where a family begins: in a HELP or a label's value a line's end is escaped."""


def families_of(text: str, *, openmetrics: bool = False) -> list[Metric]:
    """Return the families of an exposition; it must parse."""
    if openmetrics:
        return list(openmetrics_parser.text_string_to_metric_families(text))  # type: ignore[no-untyped-call] # not annotated upstream
    return list(text_string_to_metric_families(text))


def samples_of(text: str, *, openmetrics: bool = False) -> dict[Key, float]:
    """Return every sample, as the float that Prometheus makes of it; none may stand there twice."""
    if openmetrics:
        found = list(_samples(families_of(text, openmetrics=True)))
    else:
        found = [sample for family in _FAMILY.split(text) for sample in _samples_of_family(family)]
    samples = dict(found)
    assert len(samples) == len(found), "the same sample twice"
    return samples


@lru_cache(maxsize=512)
def _samples_of_family(text: str) -> Sequence[tuple[Key, float]]:
    """Return the samples of one family; between two scrapes most families stay as they were."""
    return list(_samples(families_of(text)))


def _samples(families: Iterable[Metric]) -> Iterable[tuple[Key, float]]:
    for family in families:
        for sample in family.samples:
            yield key_of(sample), float(sample.value)


def key_of(sample: Sample) -> Key:
    """Return a sample's name and labels."""
    return sample.name, tuple(sorted(sample.labels.items()))
