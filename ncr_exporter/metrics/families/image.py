"""Families with one value per image."""

from math import inf

from ncr_exporter.metrics.families.family import (
    IMAGE,
    AgeFamily,
    ImageFamily,
    ListingFamily,
    Sample,
    of_image,
    of_state,
    seconds,
)
from ncr_exporter.state.model import ImageState

LAST_PULLED_AGE = AgeFamily(
    "ncr_image_last_pulled_age_seconds",
    "Seconds since the newest pull known at the last poll, computed when scraped; not below 0.",
    IMAGE,
    since=lambda image: image.pulled,
)


def _finite(value: float) -> float | None:
    return None if value == inf else value


def _owner(state: ImageState) -> list[Sample]:
    owner = state.target.policy.owner
    return [] if owner is None else [((owner,), 1)]


IMAGE_FAMILIES: tuple[ListingFamily | ImageFamily, ...] = (
    ListingFamily(
        "ncr_image_tags",
        "Distinct tag names, as of the last poll.",
        IMAGE,
        samples=of_image(lambda image: image.tags),
    ),
    ListingFamily(
        "ncr_image_attached_tags",
        "Signatures, attestations and SBOMs among the tags, as of the last poll. They count in "
        "ncr_image_tags and in bytes, and decide nothing else.",
        IMAGE,
        samples=of_image(lambda image: image.attached_tags),
    ),
    ListingFamily(
        "ncr_image_size_bytes",
        "Bytes over all platforms of all tags, each distinct digest once, as of the last poll. "
        "An upper bound: layers shared between manifests count in each. Not comparable with tag "
        "sizes.",
        IMAGE,
        samples=of_image(lambda image: image.size),
    ),
    ListingFamily(
        "ncr_image_largest_tag_size_bytes",
        "Size of the largest tag, as ncr_tag_size_bytes, as of the last poll.",
        IMAGE,
        samples=of_image(lambda image: image.largest_tag_size),
    ),
    ListingFamily(
        "ncr_image_newest_tag_size_bytes",
        "Size of the most recently updated tag, as ncr_tag_size_bytes, as of the last poll.",
        IMAGE,
        samples=of_image(lambda image: image.newest_tag_size),
    ),
    ListingFamily(
        "ncr_image_last_pulled_timestamp_seconds",
        "Newest pull of any tag, as of the last poll; absent when never or unknown.",
        IMAGE,
        samples=of_image(lambda image: seconds(image.pulled)),
    ),
    ListingFamily(
        "ncr_image_last_updated_timestamp_seconds",
        "Newest update of any tag, as of the last poll.",
        IMAGE,
        samples=of_image(lambda image: seconds(image.updated)),
    ),
    ListingFamily(
        "ncr_image_last_used_timestamp_seconds",
        "Newest pull or update of any tag, as of the last poll: a new image that nobody pulled "
        "yet is in use.",
        IMAGE,
        samples=of_image(lambda image: seconds(image.used)),
    ),
    ListingFamily(
        "ncr_image_never_pulled_tags",
        "Tags known never to have been pulled, as of the last poll; absent where the registry "
        "shows no pull time at all.",
        IMAGE,
        samples=of_image(lambda image: image.never_pulled_tags),
    ),
    ListingFamily(
        "ncr_image_tags_without_series",
        "Tags that tag_series leaves out of the ncr_tag_* families, as of the last poll.",
        IMAGE,
        samples=of_image(lambda image: image.tags_without_series),
    ),
    ListingFamily(
        "ncr_image_stale_tags",
        "Tags neither pulled nor updated for longer than stale_after, and not kept by keep_recent "
        "or keep_tags, as of the last poll; absent where nothing is known of pulls. Not pulled is "
        "not unused: nodes keep copies.",
        IMAGE,
        samples=of_image(lambda image: image.stale_tags),
    ),
    ListingFamily(
        "ncr_image_reclaimable_bytes",
        "Bytes that only stale tags refer to, counted as in ncr_image_size_bytes, as of the last "
        "poll. An upper bound: layers may be shared with tags that stay. Not pulled is not unused: "
        "nodes keep copies.",
        IMAGE,
        samples=of_image(lambda image: image.reclaimable),
    ),
    ListingFamily(
        "ncr_image_oversized_tags",
        "Tags larger than tag_size_limit, as of the last poll; absent without such a limit.",
        IMAGE,
        samples=of_image(lambda image: image.oversized_tags),
    ),
    ImageFamily(
        "ncr_image_overwritten_tags_total",
        "Times that a tag which immutable_tags matches came with other content than before, as of "
        "the last poll.",
        IMAGE,
        "counter",
        samples=of_state(
            lambda state: state.overwritten if state.target.policy.immutable_tags else None
        ),
    ),
    ImageFamily(
        "ncr_image_info",
        "1; whose image it is, by the configuration in force; absent where it names no owner.",
        (*IMAGE, "owner"),
        samples=_owner,
    ),
    ImageFamily(
        "ncr_image_pulls_total",
        "Pulls of the image as its registry counts them, as of the last image list.",
        IMAGE,
        "counter",
        samples=of_state(lambda state: state.pull_count),
    ),
    ImageFamily(
        "ncr_image_stale_after_seconds",
        "The threshold in force: unused for longer is stale; absent where switched off.",
        IMAGE,
        samples=of_state(lambda state: _finite(state.target.policy.stale_after)),
    ),
    ImageFamily(
        "ncr_image_tag_size_limit_bytes",
        "The threshold in force: a tag larger than this is oversized; absent where not configured.",
        IMAGE,
        samples=of_state(lambda state: state.target.policy.tag_size_limit),
    ),
    ImageFamily(
        "ncr_image_tags_limit",
        "The threshold in force: more tags than this is too many; absent where not configured.",
        IMAGE,
        samples=of_state(lambda state: state.target.policy.tags_limit),
    ),
)
