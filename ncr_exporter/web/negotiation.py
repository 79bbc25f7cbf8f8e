"""Content negotiation by `Accept`, `Accept-Encoding` and `Accept-Language` (RFC 9110)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Language = TypeVar("Language", bound=str)

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True)
class _Item:
    """One comma-separated element of a header."""

    value: str
    parameters: dict[str, str]
    quality: float


def wants_openmetrics(accept: str) -> bool:
    """Return whether a client prefers OpenMetrics 1.0 to text 0.0.4.

    At equal quality OpenMetrics wins, because a client that names it can read it. A wildcard
    never selects it. A quality that is not a number from 0 to 1 counts as 0.
    """
    items = _items(accept)
    openmetrics = _quality_of(items, ("application/openmetrics-text",), "1.0.0")
    text = _quality_of(items, ("text/plain", "text/*", "*/*"), "0.0.4")
    return openmetrics > 0 and openmetrics >= text


def _quality_of(items: list[_Item], ranges: tuple[str, ...], version: str) -> float:
    """Return the quality of a format: that of the first of `ranges` in the header, else 0.

    `ranges` goes from the most to the least specific.
    """
    for media_range in ranges:
        qualities = [
            item.quality
            for item in items
            if item.value == media_range and item.parameters.get("version") in {None, version}
        ]
        if qualities:
            return max(qualities)
    return 0.0


def wants_gzip(accept_encoding: str) -> bool:
    """Return whether the client accepts gzip: by name or by `*`, with a quality above 0."""
    qualities = {item.value: item.quality for item in _items(accept_encoding)}
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0))) > 0


def preferred_language(accept_language: str, languages: Sequence[Language]) -> Language:
    """Return which of `languages` a browser prefers; the first of them if it names none.

    A range such as `ko-KR` asks for `ko`, as in the lookup of RFC 4647; `*` stands for each
    language that is not named. Of two languages of one quality, the one named first wins.
    """
    items = _items(accept_language)
    ranks = {language: _language_rank(items, language) for language in languages}
    best = max(languages, key=lambda language: ranks[language])
    return best if ranks[best][0] > 0 else languages[0]


def _language_rank(items: list[_Item], language: str) -> tuple[float, int]:
    """Return the quality of a language, and a number that is higher the earlier it is named."""
    for wanted in (language, "*"):
        ranks = [
            (item.quality, -position)
            for position, item in enumerate(items)
            if item.value.split("-")[0] == wanted
        ]
        if ranks:
            return max(ranks)
    return (0.0, 0)


def _items(header: str) -> list[_Item]:
    return [_item(part) for part in header.lower().split(",") if part.strip()]


def _item(part: str) -> _Item:
    value, *rest = (word.strip() for word in part.split(";"))
    pairs = (word.partition("=") for word in rest)
    parameters = {key.strip(): text.strip().strip('"') for key, _, text in pairs}
    return _Item(value, parameters, _quality(parameters.get("q", "1")))


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0  # NaN compares false
