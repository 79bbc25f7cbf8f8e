"""The table of metrics. Rendering, documentation, lint and golden files are derived from it.

To add a metric, add a row to one of the tables joined here. Its HELP says as of when the value is,
and what it cannot know.
"""

from ncr_exporter.metrics.families.exporter import EXPORTER_FAMILIES
from ncr_exporter.metrics.families.family import Family, RenderedFamily
from ncr_exporter.metrics.families.image import IMAGE_FAMILIES, LAST_PULLED_AGE
from ncr_exporter.metrics.families.polling import POLLING_FAMILIES
from ncr_exporter.metrics.families.registry import REGISTRY_FAMILIES
from ncr_exporter.metrics.families.tag import TAG_FAMILIES

RENDERED_FAMILIES: tuple[RenderedFamily, ...] = (
    *IMAGE_FAMILIES,
    *TAG_FAMILIES,
    *POLLING_FAMILIES,
)
"""The families whose lines are rendered when an image's state changes, in published order."""

SECTIONS: dict[str, tuple[Family, ...]] = {
    "Per image": (*IMAGE_FAMILIES, LAST_PULLED_AGE),
    "Per tag": TAG_FAMILIES,
    "Polling": POLLING_FAMILIES,
    "Per registry": REGISTRY_FAMILIES,
    "API client and exporter": EXPORTER_FAMILIES,
}
"""All families by section of docs/metrics.md."""

FAMILIES: dict[str, Family] = {
    family.name: family for families in SECTIONS.values() for family in families
}
"""All families by name, except prometheus_client's `process_*` and `python_*`."""
