"""The types that an option can have: how a value is read, documented and shown."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from ncr_exporter.config.names import image_mistake, registry_mistake, tag_mistake
from ncr_exporter.config.secret import Secret
from ncr_exporter.config.stray_signs import look_alike
from ncr_exporter.config.suggestions import did_you_mean
from ncr_exporter.config.units import (
    DURATION_PATTERN,
    duration_text,
    parse_duration,
    parse_size,
)
from ncr_exporter.config.yaml_tree import Expanded

_LONGEST_SHOWN = 60
FOREVER = float("inf")
_NAME_PATTERN = r"^[^\s:@,;?\"'`]+$|\$\{"
"""JSON Schema's pattern of names and globs: what an editor can tell of them."""
_REFERENCE = {"type": "string", "pattern": r"\$\{"}
"""JSON Schema of a `${VAR}`, whose value a schema cannot know."""

Schema = Mapping[str, Any]


def _as_json(value: object) -> str:
    """Return a value as it is written in the file; JSON is YAML too."""
    return "" if value is None else json.dumps(value)


@dataclass(frozen=True)
class ValueType:
    """The type of an option. Calling it converts a value of the YAML file."""

    read: Callable[[Any], Any]
    """YAML value → value of the option; raises ValueError with a message for the user."""
    words: str
    """What may be written, for the documents."""
    schema: Schema
    """JSON Schema of what may be written."""
    show: Callable[[Any], str] = _as_json
    """Value of the option → how it is written in the file."""

    def __call__(self, value: object) -> Any:  # noqa: ANN401 -- of the option's own type
        """Return the option's value.

        Raises:
            ValueError: the value is not of this type; the message is for the user.
        """
        return self.read(value)


def _value_type(
    words: str, schema: Schema, show: Callable[[Any], str] = _as_json
) -> Callable[[Callable[[Any], Any]], ValueType]:
    """Return a decorator that makes a `ValueType` of a function that reads a value."""
    return lambda read: ValueType(read, words, schema, show)


def _or_reference(schema: Schema) -> Schema:
    return {"anyOf": [schema, _REFERENCE]}


@_value_type("text", {"type": "string", "minLength": 1})
def text(value: object) -> str:
    """Read a text that is not empty."""
    if isinstance(value, (dict, list)):
        raise ValueError(f"must be text, not {type_name(value)}")
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {describe(value)}; put it in quotes")
    if not value.strip():
        empty = isinstance(value, Expanded)
        raise ValueError(f"must not be empty{'; the variable in it is' if empty else ''}")
    if not value.isprintable():
        what = look_alike(value) or "control or other characters that cannot be shown"
        raise ValueError(f"has {what}")
    return value


def _name(mistake: Callable[[str], str | None]) -> ValueType:
    """Return the type of a name or glob; `mistake` says what is wrong with one."""

    @_value_type("text", {"type": "string", "pattern": _NAME_PATTERN})
    def read(value: object) -> str:
        name: str = text(value)
        wrong = mistake(name)
        if wrong:
            raise ValueError(wrong)
        return name

    return read


registry_name = _name(registry_mistake)
image_name = _name(image_mistake)
tag_name = _name(tag_mistake)


@_value_type("text, never shown", {"type": "string", "minLength": 1})
def secret(value: object) -> Secret:
    """Read a text that is a secret."""
    if not isinstance(value, str):
        raise ValueError("must be text; put it in quotes")
    if not value.strip():
        raise ValueError("is empty; set the secret, or leave the key out")
    return Secret(value)


@_value_type("true or false", _or_reference({"type": "boolean"}))
def boolean(value: object) -> bool:
    """Read true or false."""
    value = resolved(value)
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {describe(value)}")
    return value


