"""Families with one value per image."""

from math import inf

from ncr_exporter.metrics.families.family import (
    IMAGE_LABELS,
    AgeFamily,
    StateFamily,
    SummaryFamily,
    seconds,
)

LAST_PULLED_AGE = AgeFamily(
    "ncr_image_last_pulled_age_seconds",
    "Seconds since the newest pull known at the last poll, computed at each scrape. Never below 0.",
    labels=IMAGE_LABELS,
    since=lambda summary: summary.pulled,
)


def _finite(value: float) -> float | None:
    return None if value == inf else value


IMAGE_FAMILIES: tuple[SummaryFamily | StateFamily, ...] = (
    SummaryFamily(
        "ncr_image_tags",
        "Distinct tag names, as of the last poll.",
        labels=IMAGE_LABELS,
        value=lambda summary: summary.tags,
    ),
    SummaryFamily(
        "ncr_image_attached_tags",
        "Signatures, attestations and SBOMs among the tags, as of the last poll. They count in "
        "ncr_image_tags and in bytes, and decide nothing else.",
        labels=IMAGE_LABELS,
        value=lambda summary: summary.attached_tags,
    ),
    SummaryFamily(
        "ncr_image_size_bytes",
        "Bytes of all platforms of all tags, as of the last poll. Each distinct platform digest "
        "counts once. An upper bound: layers shared between platforms count in each. Not "
        "comparable with tag sizes.",
        labels=IMAGE_LABELS,
        value=lambda summary: summary.size,
    ),
    SummaryFamily(
        "ncr_image_largest_tag_size_bytes",
        "The ncr_tag_size_bytes of the largest tag, as of the last poll.",
        labels=IMAGE_LABELS,
        value=lambda summary: summary.largest_tag_size,
    ),
    SummaryFamily(
        "ncr_image_newest_tag_size_bytes",
        "The ncr_tag_size_bytes of the most recently updated tag, as of the last poll.",
        labels=IMAGE_LABELS,
        value=lambda summary: summary.newest_tag_size,
    ),
    SummaryFamily(
        "ncr_image_last_pulled_timestamp_seconds",
        "Time of the newest pull of any tag, as of the last poll. Absent if never pulled or "
        "unknown.",
        labels=IMAGE_LABELS,
        value=lambda summary: seconds(summary.pulled),
    ),
    SummaryFamily(
        "ncr_image_last_updated_timestamp_seconds",
        "Time of the newest update of any tag, as of the last poll.",
        labels=IMAGE_LABELS,
        value=lambda summary: seconds(summary.updated),
    ),
    SummaryFamily(
        "ncr_image_last_used_timestamp_seconds",
        "Time of the newest pull or update of any tag, as of the last poll. A new image that "
        "nobody has pulled yet is in use.",
        labels=IMAGE_LABELS,
        value=lambda summary: seconds(summary.used),
    ),
    SummaryFamily(
        "ncr_image_never_pulled_tags",
        "Tags known never to have been pulled, as of the last poll. Absent if nothing is known of "
        "the image's pulls.",
        labels=IMAGE_LABELS,
        value=lambda summary: summary.never_pulled_tags,
    ),
    SummaryFamily(
        "ncr_image_tags_without_series",
        "Tags that have no ncr_tag_* series because of tag_series, as of the last poll.",
        labels=IMAGE_LABELS,
        value=lambda summary: summary.tags_without_series,
    ),
    SummaryFamily(
        "ncr_image_stale_tags",
        "Tags neither pulled nor updated for longer than stale_after, as of the last poll. Tags "
        "kept by keep_recent or keep_tags do not count. Absent if nothing is known of the image's "
        "pulls. Not pulled is not unused: nodes keep copies.",
        labels=IMAGE_LABELS,
        value=lambda summary: summary.stale_tags,
    ),
    SummaryFamily(
        "ncr_image_reclaimable_bytes",
        "Bytes that only stale tags refer to, as of the last poll. Counted as in "
        "ncr_image_size_bytes. An upper bound: tags that stay may share layers. What deleting tags "
        "frees, and when, the registry decides. Not pulled is not unused: nodes keep copies.",
        labels=IMAGE_LABELS,
        value=lambda summary: summary.reclaimable,
    ),
    SummaryFamily(
        "ncr_image_oversized_tags",
        "Tags larger than tag_size_limit, as of the last poll. Absent without that limit.",
        labels=IMAGE_LABELS,
        value=lambda summary: summary.oversized_tags,
    ),
    StateFamily(
        "ncr_image_overwritten_tags_total",
        "Times that a tag which immutable_tags matches came with other content than before, as of "
        "the last poll.",
        labels=IMAGE_LABELS,
        type="counter",
        value=lambda state: state.overwritten if state.target.policy.immutable_tags else None,
    ),
    StateFamily(
        "ncr_image_info",
        "Always 1. Whose image it is, by the configuration in force. Absent without an owner.",
        labels=(*IMAGE_LABELS, "owner"),
        value=lambda state: None if state.target.policy.owner is None else 1,
        more_label=lambda state: state.target.policy.owner or "",
    ),
    StateFamily(
        "ncr_image_pulls_total",
        "Pulls of the image as counted by its registry, as of the last image list.",
        labels=IMAGE_LABELS,
        type="counter",
        value=lambda state: state.pull_count,
    ),
    StateFamily(
        "ncr_image_stale_after_seconds",
        "The threshold in force: a tag unused for longer is stale. Absent if switched off.",
        labels=IMAGE_LABELS,
        value=lambda state: _finite(state.target.policy.stale_after),
    ),
    StateFamily(
        "ncr_image_tag_size_limit_bytes",
        "The threshold in force: a larger tag is oversized. Absent if not configured.",
        labels=IMAGE_LABELS,
        value=lambda state: state.target.policy.tag_size_limit,
    ),
    StateFamily(
        "ncr_image_tags_limit",
        "The threshold in force: an image with more tags has too many. Absent if not configured.",
        labels=IMAGE_LABELS,
        value=lambda state: state.target.policy.tags_limit,
    ),
)
