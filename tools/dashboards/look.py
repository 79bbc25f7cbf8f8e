"""What every panel is made of: queries, units, colours. See `panels` and `tables`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}

GREEN, YELLOW, RED, BLUE, PLAIN = "green", "yellow", "red", "blue", "text"

Steps = Sequence[tuple[float | None, str]]
"""From which value on which colour; the first is for everything below the others."""

Words = Mapping[float, tuple[str, str]]
"""Value → the word to show instead, and its colour."""

SCRAPE_INTERVAL = "1m"
"""The least time between two points. Windows of rates follow from it: four of it at least.

Grafana would take it from its data source, where 15 s is the default: windows of a minute, in which
targets that are scraped each minute have one sample and no rate.
"""

UNKNOWN = "unknown"
"""What a number says without an answer."""
NO_ROWS = "No rows: nothing to list, or no answer. The numbers on top say which."
"""What an empty table says. No answer is no good news, so that it never claims that all is well."""

NO_STEPS: Steps = ((None, PLAIN),)
ANY_IS_WRONG: Steps = ((None, GREEN), (1, RED))
ANY_IS_WORTH_A_LOOK: Steps = ((None, GREEN), (1, YELLOW))
SHARE_OF_A_LIMIT: Steps = ((None, GREEN), (0.8, YELLOW), (1, RED))


@dataclass(frozen=True)
class Query:
    """One query of a panel."""

    expr: str
    legend: str = ""
    colour: str | None = None
    """Of its series, where the palette's choice would not do."""
    limit: bool = False
    """Draw it as a limit: a dashed red line, never stacked."""


def panel(kind: str, title: str, description: str) -> Json:
    """Return what every panel has, whatever its kind."""
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE}


def targets(queries: Sequence[Query], *, instant: bool = False) -> list[Json]:
    """Return the queries as Grafana keeps them, A, B and so on."""
    return [
        {
            "refId": ref,
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": query.expr,
            "interval": SCRAPE_INTERVAL,
            "legendFormat": query.legend,
            "instant": instant,
            "range": not instant,
        }
        for ref, query in zip(ascii_uppercase, queries, strict=False)
    ]


def valued(unit: str, steps: Steps, decimals: int | None = None) -> Json:
    """Return how a value is written and coloured."""
    return {
        "unit": unit,
        **({} if decimals is None else {"decimals": decimals}),
        "color": {"mode": "thresholds"},
        "thresholds": thresholds(steps),
    }


def thresholds(steps: Steps) -> Json:
    """Return the colours by value."""
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": colour} for value, colour in steps],
    }


def mappings(words: Words) -> list[Json]:
    """Return the words that stand for values."""
    if not words:
        return []
    options = {
        f"{value:g}": {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(words.items())
    }
    return [{"type": "value", "options": options}]


def override(title: str, look: Json) -> Json:
    """Return what is different for the field of this title."""
    return {"matcher": {"id": "byName", "options": title}, "properties": properties(look)}


def properties(look: Json) -> list[Json]:
    """Return options as a list, which is how overrides have them."""
    return [{"id": name, "value": value} for name, value in look.items()]
