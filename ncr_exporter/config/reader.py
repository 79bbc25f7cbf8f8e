"""Fill the dataclasses of `model` from a tree of nodes, and report every problem, not only one."""

from collections.abc import Mapping, Sequence
from dataclasses import Field
from typing import Any

from ncr_exporter.config.model import CredentialsConfig, overridable, own_options
from ncr_exporter.config.types import ListOf, MapOf, nearest, type_name
from ncr_exporter.config.yaml_tree import INVALID, Node, Problem, ReportProblem


class Reader:
    """Converts nodes to the types of their options; one that is wrong becomes `INVALID`."""

    def __init__(self, report: ReportProblem) -> None:
        """Set what is called with each problem."""
        self._report = report

    def section(self, model: type[Any], node: Node) -> Any:  # noqa: ANN401 -- an instance of `model`, or INVALID
        """Return a `model` filled from a mapping, or INVALID after a report.

        A `model` with the option `name` may also be a plain name instead of a mapping.
        """
        options, overrides = own_options(model), overridable(model)
        if "name" in options and not isinstance(node.value, (dict, list)):
            return self._named(model, options["name"].metadata["type"], node)
        if not self._is_mapping(node):
            return INVALID
        self._refuse_unknown(node, [*options, *overrides], secret=model is CredentialsConfig)
        values = self._given(options, node)
        if overrides:
            values["overrides"] = self._given(overrides, node)
        self._require(options, values, node)
        return model(**values)

    def value(self, value_type: Any, node: Node) -> Any:  # noqa: ANN401 -- of the type given, or INVALID
        """Return the node's value, or INVALID after a report.

        Args:
            value_type: a `ValueType`, `ListOf`, `MapOf`, or a dataclass of options.
            node: the node to convert.
        """
        if node.value is INVALID:
            return INVALID
        if isinstance(value_type, type):
            return self.section(value_type, node)
        if isinstance(value_type, ListOf):
            return self._items(value_type, node)
        if isinstance(value_type, MapOf):
            return self._mapping(value_type, node)
        try:
            return value_type(node.value)
        except ValueError as error:
            self._report(node.problem(str(error)))
            return INVALID

    def _named(self, model: type[Any], name_type: Any, node: Node) -> Any:  # noqa: ANN401 -- an instance of `model`, or INVALID
        """Return a `model` given by its name alone."""
        name = self.value(name_type, node)
        return INVALID if name is INVALID else model(name=name)

    def _items(self, list_type: ListOf, node: Node) -> Any:  # noqa: ANN401 -- a tuple, or INVALID
        if not isinstance(node.value, list):
            self._report(node.problem(f"must be a list, not {type_name(node.value)}"))
            return INVALID
        if len(node.value) < list_type.least:
            self._report(node.problem("must not be an empty list"))
        values = [self.value(list_type.item, item) for item in node.value]
        return tuple(value for value in values if value is not INVALID)

    def _is_mapping(self, node: Node) -> bool:
        if not isinstance(node.value, dict):
            self._report(node.problem(f"must be a mapping, not {type_name(node.value)}"))
        return isinstance(node.value, dict)

    def _mapping(self, map_type: MapOf, node: Node) -> Any:  # noqa: ANN401 -- a dictionary, or INVALID
        if not self._is_mapping(node):
            return INVALID
        types = map_type.values
        if isinstance(types, Mapping):
            self._refuse_unknown(node, list(types), secret=False)
            pairs = {key: (types[key], c) for key, c in node.value.items() if key in types}
        else:
            pairs = {key: (types, child) for key, child in node.value.items()}
        values = {key: self.value(*pair) for key, pair in pairs.items()}
        return {key: value for key, value in values.items() if value is not INVALID}

    def _given(self, options: dict[str, Field[Any]], node: Node) -> dict[str, Any]:
        """Return the values of the given keys; a key without a value counts as left out."""
        present = {
            key: child
            for key, child in node.value.items()
            if key in options and child.value is not None
        }
        values = {k: self.value(options[k].metadata["type"], c) for k, c in present.items()}
        return {key: value for key, value in values.items() if value is not INVALID}

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
            # `secret_key:abc` without a space is one key, and would show the secret.
            place = node.place if secret or ":" in key else child.place
            self._report(Problem(place, f"unknown key{nearest(key, known)}", child.key_line))
