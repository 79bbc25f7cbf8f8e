"""What to clean up first, and how much it is: the first screen of *Overview*."""

from tools.dashboards.common import COST, NO_PRICE, NODES, RECLAIMABLE, UPPER_BOUND
from tools.dashboards.look import ANY_IS_WORTH_A_LOOK, ANY_IS_WRONG, Json
from tools.dashboards.panels import stat
from tools.dashboards.promql import (
    among,
    cost,
    days_since,
    per_image,
    top,
    unused,
    with_owner,
)
from tools.dashboards.shell import Shelf, Stack, row_to_image, row_to_registry
from tools.dashboards.tables import Column, Key, table

KEPT = ("owner", "cost")
"""Variables that links to this dashboard keep."""
_FIRST = 50
"""Images of the table; further down are all."""
_STALE_TAGS = (
    "Tags neither pulled nor pushed for longer than stale_after, and not kept by keep_recent or "
    f"keep_tags. {NODES}"
)

SIZE = per_image("ncr_image_size_bytes")
BYTES = per_image("ncr_image_reclaimable_bytes")
STALE = per_image("ncr_image_stale_tags")
STALE_AFTER = per_image("ncr_image_stale_after_seconds")
UP = per_image("ncr_image_up")
WATCHED = per_image("ncr_image_poll_interval_seconds")
UNUSED = f"{unused()} > {STALE_AFTER}"
USED = per_image("ncr_image_last_used_timestamp_seconds")

_TOTALS: tuple[Json, ...] = (
    stat("Reclaimable", RECLAIMABLE, f"sum({BYTES})", unit="decbytes"),
    stat(
        "Cost a month",
        COST,
        cost(f"sum({BYTES})"),
        empty=NO_PRICE,
    ),
    stat("Stale tags", _STALE_TAGS, f"sum({STALE})"),
    stat(
        "Unused images",
        "Images that nobody pulled or pushed for longer than their stale_after.",
        f"sum({unused()} > bool {STALE_AFTER})",
        steps=ANY_IS_WORTH_A_LOOK,
    ),
    stat(
        "Size",
        f"Bytes over all platforms of all tags, each digest once within its image. {UPPER_BOUND}",
        f"sum({SIZE})",
        unit="decbytes",
    ),
    stat(
        "Tags",
        "Tags of all images, as of their last polls. Signatures, attestations and SBOMs are tags.",
        f"sum({per_image('ncr_image_tags')})",
    ),
    stat("Images", "Images that the exporters watch.", f"count({WATCHED})"),
    stat(
        "Failing images",
        "Images whose last poll failed: what is shown of them is older.",
        f"sum({UP} == bool 0)",
        steps=ANY_IS_WRONG,
    ),
    stat(
        "Exporters down",
        "Scrape targets of the job that do not answer. While all are down nothing else is known.",
        'count(up{job=~"$job"}) - sum(up{job=~"$job"})',
        steps=ANY_IS_WRONG,
    ),
)


def _of_first(expr: str) -> str:
    return among(expr, top(_FIRST, BYTES))


_IMAGES = table(
    "Clean up first",
    f"The {_FIRST} images with the most reclaimable bytes. {RECLAIMABLE} Share: of its size. "
    "Stale: tags. Unused: days since the last pull or push.",
    (
        Key("registry", "Registry", 125, link=row_to_registry(*KEPT)),
        Key("image", "Image", link=row_to_image("cost")),
        Key("owner", "Owner", 105),
    ),
    (
        Column("Reclaimable", with_owner(top(_FIRST, BYTES)), "decbytes", width=135, gauge=True),
        Column("Cost", _of_first(cost(BYTES)), "locale", width=75),
        Column("Share", _of_first(f"{BYTES} / {SIZE}"), "percentunit", width=75, decimals=0),
        Column("Stale", _of_first(STALE), "locale", width=75),
        Column("Unused", _of_first(days_since(USED)), "suffix:d", width=80, decimals=0),
    ),
    sort_by="Reclaimable",
)


def _by(label: str, expr: str) -> str:
    return f"sum by ({label}) ({expr})"


def _sums(label: str) -> tuple[Column, ...]:
    """Return what is reclaimable as columns, summed by a label."""

    def of(expr: str) -> str:
        return f"sum by ({label}) ({with_owner(expr, 'no owner') if label == 'owner' else expr})"

    return (
        Column("Reclaimable", of(BYTES), "decbytes", width=135, gauge=True),
        Column("Cost", cost(of(BYTES)), "locale", width=75),
        Column("Share", f"{of(BYTES)} / {of(SIZE)}", "percentunit", width=75, decimals=0),
        Column("Stale", of(STALE), "locale", width=75),
        Column("Unused", of(f"({unused()} > bool {STALE_AFTER})"), "locale", width=80),
    )


_OWNERS = table(
    "By owner",
    f"Whose images they are. Choose an owner on top to see only theirs. {RECLAIMABLE} Share: "
    "of the size of their images. Stale: tags. Unused: images that nobody pulled or pushed for "
    "longer than their stale_after.",
    (Key("owner", "Owner"),),
    _sums("owner"),
    sort_by="Reclaimable",
)

_REGISTRIES = table(
    "By registry",
    f"Where they are. {RECLAIMABLE} Share: of the registry's size. Stale: tags. Unused: images "
    "that nobody pulled or pushed for longer than their stale_after.",
    (Key("registry", "Registry", link=row_to_registry(*KEPT)),),
    _sums("registry"),
    sort_by="Reclaimable",
)

SHELVES = (
    Shelf(4, _TOTALS, (3, 3, 3, 3, 2, 2, 2, 3, 3)),
    Shelf(19, (_IMAGES, Stack([(9, _OWNERS), (10, _REGISTRIES)])), (14, 10)),
)
