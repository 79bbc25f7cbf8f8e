"""Fill the dataclasses of `model` from the tree, noting every problem instead of the first."""

from collections.abc import Mapping, Sequence
from dataclasses import Field
from typing import Any

from ncr_exporter.config.model import CredentialsConfig, overridable, own_options
from ncr_exporter.config.types import ListOf, MapOf, nearest, shape
from ncr_exporter.config.yaml_tree import BROKEN, Node, Problem, Report

WRONG: Any = object()
"""Stands for a value that was reported; None is a value (`tag_series: all`)."""


class Reader:
    """Reads nodes by kinds; a value that is wrong is reported and read as `WRONG`."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def section(self, model: type[Any], node: Node) -> Any:  # noqa: ANN401 -- an instance of `model`, or WRONG
        """Return a `model` filled from a mapping (or from a bare name, where it has one)."""
        options, overrides = own_options(model), overridable(model)
        if "name" in options and not isinstance(node.value, (dict, list)):
            return self._named(model, options["name"].metadata["kind"], node)
        if not self._is_mapping(node):
            return WRONG
        self._refuse_unknown(node, [*options, *overrides], secret=model is CredentialsConfig)
        values = self._given(options, node)
        if overrides:
            values["overrides"] = self._given(overrides, node)
        self._require(options, values, node)
        return model(**values)

    def value(self, kind: Any, node: Node) -> Any:  # noqa: ANN401 -- what the kind returns
        """Return the node's value as `kind` reads it, or WRONG with a report."""
        if node.value is BROKEN:
            return WRONG
        if isinstance(kind, type):
            return self.section(kind, node)
        if isinstance(kind, ListOf):
            return self._items(kind, node)
        if isinstance(kind, MapOf):
            return self._mapping(kind, node)
        try:
            return kind(node.value)
        except ValueError as error:
            self._report(node.problem(str(error)))
            return WRONG

    def _named(self, model: type[Any], kind: Any, node: Node) -> Any:  # noqa: ANN401 -- as `section`
        """Return a `model` given by its name alone."""
        name = self.value(kind, node)
        return WRONG if name is WRONG else model(name=name)

    def _items(self, kind: ListOf, node: Node) -> Any:  # noqa: ANN401 -- a tuple, or WRONG
        if not isinstance(node.value, list):
            self._report(node.problem(f"must be a list, not {shape(node.value)}"))
            return WRONG
        if len(node.value) < kind.least:
            self._report(node.problem("must not be an empty list"))
        values = [self.value(kind.item, item) for item in node.value]
        return tuple(value for value in values if value is not WRONG)

    def _is_mapping(self, node: Node) -> bool:
        if not isinstance(node.value, dict):
            self._report(node.problem(f"must be a mapping, not {shape(node.value)}"))
        return isinstance(node.value, dict)

    def _mapping(self, kind: MapOf, node: Node) -> Any:  # noqa: ANN401 -- a dictionary, or WRONG
        if not self._is_mapping(node):
            return WRONG
        kinds = kind.values
        if isinstance(kinds, Mapping):
            self._refuse_unknown(node, list(kinds), secret=False)
            pairs = {key: (kinds[key], c) for key, c in node.value.items() if key in kinds}
        else:
            pairs = {key: (kinds, child) for key, child in node.value.items()}
        values = {key: self.value(*pair) for key, pair in pairs.items()}
        return {key: value for key, value in values.items() if value is not WRONG}

    def _given(self, options: dict[str, Field[Any]], node: Node) -> dict[str, Any]:
        """Read the keys that stand in the mapping; a key without a value counts as left out."""
        present = {
            key: child
            for key, child in node.value.items()
            if key in options and child.value is not None
        }
        values = {k: self.value(options[k].metadata["kind"], c) for k, c in present.items()}
        return {key: value for key, value in values.items() if value is not WRONG}

    def _require(self, options: dict[str, Field[Any]], values: dict[str, Any], node: Node) -> None:
        for key, f in options.items():
            missing = f.metadata["required"] and key not in values
            written = node.value.get(key)
            if missing and (written is None or written.value is None):
                place = f"{node.place}.{key}" if node.place else key
                self._report(Problem(place, f"is needed: {f.metadata['help']}", node.line))

    def _refuse_unknown(self, node: Node, known: Sequence[str], *, secret: bool) -> None:
        for key, child in node.value.items():
            if key in known:
                continue
            # `secret_key:abc` without a space is one key; it would show the secret.
            place = node.place if secret or ":" in key else child.place
            self._report(Problem(place, f"unknown key{nearest(key, known)}", child.key_line))
