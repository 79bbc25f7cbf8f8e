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
class Stack:
    """Panels below one another that take one place of a shelf."""

    panels: Sequence[tuple[int, Json]]
    """With their heights, which together are the shelf's."""


@dataclass(frozen=True)
class Shelf:
    """Panels of one height, side by side."""

    height: int
    panels: Sequence[Json | Stack]
    widths: Sequence[int] = ()
    """Of the panels, 24 together; without them all are as wide."""

    def placed(self, y: int) -> Iterator[tuple[Json, Json]]:
        """Yield each panel and its place."""
        x = 0
        widths = self.widths or [_COLUMNS // len(self.panels)] * len(self.panels)
        for item, width in zip(self.panels, widths, strict=True):
            below = 0
            for height, panel in _stacked(item, self.height):
                yield panel, {"x": x, "y": y + below, "w": width, "h": height}
                below += height
            x += width


def _stacked(item: Json | Stack, height: int) -> Sequence[tuple[int, Json]]:
    return item.panels if isinstance(item, Stack) else [(height, item)]


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


def variable(
    name: str, label: str, description: str, series: str, *, everything: str = ".+"
) -> Json:
    """Return a variable with the values of the label `name` among `series`.

    One of them can be chosen, or several, or "All", which is the regular expression `everything`;
    where that is empty, only one.
    """
    query = f"label_values({series}, {name})"
    several = bool(everything)
    everything_chosen = {"allValue": everything, "current": {"text": ["All"], "value": ["$__all"]}}
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
        **(everything_chosen if several else {}),
    }


def text_variable(name: str, label: str, description: str) -> Json:
    """Return a variable that is typed; at first it is empty."""
    nothing = {"text": "", "value": ""}
    return {
        "type": "textbox",
        "name": name,
        "label": label,
        "description": description,
        "query": "",
        "current": nothing,
        "hide": 0,
        "options": [{**nothing, "selected": True}],
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


def _link_to(uid: str, title: str, kept: Sequence[str], **values: str) -> Json:
    """Return a link from a cell or a line; the values come from its fields or labels."""
    variables = "&".join(f"${{{name}:queryparam}}" for name in ("datasource", "job", *kept))
    given = "".join(f"&var-{name}={value}" for name, value in values.items())
    url = f"/d/{uid}?{variables}{given}&${{__url_time_range}}"
    return {"title": title, "url": url, "targetBlank": False}


# Encoded: a registry's label may be any text, `R&D` for instance.
_REGISTRY, _IMAGE = (f"${{__data.fields.{title}:percentencode}}" for title in ("Registry", "Image"))


def row_to_image(*kept: str) -> Json:
    """Return the link from a row with the columns Registry and Image, these variables kept."""
    return _link_to(IMAGE, "This image", kept, registry=_REGISTRY, image=_IMAGE)


def row_to_registry(*kept: str) -> Json:
    """Return the link from a row with the column Registry, these variables kept."""
    return _link_to(OVERVIEW, "Images of this registry", kept, registry=_REGISTRY)


def line_to_registry(label: str, *kept: str) -> Json:
    """Return the link from a line with a registry in this label, these variables kept."""
    registry = f"${{__field.labels.{label}:percentencode}}"
    return _link_to(OVERVIEW, "Images of this registry", kept, registry=registry)
