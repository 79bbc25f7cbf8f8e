"""What surrounds the panels: variables, annotations, links, and the panels' places."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tools.dashboards.look import DATASOURCE, Json

TAG = "ncr-exporter"
"""People find the dashboards by it in Grafana's list."""
OVERVIEW, IMAGE, EXPORTER = "ncr-overview", "ncr-image", "ncr-exporter"
SCHEMA_VERSION = 39  # of Grafana 11, the oldest that these are made for
_COLUMNS = 24


@dataclass(frozen=True)
class Shelf:
    """Panels of one height, side by side."""

    height: int
    panels: Sequence[Json]
    widths: Sequence[int] = ()
    """Of the panels, 24 together; without them all are as wide."""

    def placed(self, y: int) -> Iterator[tuple[Json, Json]]:
        """Yield each panel and its place."""
        x = 0
        widths = self.widths or [_COLUMNS // len(self.panels)] * len(self.panels)
        for panel, width in zip(self.panels, widths, strict=True):
            yield panel, {"x": x, "y": y, "w": width, "h": self.height}
            x += width


@dataclass(frozen=True)
class Section:
    """A row of the dashboard with a title, and shelves of panels below it."""

    title: str
    shelves: Sequence[Shelf]
    collapsed: bool = False


@dataclass(frozen=True)
class Dashboard:
    """One dashboard."""

    uid: str
    title: str
    description: str
    variables: Sequence[Json]
    annotations: Sequence[Json]
    sections: Sequence[Section]
    time_range: str
    links: Sequence[Json]
    refresh: str = "5m"

    def json(self) -> Json:
        """Return it as Grafana keeps it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": SCHEMA_VERSION,
            "editable": True,
            "graphTooltip": 1,  # one crosshair in all graphs
            "refresh": self.refresh,
            "time": {"from": f"now-{self.time_range}", "to": "now"},
            "timezone": "browser",
            "templating": {"list": list(self.variables)},
            "annotations": {"list": list(self.annotations)},
            "links": list(self.links),
            "panels": arranged(self.sections),
        }


def link(title: str, uid: str, *kept: str) -> Json:
    """Return a link to another dashboard at the same time range, with these variables kept.

    Not all of them: a dashboard of one image has no use for "All", and on the way back nobody
    wants to see that one image alone.
    """
    variables = "&".join(f"${{{name}:queryparam}}" for name in ("datasource", "job", *kept))
    return {
        "type": "link",
        "title": title,
        "url": f"/d/{uid}?{variables}",
        "tooltip": "",
        "icon": "dashboard",
        "tags": [],
        "asDropdown": False,
        "includeVars": False,
        "keepTime": True,
        "targetBlank": False,
    }


def arranged(sections: Iterable[Section]) -> list[Json]:
    """Return the panels with ids and places, from the top to the bottom."""
    placed: list[Json] = []
    ids = iter(range(1, 1000))
    y = 0
    for section in sections:
        row: Json = {
            "type": "row",
            "id": next(ids),
            "title": section.title,
            "collapsed": section.collapsed,
            "gridPos": {"x": 0, "y": y, "w": _COLUMNS, "h": 1},
            "panels": [],
        }
        placed.append(row)
        y += 1
        home = row["panels"] if section.collapsed else placed
        for shelf in section.shelves:
            home.extend(
                {"id": next(ids), **panel, "gridPos": place} for panel, place in shelf.placed(y)
            )
            y += shelf.height
    return placed


def datasource_variable() -> Json:
    """Return the variable that every panel reads its data source from."""
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "description": "The Prometheus that scrapes the exporter",
        "query": "prometheus",
        "regex": "",
        "hide": 0,
        "refresh": 1,
        "multi": False,
        "includeAll": False,
        "options": [],
    }


def variable(name: str, label: str, description: str, series: str, *, several: bool = True) -> Json:
    """Return a variable with the values of the label `name` among `series`."""
    query = f"label_values({series}, {name})"
    everything = {"allValue": ".+", "current": {"text": ["All"], "value": ["$__all"]}}
    return {
        "type": "query",
        "name": name,
        "label": label,
        "description": description,
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": "StandardVariableQuery"},
        "regex": "",
        "hide": 0,
        "refresh": 2,  # when the time range changes: what is gone can be looked back at
        "sort": 5,
        "multi": several,
        "includeAll": several,
        "options": [],
        **(everything if several else {}),
    }


def annotation(  # noqa: PLR0913 -- what an annotation is made of, each by name
    name: str,
    expr: str,
    *,
    colour: str,
    title: str,
    text: str,
    labels: str = "",
    at_value: bool = False,
    shown: bool = True,
) -> Json:
    """Return marks in all graphs while `expr` has a value, or `at_value` at that time (ms)."""
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": shown,
        "hide": False,
        "iconColor": colour,
        # Of Prometheus' data source, not of Grafana's schema. Newer versions move the first two
        # to `target` themselves; older ones do not find them there.
        "expr": expr,
        "step": "60s",
        "titleFormat": title,
        "textFormat": text,
        "tagKeys": labels,
        "useValueForTime": "on" if at_value else "off",
    }


def to_image(registry: str, image: str) -> Json:
    """Return the link to the image's dashboard; the names come from fields or labels."""
    return {
        "title": "This image",
        "url": f"/d/{IMAGE}?${{datasource:queryparam}}&${{job:queryparam}}"
        f"&var-registry={registry}&var-image={image}&${{__url_time_range}}",
        "targetBlank": False,
    }


ROW_TO_IMAGE = to_image("${__data.fields.Registry}", "${__data.fields.Image}")
"""From a row of a table with these columns."""
SERIES_TO_IMAGE = to_image("${__field.labels.registry}", "${__field.labels.image}")
"""From a bar or a line that has these labels."""
