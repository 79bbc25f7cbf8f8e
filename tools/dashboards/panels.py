"""Panels: what all panels of a kind share, so that a dashboard's own file says only what differs.

Every function returns a panel as Grafana keeps it, without the place and the id that
`shell.arranged` gives it.
"""

from collections.abc import Sequence
from string import ascii_uppercase

from tools.dashboards.look import (
    BLUE,
    NO_STEPS,
    RED,
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
) -> Json:
    """Return one number, as of the end of the time range."""
    return {
        **panel("stat", title, description),
        "targets": targets([Query(expr, title)], instant=True),
        "fieldConfig": {
            "defaults": {
                **valued(unit, steps, decimals),
                "mappings": mappings(words or {}),
                "noValue": "unknown",
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
    empty: str = "",
) -> Json:
    """Return values over time; the axis reaches `soft_maximum` at least."""
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
        "targets": targets(queries),
        "fieldConfig": {
            "defaults": {
                **valued(unit, steps),
                "min": 0,
                **({} if maximum is None else {"max": maximum}),
                "color": {"mode": "palette-classic"},
                "custom": custom,
                **({"noValue": empty} if empty else {}),
            },
            "overrides": _colours(queries),
        },
        "options": {
            "legend": {
                "calcs": [],
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def ranking(  # noqa: PLR0913 -- what a ranking is made of, each by name
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    unit: str,
    colour: str = BLUE,
    steps: Steps | None = None,
    maximum: float | None = None,
    decimals: int | None = None,
    links: Sequence[Json] = (),
    empty: str = "",
) -> Json:
    """Return bars beside one another, a bar per series, in the order that the query gives."""
    return {
        **panel("bargauge", title, description),
        "targets": targets(queries, instant=True),
        "fieldConfig": {
            "defaults": {
                **valued(unit, steps or ((None, colour),), decimals),
                "min": 0,
                **({} if maximum is None else {"max": maximum}),
                **({"noValue": empty} if empty else {}),
                **({"links": list(links)} if links else {}),
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
