"""JSON Schema of the configuration file, derived from the options; editors complete keys by it."""

from dataclasses import Field
from typing import Any

from ncr_exporter.config.model import Config, options_of
from ncr_exporter.config.types import ListOf, ValueType


def json_schema() -> dict[str, Any]:
    """Return the schema of the whole file, in draft 7, which editors support."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Configuration of ncr-exporter",
        **_section(Config),
    }


def _section(model: type[Any]) -> dict[str, Any]:
    options = options_of(model)
    required = [name for name, option in options.items() if option.metadata["required"]]
    mapping = {
        "type": "object",
        "properties": {name: _option(option) for name, option in options.items()},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }
    if "name" not in options:
        return mapping
    return {"anyOf": [mapping, _value(options["name"].metadata["type"])]}


def _option(option: Field[Any]) -> dict[str, Any]:
    described = {"description": option.metadata["help"]}
    value = _value(option.metadata["type"])
    if option.metadata["required"]:
        return {**described, **value}
    # A key without a value counts as left out.
    return {**described, "anyOf": [value, {"type": "null"}]}


def _value(value_type: Any) -> dict[str, Any]:  # noqa: ANN401 -- a ValueType, a ListOf or a dataclass of options
    if isinstance(value_type, ValueType):
        return dict(value_type.schema)
    if isinstance(value_type, ListOf):
        return {"type": "array", "items": _value(value_type.item), "minItems": value_type.least}
    return _section(value_type)
