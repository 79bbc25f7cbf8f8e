"""The kinds of values an option can hold: how each is read, and how to say what would be right."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from ncr_exporter.config.secret import Secret
from ncr_exporter.config.units import DURATION, duration_text, parse_duration, parse_size
from ncr_exporter.config.yaml_tree import Expanded

_LONGEST_SHOWN = 60
FOREVER = float("inf")
_REFERENCE = {"type": "string", "pattern": r"\$\{"}
"""`${VAR}`: what it will hold is known only to the environment."""

Schema = Mapping[str, Any]


def _plainly(value: object) -> str:
    """Return a value as one would write it in the file."""
    return "" if value is None else json.dumps(value)


@dataclass(frozen=True)
class Kind:
    """What an option can hold; called with a plain YAML value it returns ours.

    Calling raises ValueError with a sentence for people.
    """

    read: Callable[[Any], Any]
    words: str
    """What may be written, for documents."""
    schema: Schema
    """JSON Schema of what may be written."""
    show: Callable[[Any], str] = _plainly
    """Our value → how one would write it."""

    def __call__(self, value: object) -> Any:  # noqa: ANN401 -- of the kind's own type
        """Return our value."""
        return self.read(value)


def _kind(
    words: str, schema: Schema, show: Callable[[Any], str] = _plainly
) -> Callable[[Callable[[Any], Any]], Kind]:
    """Make a kind of a function that reads it."""
    return lambda read: Kind(read, words, schema, show)


def _or_reference(schema: Schema) -> Schema:
    return {"anyOf": [schema, _REFERENCE]}


@_kind("text", {"type": "string", "minLength": 1})
def text(value: object) -> str:
    """Read a text that is not empty."""
    if isinstance(value, (dict, list)):
        raise ValueError(f"must be text, not {shape(value)}")
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {describe(value)}; put it in quotes")
    if not value.strip():
        raise ValueError("must not be empty")
    if not value.isprintable():
        raise ValueError("holds control characters, or others that cannot be shown")
    return value


@_kind("text, never shown", {"type": "string", "minLength": 1})
def secret(value: object) -> Secret:
    """Read a text that is never shown again."""
    if not isinstance(value, str):
        raise ValueError("must be text; put it in quotes")
    if not value.strip():
        raise ValueError("is empty; set the secret, or leave the key out")
    return Secret(value)


@_kind("true or false", _or_reference({"type": "boolean"}))
def boolean(value: object) -> bool:
    """Read true or false."""
    value = resolved(value)
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {describe(value)}")
    return value


def one_of(*choices: str) -> Kind:
    """Read one of these words."""

    @_kind(" or ".join(choices), _or_reference({"enum": list(choices)}))
    def read(value: object) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {describe(value)}")
        return str(value)

    return read


def number(low: float, high: float, *, whole: bool = False) -> Kind:
    """Read a number between `low` and `high`, both allowed."""
    noun = "a whole number" if whole else "a number"
    bounds = {"type": "integer" if whole else "number", "minimum": low, "maximum": high}

    @_kind(f"{noun} from {low:g} to {high:g}", _or_reference(bounds))
    def read(value: object) -> float:
        value = resolved(value)
        right_type = isinstance(value, int if whole else (int, float))
        if isinstance(value, bool) or not right_type or not low <= value <= high:  # type: ignore[operator] # right_type says it is a number
            raise ValueError(f"must be {noun} from {low:g} to {high:g}, not {describe(value)}")
        return value  # type: ignore[return-value] # likewise

    return read


def duration(low: str, *, never: bool = False) -> Kind:
    """Read a duration of at least `low`, in seconds; where `never` is allowed it is infinite."""
    least = parse_duration(low)
    words = f"a duration of at least {low}{', or never' if never else ''}"
    pattern = rf"^{DURATION}$|\$\{{{'|^never$' if never else ''}"

    @_kind(words, {"type": "string", "pattern": pattern}, duration_text)
    def read(value: object) -> float:
        if never and value == "never":
            return FOREVER
        if not isinstance(value, str):
            raise ValueError(f"must be a duration such as 15m or 90d, not {describe(value)}")
        seconds = parse_duration(value)
        if seconds < least:
            raise ValueError(f"must be at least {low}, not {value}")
        return seconds

    return read


@_kind("a size", {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]})
def size(value: object) -> int:
    """Read a size in bytes, above zero."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole and not isinstance(value, str):
        raise ValueError(f"must be a size such as 500MiB or 1GB, not {describe(value)}")
    amount = parse_size(str(value))
    if amount <= 0:
        raise ValueError("must be above zero; leave the key out for no limit")
    return amount


@_kind(
    "a whole number, or all",
    _or_reference({"anyOf": [{"type": "integer", "minimum": 0}, {"const": "all"}]}),
    lambda value: "all" if value is None else str(value),
)
def count_or_all(value: object) -> int | None:
    """Read a count, or `all` for no cap (None)."""
    value = resolved(value)
    if value == "all":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"must be 0, a whole number, or all, not {describe(value)}")
    return value


@dataclass(frozen=True)
class ListOf:
    """A list whose items are each read by `item`, so that a mistake names its own place."""

    item: Any
    """A `Kind`, or a dataclass of options."""
    least: int = 0


@dataclass(frozen=True)
class MapOf:
    """A mapping: each of these keys with a kind of its own, or any keys, all of one kind."""

    values: Callable[[Any], Any] | Mapping[str, Callable[[Any], Any]]


def describe(value: object) -> str:
    """Name a wrong value shortly: its type where it has parts, else the value itself."""
    if value is None or isinstance(value, (dict, list)):
        return shape(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):  # a datetime is one, too
        return f"the date {value.isoformat()}"
    shown = repr(value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"


def resolved(value: object) -> object:
    """Return a text from the environment as YAML would read it: `100` there is a number."""
    if not isinstance(value, Expanded):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value


def shape(value: object) -> str:
    """Name only the kind of a value that may hold a secret in the wrong place."""
    names = {
        type(None): "nothing",
        dict: "a mapping",
        list: "a list",
        str: "text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "a date")


def nearest(word: str, known: Sequence[str]) -> str:
    """Return ` (did you mean X?)`, or nothing when no known word is near."""
    from difflib import get_close_matches  # noqa: PLC0415 -- only a mistaken file pays for it

    matches = get_close_matches(word, known, n=1)
    return f"; did you mean {matches[0]!r}?" if matches else ""
