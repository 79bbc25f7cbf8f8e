"""Image: one image over time, and its tags."""

from tools.dashboards.common import (
    COST,
    DATASOURCE_VARIABLE,
    JOB,
    NO_PRICE,
    NODES,
    PRICE,
    RECLAIMABLE,
    UPPER_BOUND,
    polls_fail,
)
from tools.dashboards.look import (
    ANY_IS_WORTH_A_LOOK,
    BLUE,
    GREEN,
    PLAIN,
    RED,
    SHARE_OF_A_LIMIT,
    YELLOW,
    Json,
    Query,
    Words,
)
from tools.dashboards.panels import lines, named_stat, shares, stat
from tools.dashboards.promql import ONE_IMAGE, ago, cost, days, days_since, milliseconds
from tools.dashboards.shell import (
    EXPORTER,
    IMAGE,
    OVERVIEW,
    Dashboard,
    Section,
    Shelf,
    annotation,
    link,
    variable,
)
from tools.dashboards.tables import Column, Key, table


def _the(metric: str) -> str:
    """Return the image's value, whichever exporters watch it."""
    return f"max({metric}{{{ONE_IMAGE}}})"


def _tags(metric: str, *further: str) -> str:
    """Return a value per tag."""
    return f"max by ({', '.join(('tag', *further))}) ({metric}{{{ONE_IMAGE}}})"


_PLATFORM = ("os", "architecture", "variant")
_USED = _the("ncr_image_last_used_timestamp_seconds")

_BYTES = _the("ncr_image_reclaimable_bytes")

_JUDGED = f"({_the('ncr_image_tags')} - {_the('ncr_image_attached_tags')})"
_NEVER = f"(0 * ({_the('ncr_image_never_pulled_tags')} >= {_JUDGED}) - 1)"
"""-1 where no tag was ever pulled, nothing else."""

_CLEAN_UP: tuple[Json, ...] = (
    stat("Reclaimable", RECLAIMABLE, _BYTES, unit="decbytes"),
    stat("Cost a month", COST, cost(_BYTES), empty=NO_PRICE),
    stat(
        "Stale tags",
        f"Tags unused for longer than stale_after. {NODES}",
        _the("ncr_image_stale_tags"),
        steps=ANY_IS_WORTH_A_LOOK,
    ),
    stat(
        "Unused",
        "Days since the last pull or push.",
        days_since(_USED),
        unit="suffix:d",
        decimals=0,
    ),
    stat(
        "Last pull",
        "Days since the newest pull of any tag.",
        f"{days_since(_the('ncr_image_last_pulled_timestamp_seconds'))} or {_NEVER}",
        unit="suffix:d ago",
        decimals=0,
        words={-1: ("never", YELLOW)},
    ),
    stat(
        "Last push",
        "Days since the newest update of any tag.",
        days_since(_the("ncr_image_last_updated_timestamp_seconds")),
        unit="suffix:d ago",
        decimals=0,
    ),
)

_NOW: tuple[Json, ...] = (
    named_stat(
        "Owner",
        "Whose image it is, where the exporter's configuration says so.",
        f"max by (owner) (ncr_image_info{{{ONE_IMAGE}}})",
        "{{owner}}",
        empty="not configured, or no answer",
    ),
    stat(
        "Size",
        f"Bytes over all platforms of all tags, each digest once. {UPPER_BOUND}",
        _the("ncr_image_size_bytes"),
        unit="decbytes",
    ),
    stat("Tags", "Distinct tag names.", _the("ncr_image_tags")),
    stat(
        "Overwritten tags",
        "Times within the dashboard's time range that a tag which immutable_tags matches came with "
        "other content. Unknown, too, where no such tags are configured.",
        f"round(max(increase(ncr_image_overwritten_tags_total{{{ONE_IMAGE}}}[$__range])))",
        steps=ANY_IS_WORTH_A_LOOK,
    ),
    stat(
        "Polls",
        "Whether the last poll succeeded. When it failed, what is shown is older: see the age.",
        f"(2 * (1 - {_the('ncr_image_present')}) > 0) or {_the('ncr_image_up')}",
        words={1: ("ok", GREEN), 0: ("fail", RED), 2: ("no such image", RED)},
    ),
    stat(
        "Age of the data",
        "Time since a poll last succeeded.",
        ago(_the("ncr_image_last_success_timestamp_seconds")),
        unit="s",
        decimals=0,
    ),
)

_OVER_TIME: tuple[Json, ...] = (
    lines(
        "Tags",
        "Tags over time, and tags_limit where configured. A step down is a clean-up. Attached are "
        "signatures, attestations and SBOMs. Tags that tag_series leaves out of the table below "
        "count everywhere else.",
        [
            Query(_the("ncr_image_tags"), "tags", BLUE),
            Query(_the("ncr_image_stale_tags"), "stale", YELLOW),
            Query(_the("ncr_image_never_pulled_tags"), "never pulled", "purple"),
            Query(_the("ncr_image_attached_tags"), "attached", "super-light-blue"),
            Query(_the("ncr_image_tags_without_series"), "not in the table", "gray"),
            Query(_the("ncr_image_tags_limit"), "limit", limit=True),
        ],
        unit="locale",
        many=True,
    ),
    lines(
        "Size",
        f"All platforms of all tags, and bytes that only stale tags refer to. {UPPER_BOUND}",
        [
            Query(_the("ncr_image_size_bytes"), "size", BLUE),
            Query(_the("ncr_image_reclaimable_bytes"), "reclaimable", YELLOW),
        ],
        unit="decbytes",
    ),
    lines(
        "Tag size",
        "Size of the largest and of the newest tag, and tag_size_limit where configured.",
        [
            Query(_the("ncr_image_largest_tag_size_bytes"), "largest", BLUE),
            Query(_the("ncr_image_newest_tag_size_bytes"), "newest", GREEN),
            Query(_the("ncr_image_tag_size_limit_bytes"), "limit", limit=True),
        ],
        unit="decbytes",
    ),
)

