"""From the records of one complete listing to what is published about an image.

Pure: no I/O, no clock, nothing of the project is imported. Times are milliseconds since the epoch,
as NCR reports them; sizes are bytes. `None` is unknown throughout, and unknown is never published
as 0.
"""

from ncr_exporter.inventory.image import ImageSummary, summarize
from ncr_exporter.inventory.records import NEVER, Platform, Policy, Tag, TagFacts, newest_first
from ncr_exporter.inventory.staleness import Knowledge, records_pulls, stale_by_name

__all__ = [
    "NEVER",
    "ImageSummary",
    "Knowledge",
    "Platform",
    "Policy",
    "Tag",
    "TagFacts",
    "newest_first",
    "records_pulls",
    "stale_by_name",
    "summarize",
]
