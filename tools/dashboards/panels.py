"""Panels: what all panels of a kind share, so that a dashboard's own file says only what differs.

Every function returns a panel as Grafana keeps it, without the place and the id that
`shell.arranged` gives it.
"""

from collections.abc import Sequence
from string import ascii_uppercase

from tools.dashboards.look import (
    NO_STEPS,
    RED,
    UNKNOWN,
    Json,
    Query,
    Steps,
    Words,
    mappings,
    panel,
    properties,
    targets,
    valued,
)


def stat(  # noqa: PLR0913 -- what a stat is made of, each by name
    title: str,
    description: str,
    expr: str,
    *,
    unit: str = "locale",
    steps: Steps = NO_STEPS,
    words: Words | None = None,
    decimals: int | None = None,
    empty: str = UNKNOWN,
    link: Json | None = None,
) -> Json:
    """Return one number, as of the end of the time range."""
    return {
        **panel("stat", title, description),
        "targets": targets([Query(expr, title)], instant=True),
        "fieldConfig": {
            "defaults": {
                **valued(unit, steps, decimals),
                "mappings": mappings(words or {}),
                **({} if link is None else {"links": [link]}),
                "noValue": empty,
            },
            "overrides": [],
        },
        "options": {
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "center",
            "orientation": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "value",
            "wideLayout": True,
        },
    }


def named_stat(title: str, description: str, expr: str, legend: str, *, empty: str) -> Json:
    """Return the name of a series, `legend` with its labels, in place of a number."""
    found = stat(title, description, expr, empty=empty)
    found["targets"] = targets([Query(expr, legend)], instant=True)
    found["options"]["textMode"] = "name"
    return found


def lines(  # noqa: PLR0913 -- what a graph is made of, each by name
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    unit: str,
    stacked: bool = False,
    bars: bool = False,
    steps: Steps = NO_STEPS,
    maximum: float | None = None,
    soft_maximum: float | None = None,
    decimals: int | None = None,
    points: int | None = None,
    many: bool = False,
    links: Sequence[Json] = (),
) -> Json:
    """Return values over time, with a legend that sorts them by their last value.

    Args:
        title: Of the panel.
        description: What it shows, in sentences.
        queries: A line or several each.
        unit: Grafana's name of the unit.
        stacked: Put the lines on top of one another.
        bars: Draw bars in place of lines.
        steps: Colours by value, drawn as limits.
        maximum: Where the axis ends.
        soft_maximum: Where the axis ends at least.
        decimals: Of the values; Grafana chooses where that is None.
        points: How many points at most, where each costs Prometheus much.
        many: Whether there are many lines, so that the legend stands at the right.
        links: Of each line.
    """
    custom: Json = {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 60 if bars else 25 if stacked else 8,
        "lineWidth": 0 if bars else 1,
        "showPoints": "never",
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "off" if steps is NO_STEPS else "dashed"},
        **({} if soft_maximum is None else {"axisSoftMax": soft_maximum}),
    }
    return {
        **panel("timeseries", title, description),
        **({} if points is None else {"maxDataPoints": points}),
        "targets": targets(queries),
        "fieldConfig": {
            "defaults": {
                **valued(unit, steps, decimals),
                "min": 0,
                **({} if maximum is None else {"max": maximum}),
                "color": {"mode": "palette-classic"},
                "custom": custom,
                **({"links": list(links)} if links else {}),
            },
            "overrides": _colours(queries),
        },
        "options": {
            "legend": {
                "calcs": ["lastNotNull"],
                "displayMode": "table",
                "placement": "right" if many else "bottom",
                "showLegend": True,
                "sortBy": "Last *",
                "sortDesc": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def shares(title: str, description: str, queries: Sequence[Query], steps: Steps) -> Json:
    """Return bars below one another that end at 100 %, one per query."""
    return {
        **panel("bargauge", title, description),
        "targets": targets(queries, instant=True),
        "fieldConfig": {
            "defaults": {
                **valued("percentunit", steps, decimals=0),
                "min": 0,
                "max": 1,
                "noValue": UNKNOWN,
            },
            "overrides": [],
        },
        "options": {
            "displayMode": "basic",
            "legend": {
                "calcs": [],
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": False,
            },
            "maxVizHeight": 30,
            "minVizHeight": 14,
            "minVizWidth": 8,
            "namePlacement": "top",  # names are long; beside the bars they would be cut
            "orientation": "horizontal",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showUnfilled": True,
            "sizing": "auto",
            "valueMode": "color",
        },
    }


def _colours(queries: Sequence[Query]) -> list[Json]:
    found = []
    for ref, query in zip(ascii_uppercase, queries, strict=False):
        if query.limit:
            look = {
                "custom.lineStyle": {"fill": "dash", "dash": [8, 6]},
                "custom.fillOpacity": 0,
                "custom.stacking": {"mode": "none", "group": "A"},
                "color": {"mode": "fixed", "fixedColor": RED},
            }
        elif query.colour:
            look = {"color": {"mode": "fixed", "fixedColor": query.colour}}
        else:
            continue
        matcher = {"id": "byFrameRefID", "options": ref}
        found.append({"matcher": matcher, "properties": properties(look)})
    return found
