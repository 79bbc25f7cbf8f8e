"""How registries grow and are used over time, and what needs attention now."""

from tools.dashboards.cleanup import KEPT, UNUSED, UP
from tools.dashboards.common import RECLAIMABLE, UPPER_BOUND
from tools.dashboards.look import Json, Query, override
from tools.dashboards.panels import lines
from tools.dashboards.promql import (
    IMAGES,
    REGISTRIES,
    named,
    per_image,
    top,
    union,
    with_owner,
)
from tools.dashboards.shell import Shelf, line_to_registry, row_to_image, row_to_registry
from tools.dashboards.tables import Column, Key, table

_TOP = 8
"""Registries with a colour of their own."""
_OTHERS = "all others"
_POINTS = 100
"""Of a graph over time: each costs Prometheus a look at every image."""
_HOURLY = 150
"""Of a graph whose points each are about an hour, over a week."""

_OVERWRITTEN = per_image("ncr_image_overwritten_tags_total", "[$__range]", "increase")


def _counted(problem: str, expr: str) -> str:
    return named("problem", problem, f"count by (registry) ({expr})")


def _of_registry(metric: str) -> str:
    return f"max by (registry) ({metric}{{{REGISTRIES}}})"


_PROBLEMS = table(
    "Needs attention",
    "How many images, tags or globs of each registry something is wrong with, and "
    "exporters that do not answer. Failing: their last "
    "poll failed. Missing: named in the configuration, and not there. Overwritten: immutable_tags "
    "matches, and they came with other content within the dashboard's time range. Too many: images "
    "over tags_limit. Unmatched: globs that match no image. Unused: for longer than stale_after.",
    (Key("registry", "Registry", link=row_to_registry(*KEPT)), Key("problem", "Problem")),
    (
        Column(
            "How many",
            union(
                named("problem", "exporters down", 'count(up{job=~"$job"} == 0)'),
                _counted("failing images", f"{UP} == 0"),
                _counted("missing images", f"{per_image('ncr_image_present')} == 0"),
                _counted("unused images", UNUSED),
                _counted(
                    "too many tags",
                    f"{per_image('ncr_image_tags')} > {per_image('ncr_image_tags_limit')}",
                ),
                named(
                    "problem",
                    "oversized tags",
                    f"sum by (registry) ({per_image('ncr_image_oversized_tags')}) > 0",
                ),
                named(
                    "problem",
                    "overwritten tags",
                    f"sum by (registry) (round({_OVERWRITTEN})) > 0",
                ),
                named(
                    "problem",
                    "image list cannot be read",
                    f"1 - {_of_registry('ncr_registry_up')} > 0",
                ),
                named(
                    "problem",
                    "public: anyone may pull",
                    f"{_of_registry('ncr_registry_public')} == 1",
                ),
                _counted(
                    "unmatched globs",
                    f"max by (registry, glob) (ncr_registry_glob_images{{{REGISTRIES}}}) == 0",
                ),
            ),
            "locale",
            width=110,
        ),
    ),
    sort_by="Problem",  # the worst come first in the alphabet
    descending=False,
    then_by="How many",
)

_CHANGED = table(
    "Overwritten tags",
    "Images of which a tag that immutable_tags matches came with other content within the "
    "dashboard's time range, and how many times.",
    (
        Key("registry", "Registry", link=row_to_registry(*KEPT)),
        Key("image", "Image", link=row_to_image("cost")),
        Key("owner", "Owner"),
    ),
    (Column("Times", with_owner(top(50, f"round({_OVERWRITTEN})")), "locale", width=90),),
    sort_by="Times",
)

ATTENTION = (Shelf(9, (_PROBLEMS, _CHANGED), (12, 12)),)


def _by_registry(  # noqa: PLR0913, PLR0917 -- what the graphs differ in
    title: str,
    description: str,
    metric: str,
    unit: str,
    over: tuple[str, str] = ("", ""),
    points: int = _POINTS,
) -> Json:
    """Return a graph of the registries with the most, and of all others together.

    Args:
        title: Of the panel.
        description: What each registry's value is.
        metric: One per image.
        unit: Grafana's name of the unit.
        over: A range, and the function that makes one value of it.
        points: How many at most.
    """
    graph = lines(
        title,
        f"{description} The {_TOP} registries with the most at the end, and all others together.",
        [Query(_first_and_others(metric, over), "{{shown}}")],
        unit=unit,
        decimals=0 if unit == "locale" else None,
        stacked=True,
        points=points,
        many=True,
        links=[line_to_registry("shown", *KEPT)],
    )
    others = override(_OTHERS, {"color": {"mode": "fixed", "fixedColor": "gray"}, "links": []})
    graph["fieldConfig"]["overrides"].append(others)
    return graph


def _first_and_others(metric: str, over: tuple[str, str]) -> str:
    """Return a metric's sums of the registries with the most, and of all others together.

    What each registry is shown as does not depend on the point, so that Prometheus works it out
    once. It goes by the last hours, so that a short outage at the end hides nothing; after a long
    one, all that was there at the start is among the others.
    """
    lately = per_image(metric, "[6h] @ end()", over[1] or "last_over_time")
    ranked = f"sum by (registry) ({lately})"
    once = f"count by (registry) (ncr_image_poll_interval_seconds{{{IMAGES}}} @ start())"
    first = f'label_replace(topk({_TOP}, {ranked}), "shown", "$1", "registry", "(.+)")'
    others = named("shown", _OTHERS, f"{ranked} or on (registry) {once}")
    each = f"sum by (registry) ({per_image(metric, *over)})"
    return (
        f"sum by (shown) ({each} * on (registry) group_left (shown)"
        f" (({first} or on (registry) {others}) >= bool 0))"
    )


TRENDS = (
    Shelf(
        9,
        (
            _by_registry(
                "Reclaimable over time",
                f"{RECLAIMABLE} A step down is a clean-up.",
                "ncr_image_reclaimable_bytes",
                "decbytes",
            ),
            _by_registry(
                "Size over time",
                f"Bytes of all images of a registry. {UPPER_BOUND}",
                "ncr_image_size_bytes",
                "decbytes",
            ),
        ),
    ),
    Shelf(
        9,
        (
            _by_registry(
                "Tags over time", "Tags of all images of a registry.", "ncr_image_tags", "locale"
            ),
            _by_registry(
                "Pulls per hour",
                "Pulls as the registries count them, each point over the hour before it.",
                "ncr_image_pulls_total",
                "locale",
                ("[1h]", "increase"),
                _HOURLY,
            ),
        ),
    ),
)