def one_of(*choices: str) -> ValueType:
    """Return the type of an option that is one of `choices`."""

    @_value_type(" or ".join(choices), _or_reference({"enum": list(choices)}))
    def read(value: object) -> str:
        if value not in choices:
            similar = did_you_mean(value, choices) if isinstance(value, str) else ""
            known = ", ".join(choices)
            raise ValueError(f"must be one of {known}, not {describe(value)}{similar}")
        return str(value)

    return read


def number(low: float, high: float, *, whole: bool = False) -> ValueType:
    """Return the type of a number from `low` to `high`, both included; `whole` for an integer."""
    words = f"a {'whole ' if whole else ''}number from {low:.15g} to {high:.15g}"
    bounds = {"type": "integer" if whole else "number", "minimum": low, "maximum": high}

    @_value_type(words, _or_reference(bounds))
    def read(value: object) -> float:
        value = resolved(value)
        right_type = isinstance(value, int if whole else (int, float))
        if isinstance(value, bool) or not right_type or not low <= value <= high:  # type: ignore[operator] # right_type says it is a number
            raise ValueError(f"must be {words}, not {describe(value)}")
        return value  # type: ignore[return-value] # right_type says it is a number

    return read


def duration(low: str, *, never: bool = False) -> ValueType:
    """Return the type of a duration, read as seconds.

    Args:
        low: the shortest allowed, such as `1s`.
        never: whether `never` is allowed, which is read as infinite.
    """
    least = parse_duration(low)
    words = f"a duration of at least {low}{', or never' if never else ''}"
    pattern = rf"^{DURATION_PATTERN}$|\$\{{{'|^never$' if never else ''}"

    @_value_type(words, {"type": "string", "pattern": pattern}, duration_text)
    def read(value: object) -> float:
        if never and value == "never":
            return FOREVER
        if not isinstance(value, str):
            number = isinstance(value, int) and not isinstance(value, bool) and value > 0
            unit = "; the unit is missing" if number else ""
            message = f"must be a duration such as 15m or 90d, not {describe(value)}{unit}"
            raise ValueError(message)
        seconds = parse_duration(value)
        if seconds < least:
            raise ValueError(f"must be at least {low}, not {value}")
        return seconds

    return read


@_value_type("a size", {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]})
def size(value: object) -> int:
    """Read a size in bytes, above 0."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole and not isinstance(value, str):
        raise ValueError(f"must be a size such as 500MiB or 1GB, not {describe(value)}")
    amount = parse_size(str(value))
    if amount <= 0:
        raise ValueError("must be above zero; leave the key out for no limit")
    return amount


@_value_type(
    "a whole number, or all",
    _or_reference({"anyOf": [{"type": "integer", "minimum": 0}, {"const": "all"}]}),
    lambda value: "all" if value is None else str(value),
)
def count_or_all(value: object) -> int | None:
    """Read a count, or `all`, which is read as None: no limit."""
    value = resolved(value)
    if value == "all":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"must be 0, a whole number, or all, not {describe(value)}")
    return value


@dataclass(frozen=True)
class ListOf:
    """The type of a list, read item by item, so that a problem names the item."""

    item: Any
    """A `ValueType`, or a dataclass of options."""
    least: int = 0
    """The fewest items allowed: 0 or 1."""


@dataclass(frozen=True)
class MapOf:
    """The type of a mapping whose keys are no options of the model."""

    values: Callable[[Any], Any] | Mapping[str, Callable[[Any], Any]]
    """The types of the known keys' values; or one type, for a mapping with any keys."""


def describe(value: object) -> str:
    """Return a wrong value in a few words; for a list or mapping, its type's name."""
    if value is None or isinstance(value, (dict, list)):
        return type_name(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):  # and a datetime, which is a date
        return f"the date {value.isoformat()}"
    shown = repr(value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"


def resolved(value: object) -> object:
    """Return a text from the environment as YAML reads it: `100` is a number."""
    if not isinstance(value, Expanded):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value


def type_name(value: object) -> str:
    """Return the type of a value in words, without the value, which may be a misplaced secret."""
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
