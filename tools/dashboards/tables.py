"""Tables: a row per combination of labels, a column per query."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

from tools.dashboards.look import (
    BLUE,
    NO_ROWS,
    NO_STEPS,
    Json,
    Query,
    Steps,
    Words,
    mappings,
    override,
    panel,
    targets,
    thresholds,
    valued,
)


@dataclass(frozen=True)
class Column:
    """One column of a table: a query whose labels are the table's keys."""

    title: str
    expr: str
    unit: str = "none"
    steps: Steps = NO_STEPS
    width: int | None = None
    words: Words = field(default_factory=dict)
    gauge: bool = False
    """Draw it as a bar, from 0 to `maximum`, else to the column's largest value."""
    maximum: float | None = None
    decimals: int | None = None


@dataclass(frozen=True)
class Key:
    """A label that tells the rows of a table apart."""

    label: str
    title: str
    width: int | None = None
    link: Json | None = None
    last: bool = False
    """Show it behind the values."""


def table(  # noqa: PLR0913 -- what a table is made of, each by name
    title: str,
    description: str,
    keys: Sequence[Key],
    columns: Sequence[Column],
    *,
    sort_by: str,
    descending: bool = True,
    then_by: str = "",
    empty: str = NO_ROWS,
    hidden: Sequence[str] = (),
) -> Json:
    """Return a row per combination of keys; the queries' tables are merged on them.

    Args:
        title: Of the panel.
        description: What it shows, in sentences.
        keys: Labels that tell the rows apart.
        columns: Queries, whose series have those labels.
        sort_by: The title of a key or column.
        descending: The largest first.
        then_by: The title of another, by which rows of one value are sorted, the largest first.
        empty: What is said where there are no rows.
        hidden: Titles of columns that only bring in the rows or labels of their queries.
    """
    return {
        **panel("table", title, description),
        "targets": [
            {**target, "format": "table"}
            for target in targets([Query(column.expr) for column in columns], instant=True)
        ],
        "transformations": _one_table(keys, columns, hidden),
        "fieldConfig": {
            "defaults": {
                **valued("none", NO_STEPS),
                "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True},
                "noValue": empty,
            },
            "overrides": [
                *(override(key.title, _key_look(key)) for key in keys),
                *(override(c.title, _column_look(c)) for c in columns if c.title not in hidden),
            ],
        },
        "options": {
            "cellHeight": "sm",
            "showHeader": True,
            "sortBy": [
                {"displayName": sort_by, "desc": descending},
                *([{"displayName": then_by, "desc": True}] if then_by else []),
            ],
        },
    }


def _one_table(keys: Sequence[Key], columns: Sequence[Column], hidden: Sequence[str]) -> list[Json]:
    """Return how the queries' answers become one table; Grafana calls their values by query."""
    several = len(columns) > 1
    refs = [f"Value #{ref}" if several else "Value" for ref in ascii_uppercase[: len(columns)]]
    titles = dict(zip(refs, (column.title for column in columns), strict=True))
    dropped = ["Time", *(ref for ref, title in titles.items() if title in hidden)]
    first, last = ([key.label for key in keys if key.last is behind] for behind in (False, True))
    order = [*first, *refs, *last]
    organize = {
        "excludeByName": dict.fromkeys(dropped, True),
        "indexByName": {name: place for place, name in enumerate(order)},
        "renameByName": {**{key.label: key.title for key in keys}, **titles},
    }
    merge = [{"id": "merge", "options": {}}] if several else []
    return [*merge, {"id": "organize", "options": organize}]


def _key_look(key: Key) -> Json:
    return {
        # No name is cut. Grafana 11 has it in the cell's options, 12.1 and later beside them.
        "custom.cellOptions": {"type": "auto", "wrapText": True},
        "custom.wrapText": True,
        "noValue": "",
        **({} if key.width is None else {"custom.width": key.width}),
        **({} if key.link is None else {"links": [key.link]}),
    }


def _column_look(column: Column) -> Json:
    cell: Json = {}
    is_plain = column.steps is NO_STEPS
    steps = ((None, BLUE),) if column.gauge and is_plain else column.steps
    if column.gauge:
        cell = {
            "custom.cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
            "min": 0,
            **({} if column.maximum is None else {"max": column.maximum}),
        }
    elif column.words or not is_plain:
        cell = {"custom.cellOptions": {"type": "color-text"}}
    return {
        "unit": column.unit,
        "noValue": "",  # or an empty cell says what the table says when it is empty
        **({} if column.decimals is None else {"decimals": column.decimals}),
        **({} if column.width is None else {"custom.width": column.width}),
        **({"mappings": mappings(column.words)} if column.words else {}),
        **({} if steps is NO_STEPS else {"thresholds": thresholds(steps)}),
        **cell,
    }
