"""Overview: what to clean up first, what needs attention, how registries grow, every image."""

from tools.dashboards.cleanup import BYTES, KEPT, SHELVES, SIZE, STALE, UP, USED, WATCHED
from tools.dashboards.common import (
    DATASOURCE_VARIABLE,
    JOB,
    OWNER,
    PRICE,
    REGISTRY,
    THROTTLED,
    UPPER_BOUND,
    polls_fail,
)
from tools.dashboards.look import GREEN, PLAIN, RED, SHARE_OF_A_LIMIT, YELLOW, Json
from tools.dashboards.promql import (
    REGISTRIES,
    cost,
    days_since,
    growth,
    per_image,
    pulls,
    top,
    with_owner,
)
from tools.dashboards.shell import (
    EXPORTER,
    IMAGE,
    OVERVIEW,
    Dashboard,
    Section,
    Shelf,
    link,
    row_to_image,
    row_to_registry,
    variable,
)
from tools.dashboards.tables import Column, Key, table
from tools.dashboards.trends import ATTENTION, TRENDS

_TAGS = per_image("ncr_image_tags")
_TAGS_LIMIT = per_image("ncr_image_tags_limit")
_PULLS = pulls("$__range")
_TOP = 20

_REGISTRY = Key("registry", "Registry", 125, link=row_to_registry(*KEPT))
_IMAGE = Key("image", "Image", link=row_to_image("cost"))


def _ranking(title: str, description: str, column: Column) -> Json:
    """Return the images with the largest values above 0."""
    return table(title, description, (_REGISTRY, _IMAGE), (column,), sort_by=column.title)


_RANKINGS: tuple[Json, ...] = (
    _ranking(
        "Largest images",
        f"The {_TOP} largest images. {UPPER_BOUND}",
        Column("Size", top(_TOP, SIZE), "decbytes", width=170, gauge=True),
    ),
    _ranking(
        "Fastest growing",
        f"The {_TOP} images that grew most over the dashboard's time range.",
        Column("Growth", top(_TOP, growth()), "decbytes", width=170, gauge=True),
    ),
    _ranking(
        "Longest unused",
        f"The {_TOP} images that nobody pulled or pushed for the longest time, for a day at least.",
        Column(
            "Unused",
            top(_TOP, f"floor({days_since(USED)})"),
            "suffix:d",
            width=170,
            gauge=True,
            decimals=0,
        ),
    ),
    _ranking(
        "Most pulled",
        f"The {_TOP} images with the most pulls within the dashboard's time range, as the "
        "registries count them.",
        Column("Pulls", top(_TOP, f"round({_PULLS})"), "locale", width=170, gauge=True),
    ),
)


def _of_registry(metric: str) -> str:
    return f"max by (registry) ({metric}{{{REGISTRIES}}})"


def _summed(expr: str) -> str:
    return f"sum by (registry) ({expr})"


_REGISTRIES = table(
    "Registries",
    "Every registry. Images are those that are watched, listed are those that the registry has. "
    "Public: anyone may pull without logging in. Scanned: pushes are scanned for vulnerabilities; "
    "the results are in the vendor's console alone. Pulls are over the dashboard's time range.",
    (Key("registry", "Registry", link=row_to_registry(*KEPT)), Key("region", "Region", 90)),
    (
        Column("where", f"max by (registry, region) (ncr_registry_info{{{REGISTRIES}}})"),
        Column("Images", f"count by (registry) ({WATCHED})", "locale", width=90),
        Column("Listed", _of_registry("ncr_registry_images"), "locale", width=90),
        Column("Tags", _summed(_TAGS), "locale", width=100),
        Column("Size", _summed(SIZE), "decbytes", width=150, gauge=True),
        Column("Pulls", _summed(f"round({_PULLS})"), "locale", width=120),
        Column(
            "Public",
            _of_registry("ncr_registry_public"),
            width=90,
            words={0: ("no", PLAIN), 1: ("public", YELLOW)},
        ),
        Column(
            "Scanned",
            _of_registry("ncr_registry_scan_on_push"),
            width=100,
            words={0: ("no", PLAIN), 1: ("on push", GREEN)},
        ),
        Column(
            "Image list",
            _of_registry("ncr_registry_up"),
            width=110,
            words={1: ("ok", GREEN), 0: ("fails", RED)},
        ),
        Column(
            "Failing images",
            _summed(f"{UP} == bool 0"),
            "locale",
            ((None, PLAIN), (1, RED)),
            width=130,
        ),
    ),
    sort_by="Size",
    hidden=("where",),
)

_ALL = table(
    "All images",
    "Every image as of its last poll; growth and pulls are over the dashboard's time range. "
    "Attached are signatures, attestations and SBOMs, which are tags, too. Two shares of the "
    "limits in force, empty where there is none: tags, of tags_limit; the largest tag, of "
    "tag_size_limit.",
    (_REGISTRY, _IMAGE, Key("owner", "Owner", 105)),
    (
        Column("Tags", with_owner(_TAGS), "locale", width=65),
        Column("Attached", per_image("ncr_image_attached_tags"), "locale", width=85),
        Column("Size", SIZE, "decbytes", width=85),
        Column("Growth", growth(), "decbytes", width=85),
        Column("Reclaimable", BYTES, "decbytes", width=105),
        Column("Cost", cost(BYTES), "locale", width=75),
        Column("Stale", STALE, "locale", width=65),
        Column("Pulls", f"round({_PULLS})", "locale", width=80),
        Column("Unused", days_since(USED), "suffix:d", width=75, decimals=0),
        Column(
            "Of tags_limit",
            f"{_TAGS} / {_TAGS_LIMIT}",
            "percentunit",
            SHARE_OF_A_LIMIT,
            width=115,
            gauge=True,
            maximum=1,
            decimals=0,
        ),
        Column(
            "Of tag_size_limit",
            f"{per_image('ncr_image_largest_tag_size_bytes')}"
            f" / {per_image('ncr_image_tag_size_limit_bytes')}",
            "percentunit",
            SHARE_OF_A_LIMIT,
            width=135,
            gauge=True,
            maximum=1,
            decimals=0,
        ),
        Column("Polls", UP, width=60, words={1: ("ok", GREEN), 0: ("fail", RED)}),
    ),
    sort_by="Size",
)

DASHBOARD = Dashboard(
    uid=OVERVIEW,
    title="NCR / Overview",
    description="Images in NAVER Cloud Container Registry: what to clean up first, what needs "
    "attention, how many there are and how large, and who pulls them.",
    variables=(
        DATASOURCE_VARIABLE,
        JOB,
        REGISTRY,
        variable(
            "image",
            "Image",
            "Images of these registries",
            f"ncr_image_poll_interval_seconds{{{REGISTRIES}}}",
        ),
        OWNER,
        PRICE,
    ),
    annotations=(polls_fail(), THROTTLED),
    links=(link("Image", IMAGE, "cost"), link("Exporter", EXPORTER, "registry")),
    time_range="7d",
    sections=(
        Section("Clean up", SHELVES),
        Section("Attention", ATTENTION),
        Section("Trends", TRENDS),
        Section("Top images", (Shelf(9, _RANKINGS[:2]), Shelf(9, _RANKINGS[2:]))),
        Section("Registries", (Shelf(10, (_REGISTRIES,)),)),
        Section("Images", (Shelf(14, (_ALL,)),)),
    ),
)
