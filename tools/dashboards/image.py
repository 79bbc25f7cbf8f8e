"""Image: one image over time, and its tags."""

from tools.dashboards.common import DATASOURCE_VARIABLE, JOB, NODES, UPPER_BOUND, polls_fail
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
from tools.dashboards.panels import lines, ranking, stat
from tools.dashboards.promql import ONE_IMAGE, milliseconds
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


def _days(seconds: str) -> str:
    """Return days: Grafana would turn 90 of them into 12.9 weeks."""
    return f"{seconds} / 86400"


_PLATFORM = ("os", "architecture", "variant")
_USED = _the("ncr_image_last_used_timestamp_seconds")

_NOW: tuple[Json, ...] = (
    stat(
        "Polls",
        "Whether the last poll succeeded. When it failed, what is shown is older: see the age.",
        f"(2 * (1 - {_the('ncr_image_present')}) > 0) or {_the('ncr_image_up')}",
        words={1: ("ok", GREEN), 0: ("fail", RED), 2: ("no such image", RED)},
    ),
    stat(
        "Age of the data",
        "Time since a poll last succeeded.",
        f"time() - {_the('ncr_image_last_success_timestamp_seconds')}",
        unit="s",
        decimals=0,
    ),
    stat("Tags", "Distinct tag names.", _the("ncr_image_tags")),
    stat(
        "Size",
        f"Bytes over all platforms of all tags, each digest once. {UPPER_BOUND}",
        _the("ncr_image_size_bytes"),
        unit="decbytes",
    ),
    stat(
        "Reclaimable",
        f"Bytes that only stale tags refer to. {UPPER_BOUND} {NODES}",
        _the("ncr_image_reclaimable_bytes"),
        unit="decbytes",
    ),
    stat(
        "Stale tags",
        f"Tags unused for longer than stale_after. {NODES}",
        _the("ncr_image_stale_tags"),
        steps=ANY_IS_WORTH_A_LOOK,
    ),
    stat(
        "Last pull",
        "The newest pull of any tag; empty where never or unknown.",
        milliseconds(_the("ncr_image_last_pulled_timestamp_seconds")),
        unit="dateTimeFromNow",
    ),
    stat(
        "Last push",
        "The newest update of any tag.",
        milliseconds(_the("ncr_image_last_updated_timestamp_seconds")),
        unit="dateTimeFromNow",
    ),
)

_OVER_TIME: tuple[Json, ...] = (
    lines(
        "Tags",
        "Tags over time, and tags_limit where configured. A step down is a clean-up. Tags that "
        "tag_series leaves out of the table below count everywhere else.",
        [
            Query(_the("ncr_image_tags"), "tags", BLUE),
            Query(_the("ncr_image_stale_tags"), "stale", YELLOW),
            Query(_the("ncr_image_never_pulled_tags"), "never pulled", "purple"),
            Query(_the("ncr_image_tags_without_series"), "not in the table", "gray"),
            Query(_the("ncr_image_tags_limit"), "limit", limit=True),
        ],
        unit="short",
    ),
    lines(
        "Size",
        f"All platforms of all tags, and what only stale tags refer to. {UPPER_BOUND}",
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
        unit="short",
    ),
    lines(
        "Unused for",
        "Time since the last pull, and since the last pull or push; from stale_after on the image "
        "counts as unused.",
        [
            Query(_days(_the("ncr_image_last_pulled_age_seconds")), "since the last pull", BLUE),
            Query(_days(f"(time() - {_USED})"), "since the last pull or push", GREEN),
            Query(_days(_the("ncr_image_stale_after_seconds")), "stale_after", limit=True),
        ],
        unit="suffix:d",
    ),
    ranking(
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
        unit="percentunit",
        steps=SHARE_OF_A_LIMIT,
        maximum=1,
        decimals=0,
    ),
)

_STALE_WORDS: Words = {0: ("not stale", PLAIN), 1: ("stale", YELLOW)}

_TAG_TABLE = table(
    "Tags",
    "Tags with series of their own: the newest and the longest unused, as tag_series and "
    "tag_series_by choose. Last pull is empty where never or unknown.",
    (Key("tag", "Tag", 180), Key("digest", "Digest", last=True)),
    (
        Column("has series", _tags("ncr_tag_info", "digest")),
        Column("Size", _tags("ncr_tag_size_bytes"), "decbytes", width=110),
        Column(
            "Last pull",
            milliseconds(_tags("ncr_tag_last_pulled_timestamp_seconds")),
            "dateTimeFromNow",
            width=160,
        ),
        Column(
            "Last push",
            milliseconds(_tags("ncr_tag_last_updated_timestamp_seconds")),
            "dateTimeFromNow",
            width=160,
        ),
        Column("State", _tags("ncr_tag_stale"), width=90, words=_STALE_WORDS),
    ),
    sort_by="Last push",
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
            milliseconds(_tags("ncr_tag_platform_last_pulled_timestamp_seconds", *_PLATFORM)),
            "dateTimeFromNow",
        ),
    ),
    sort_by="Tag",
    empty="platform_series is off for this image",
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
            several=False,
        ),
        variable(
            "image",
            "Image",
            "The image to look at",
            'ncr_image_poll_interval_seconds{job=~"$job", registry="$registry"}',
            several=False,
        ),
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
    ),
    links=(link("Overview", OVERVIEW, "registry"), link("Exporter", EXPORTER, "registry")),
    time_range="7d",
    sections=(
        Section("Now", (Shelf(4, _NOW),)),
        Section("Over time", (Shelf(8, _OVER_TIME), Shelf(8, _USE))),
        Section("Tags", (Shelf(12, (_TAG_TABLE,)),)),
        Section(
            "Platforms (with platform_series)", (Shelf(12, (_PLATFORM_TABLE,)),), collapsed=True
        ),
    ),
)
