"""Overview: all images together, what grows, and what nobody uses."""

from tools.dashboards.common import (
    DATASOURCE_VARIABLE,
    JOB,
    NODES,
    REGISTRY,
    THROTTLED,
    UPPER_BOUND,
    polls_fail,
)
from tools.dashboards.look import (
    ANY_IS_WORTH_A_LOOK,
    ANY_IS_WRONG,
    GREEN,
    RED,
    SHARE_OF_A_LIMIT,
    YELLOW,
    Json,
    Query,
)
from tools.dashboards.panels import lines, ranking, stat
from tools.dashboards.promql import (
    growth,
    milliseconds,
    named,
    per_image,
    pulls,
    top,
    union,
    unused,
)
from tools.dashboards.shell import (
    EXPORTER,
    IMAGE,
    OVERVIEW,
    ROW_TO_IMAGE,
    SERIES_TO_IMAGE,
    Dashboard,
    Section,
    Shelf,
    link,
    variable,
)
from tools.dashboards.tables import Column, Key, table

_TAGS = per_image("ncr_image_tags")
_SIZE = per_image("ncr_image_size_bytes")
_RECLAIMABLE = per_image("ncr_image_reclaimable_bytes")
_STALE = per_image("ncr_image_stale_tags")
_UP = per_image("ncr_image_up")
_STALE_AFTER = per_image("ncr_image_stale_after_seconds")
_TAGS_LIMIT = per_image("ncr_image_tags_limit")
_OVERSIZED = per_image("ncr_image_oversized_tags")
_IMAGE = "{{registry}}/{{image}}"

_NOW: tuple[Json, ...] = (
    stat(
        "Images",
        "Images that the exporters watch.",
        f"count({per_image('ncr_image_poll_interval_seconds')})",
    ),
    stat(
        "Tags",
        "Tags of all images, as of their last polls.",
        f"sum({_TAGS})",
    ),
    stat(
        "Size",
        f"Bytes over all platforms of all tags, each digest once within its image. {UPPER_BOUND}",
        f"sum({_SIZE})",
        unit="decbytes",
    ),
    stat(
        "Reclaimable",
        f"Bytes that only stale tags refer to. {UPPER_BOUND} {NODES}",
        f"sum({_RECLAIMABLE})",
        unit="decbytes",
    ),
    stat(
        "Stale tags",
        "Tags neither pulled nor pushed for longer than stale_after, and not kept by keep_recent "
        f"or keep_tags. {NODES}",
        f"sum({_STALE})",
    ),
    stat(
        "Unused images",
        "Images that nobody pulled or pushed for longer than their stale_after.",
        f"sum({unused()} > bool {_STALE_AFTER})",
        steps=ANY_IS_WORTH_A_LOOK,
    ),
    stat(
        "Public registries",
        "Registries that anyone may pull from without logging in.",
        'sum(max by (registry) (ncr_registry_public{job=~"$job", registry=~"$registry"}))',
        steps=ANY_IS_WORTH_A_LOOK,
    ),
    stat(
        "Failing images",
        "Images whose last poll failed: what is shown of them is older.",
        f"sum({_UP} == bool 0)",
        steps=ANY_IS_WRONG,
    ),
)

_PROBLEMS = table(
    "Needs attention",
    "Images whose polls fail, that are missing, that exceed a limit of the configuration, or that "
    "nobody used for longer than stale_after.",
    (
        Key("registry", "Registry"),
        Key("image", "Image", link=ROW_TO_IMAGE),
        Key("problem", "Problem"),
    ),
    (
        Column(
            "Since or how much",
            union(
                named("problem", "failing polls", f"{_UP} == 0"),
                named("problem", "does not exist", f"{per_image('ncr_image_present')} == 0"),
                named("problem", "unused", f"{unused()} > {_STALE_AFTER}"),
                named("problem", "too many tags", f"{_TAGS} > {_TAGS_LIMIT}"),
                named("problem", "oversized tags", f"{_OVERSIZED} > 0"),
            ),
        ),
    ),
    sort_by="Problem",  # the worst come first in the alphabet
    descending=False,
    hidden=("Since or how much",),
    empty="Nothing",
)

_TRENDS: tuple[Json, ...] = (
    lines(
        "Size by registry",
        f"Bytes of all images of a registry. {UPPER_BOUND}",
        [Query(f"sum by (registry) ({_SIZE})", "{{registry}}")],
        unit="decbytes",
        stacked=True,
    ),
    lines(
        "Tags by registry",
        "Tags of all images of a registry.",
        [Query(f"sum by (registry) ({_TAGS})", "{{registry}}")],
        unit="short",
        stacked=True,
    ),
)

