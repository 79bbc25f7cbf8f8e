"""JSON Schema of the configuration file, from the table of options: editors complete by it."""

from dataclasses import Field
from typing import Any

from ncr_exporter.config.model import Config, options_of
from ncr_exporter.config.types import Kind, ListOf


def json_schema() -> dict[str, Any]:
    """Return the schema of the whole file, in JSON Schema's draft 7, which editors know."""
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
    return {"anyOf": [mapping, {"type": "string", "minLength": 1}]}


def _option(option: Field[Any]) -> dict[str, Any]:
    described = {"description": option.metadata["help"]}
    kind = _kind(option.metadata["kind"])
    if option.metadata["required"]:
        return {**described, **kind}
    return {**described, "anyOf": [kind, {"type": "null"}]}  # a key without a value is left out


def _kind(kind: Any) -> dict[str, Any]:  # noqa: ANN401 -- a Kind, a ListOf or a dataclass of options
    if isinstance(kind, Kind):
        return dict(kind.schema)
    if isinstance(kind, ListOf):
        return {"type": "array", "items": _kind(kind.item), "minItems": kind.least}
    return _section(kind)
