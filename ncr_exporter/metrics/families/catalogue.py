"""THE table of metrics. Rendering, documents, lint and the golden exposition all derive from it.

To add a metric, add a row to one of the tables joined here. HELP says what the value cannot know,
and as of when it is.
"""

from ncr_exporter.metrics.families.exporter import EXPORTER_FAMILIES
from ncr_exporter.metrics.families.family import Family, ImageFamily, ListingFamily
from ncr_exporter.metrics.families.image import IMAGE_FAMILIES, LAST_PULLED_AGE
from ncr_exporter.metrics.families.polling import POLLING_FAMILIES
from ncr_exporter.metrics.families.registry import REGISTRY_FAMILIES
from ncr_exporter.metrics.families.tag import TAG_FAMILIES

STATE_FAMILIES: tuple[ListingFamily | ImageFamily, ...] = (
    *IMAGE_FAMILIES,
    *TAG_FAMILIES,
    *POLLING_FAMILIES,
)
"""What is rendered when an image's state changes."""

GROUPS: dict[str, tuple[Family, ...]] = {
    "Per image": (*IMAGE_FAMILIES, LAST_PULLED_AGE),
    "Per tag": TAG_FAMILIES,
    "Polling": POLLING_FAMILIES,
    "Per registry": REGISTRY_FAMILIES,
    "API client and exporter": EXPORTER_FAMILIES,
}

FAMILIES: dict[str, Family] = {
    family.name: family for families in GROUPS.values() for family in families
}
"""Every family by name, but for prometheus_client's `process_*` and `python_*`."""
