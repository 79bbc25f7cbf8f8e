"""From the records of one complete listing to what is published about an image.

Pure: no I/O, no clock, nothing of the project is imported. Times are milliseconds since the epoch,
as NCR reports them; sizes are bytes. `None` is unknown throughout, and unknown is never published
as 0.
"""

from ncr_exporter.inventory.facts import TagFacts, is_never_pulled
from ncr_exporter.inventory.image import ImageSummary, summarize
from ncr_exporter.inventory.in_use import NOTHING_IN_USE, Running, Usage, usage_of
from ncr_exporter.inventory.overwritten import Overwritten, overwritten_tags
from ncr_exporter.inventory.records import NEVER, Platform, Policy, Tag, is_platform
from ncr_exporter.inventory.staleness import Knowledge
from ncr_exporter.inventory.tag_list import TagList, records_pulls, unpacked_safely
from ncr_exporter.inventory.verdicts import Reason, Verdict, verdicts

__all__ = [
    "NEVER",
    "NOTHING_IN_USE",
    "ImageSummary",
    "Knowledge",
    "Overwritten",
    "Platform",
    "Policy",
    "Reason",
    "Running",
    "Tag",
    "TagFacts",
    "TagList",
    "Usage",
    "Verdict",
    "is_never_pulled",
    "is_platform",
    "overwritten_tags",
    "records_pulls",
    "summarize",
    "unpacked_safely",
    "usage_of",
    "verdicts",
]