_MORE_TRENDS: tuple[Json, ...] = (
    lines(
        "Pulls per hour",
        "Pulls as the registries count them, each point over the hour before it.",
        [Query(f"sum by (registry) ({pulls('1h')})", "{{registry}}")],
        unit="short",
    ),
    lines(
        "Stale tags by registry",
        f"Tags unused for longer than stale_after. A step down is a clean-up. {NODES}",
        [Query(f"sum by (registry) ({_STALE})", "{{registry}}")],
        unit="short",
    ),
    lines(
        "Reclaimable by registry",
        f"Bytes that only stale tags refer to. {UPPER_BOUND}",
        [Query(f"sum by (registry) ({_RECLAIMABLE})", "{{registry}}")],
        unit="decbytes",
    ),
)

_TOP: tuple[Json, ...] = (
    ranking(
        "Largest images",
        f"The ten largest images. {UPPER_BOUND}",
        [Query(top(10, _SIZE), _IMAGE)],
        unit="decbytes",
        links=[SERIES_TO_IMAGE],
    ),
    ranking(
        "Most reclaimable",
        f"Bytes that only stale tags refer to, the ten images with the most. {NODES}",
        [Query(top(10, f"{_RECLAIMABLE} > 0"), _IMAGE)],
        unit="decbytes",
        colour=YELLOW,
        links=[SERIES_TO_IMAGE],
        empty="Nothing",
    ),
    ranking(
        "Unused, of stale_after",
        "Time since the last pull or push as a share of the image's stale_after: from 100 % on an "
        "image counts as unused.",
        [Query(top(10, f"{unused()} / {_STALE_AFTER}"), _IMAGE)],
        unit="percentunit",
        steps=SHARE_OF_A_LIMIT,
        maximum=1,
        decimals=0,
        links=[SERIES_TO_IMAGE],
    ),
    ranking(
        "Most pulled",
        "Pulls within the dashboard's time range, as the registries count them.",
        [Query(top(10, pulls("$__range")), _IMAGE)],
        unit="short",
        colour=GREEN,
        links=[SERIES_TO_IMAGE],
    ),
)

_ALL = table(
    "Images",
    "Every image as of its last poll; growth and pulls are over the dashboard's time range. Three "
    "shares of the limits in force, empty where there is none: time unused, of stale_after; tags, "
    "of tags_limit; the largest tag, of tag_size_limit.",
    (Key("registry", "Registry", 115), Key("image", "Image", link=ROW_TO_IMAGE)),
    (
        Column("Tags", _TAGS, "locale", width=65),
        Column("Size", _SIZE, "decbytes", width=90),
        Column("Growth", growth(), "decbytes", width=95),
        Column("Reclaimable", _RECLAIMABLE, "decbytes", width=100),
        Column("Stale", _STALE, "locale", width=65),
        Column("Pulls", pulls("$__range"), "locale", width=75, decimals=0),
        Column(
            "Last pull",
            milliseconds(per_image("ncr_image_last_pulled_timestamp_seconds")),
            "dateTimeFromNow",
            width=122,
        ),
        Column(
            "Last push",
            milliseconds(per_image("ncr_image_last_updated_timestamp_seconds")),
            "dateTimeFromNow",
            width=122,
        ),
        Column(
            "Of stale_after",
            f"{unused()} / {_STALE_AFTER}",
            "percentunit",
            SHARE_OF_A_LIMIT,
            width=125,
            gauge=True,
            decimals=0,
        ),
        Column(
            "Of tags_limit",
            f"{_TAGS} / {_TAGS_LIMIT}",
            "percentunit",
            SHARE_OF_A_LIMIT,
            width=120,
            gauge=True,
            decimals=0,
        ),
        Column(
            "Of tag_size_limit",
            f"{per_image('ncr_image_largest_tag_size_bytes')}"
            f" / {per_image('ncr_image_tag_size_limit_bytes')}",
            "percentunit",
            SHARE_OF_A_LIMIT,
            width=140,
            gauge=True,
            decimals=0,
        ),
        Column("Polls", _UP, width=65, words={1: ("ok", GREEN), 0: ("fail", RED)}),
    ),
    sort_by="Size",
)

DASHBOARD = Dashboard(
    uid=OVERVIEW,
    title="NCR / Overview",
    description="Images in NAVER Cloud Container Registry: how many, how large, who pulls them.",
    variables=(
        DATASOURCE_VARIABLE,
        JOB,
        REGISTRY,
        variable(
            "image",
            "Image",
            "Images of these registries",
            'ncr_image_poll_interval_seconds{job=~"$job", registry=~"$registry"}',
        ),
    ),
    annotations=(polls_fail(), THROTTLED),
    links=(link("Image", IMAGE), link("Exporter", EXPORTER, "registry")),
    time_range="7d",
    sections=(
        Section("Now", (Shelf(4, _NOW),)),
        Section("Trends", (Shelf(8, (*_TRENDS, _PROBLEMS)), Shelf(8, _MORE_TRENDS))),
        Section("Top images", (Shelf(11, _TOP),)),
        Section("All images", (Shelf(12, (_ALL,)),)),
    ),
)