_USE: tuple[Json, ...] = (
    lines(
        "Pulls per hour",
        "Pulls as the registry counts them, each point over the hour before it.",
        [Query(f"max(increase(ncr_image_pulls_total{{{ONE_IMAGE}}}[1h]))", "pulls", GREEN)],
        unit="locale",
        decimals=1,
    ),
    lines(
        "Unused for",
        "Time since the last pull, and since the last pull or push; from stale_after on the image "
        "counts as unused.",
        [
            Query(days(_the("ncr_image_last_pulled_age_seconds")), "since the last pull", BLUE),
            Query(days(f"(time() - {_USED})"), "since the last pull or push", GREEN),
            Query(days(_the("ncr_image_stale_after_seconds")), "stale_after", limit=True),
        ],
        unit="suffix:d",
        decimals=1,
    ),
    shares(
        "Against the limits",
        "Share of each limit in force that is used up; a limit that is not configured has no bar.",
        [
            Query(
                f"(time() - {_USED}) / {_the('ncr_image_stale_after_seconds')}",
                "unused, of stale_after",
            ),
            Query(
                f"{_the('ncr_image_tags')} / {_the('ncr_image_tags_limit')}",
                "tags, of tags_limit",
            ),
            Query(
                f"{_the('ncr_image_largest_tag_size_bytes')}"
                f" / {_the('ncr_image_tag_size_limit_bytes')}",
                "largest tag, of tag_size_limit",
            ),
        ],
        SHARE_OF_A_LIMIT,
    ),
)

_STALE_WORDS: Words = {0: ("not stale", PLAIN), 1: ("stale", YELLOW)}

_TAG_TABLE = table(
    "Tags",
    "Tags with series of their own: the newest and the longest unused, as tag_series and "
    "tag_series_by choose, no signatures among them. Last pull is empty where never or "
    "unknown, the state where it is unknown.",
    (Key("tag", "Tag", 180), Key("digest", "Digest", last=True)),
    (
        Column("has series", _tags("ncr_tag_info", "digest")),
        Column("Size", _tags("ncr_tag_size_bytes"), "decbytes", width=110),
        Column(
            "Last pull",
            days_since(_tags("ncr_tag_last_pulled_timestamp_seconds")),
            "suffix:d ago",
            width=130,
            decimals=0,
        ),
        Column(
            "Last push",
            days_since(_tags("ncr_tag_last_updated_timestamp_seconds")),
            "suffix:d ago",
            width=130,
            decimals=0,
        ),
        Column("State", _tags("ncr_tag_stale"), width=90, words=_STALE_WORDS),
    ),
    sort_by="Last push",
    descending=False,
    hidden=("has series",),
)

_PLATFORM_TABLE = table(
    "Platforms",
    "A row per platform of the tags above, where platform_series is on. Size is one platform's; a "
    "tag's own size is never their sum.",
    (
        Key("tag", "Tag", 180),
        Key("os", "OS", 120),
        Key("architecture", "Architecture", 140),
        Key("variant", "Variant", 120),
    ),
    (
        Column("Size", _tags("ncr_tag_platform_size_bytes", *_PLATFORM), "decbytes"),
        Column(
            "Last pull",
            days_since(_tags("ncr_tag_platform_last_pulled_timestamp_seconds", *_PLATFORM)),
            "suffix:d ago",
            decimals=0,
        ),
    ),
    sort_by="Tag",
    empty="No rows: platform_series is off for this image, or no answer.",
)

DASHBOARD = Dashboard(
    uid=IMAGE,
    title="NCR / Image",
    description="One image in NAVER Cloud Container Registry: its tags over time and one by one.",
    variables=(
        DATASOURCE_VARIABLE,
        JOB,
        variable(
            "registry",
            "Registry",
            "The image's registry",
            'ncr_image_poll_interval_seconds{job=~"$job"}',
            everything="",
        ),
        variable(
            "image",
            "Image",
            "The image to look at",
            'ncr_image_poll_interval_seconds{job=~"$job", registry="$registry"}',
            everything="",
        ),
        PRICE,
    ),
    annotations=(
        polls_fail(ONE_IMAGE),
        annotation(
            "Pushes",
            milliseconds(_the("ncr_image_last_updated_timestamp_seconds")),
            colour=BLUE,
            title="Pushed",
            text="A tag was pushed or moved",
            at_value=True,
            shown=False,  # an image pushed all day would be a fence of lines
        ),
        annotation(
            "Tags overwritten",
            f"max(increase(ncr_image_overwritten_tags_total{{{ONE_IMAGE}}}[5m])) > 0",
            colour="purple",
            title="Tag overwritten",
            text="A tag that immutable_tags matches came with other content",
        ),
    ),
    links=(link("Overview", OVERVIEW, "registry", "cost"), link("Exporter", EXPORTER, "registry")),
    time_range="7d",
    sections=(
        Section("Now", (Shelf(3, _CLEAN_UP), Shelf(3, _NOW))),
        Section("Over time", (Shelf(9, _OVER_TIME), Shelf(9, _USE))),
        Section("Tags", (Shelf(12, (_TAG_TABLE,)),)),
        Section(
            "Platforms (with platform_series)", (Shelf(12, (_PLATFORM_TABLE,)),), collapsed=True
        ),
    ),
)
