"""Fill the dataclasses of `model` from a tree of nodes, and report every problem, not only one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field
from typing import Any

from ncr_exporter.config.model import (
    CredentialsConfig,
    RegistryConfig,
    Settings,
    overridable,
    own_options,
)
from ncr_exporter.config.names import image_mistake
from ncr_exporter.config.stray_signs import look_alike
from ncr_exporter.config.suggestions import nearest, plain
from ncr_exporter.config.types import ListOf, MapOf, type_name
from ncr_exporter.config.yaml_tree import INVALID, Node, Problem, ReportProblem

_NAMED_KEYS = (*own_options(RegistryConfig), *own_options(Settings))
"""Keys of entries that have names."""


class Reader:
    """Converts nodes to the types of their options; one that is wrong becomes `INVALID`."""

    def __init__(self, report: ReportProblem) -> None:
        """Set what is called with each problem."""
        self._report = report
        self._root: type[Any] | None = None
        """The model of the whole file, which knows where a misplaced key belongs."""
        self._nodes: dict[int, tuple[object, Node]] = {}
        """By the section's identity; the section is kept, so that no other takes it over."""

    def node_of(self, section: object) -> Node:
        """Return the node that a section, as `section` returned it, was read from."""
        return self._nodes[id(section)][1]

    def section(self, model: type[Any], node: Node) -> Any:  # noqa: ANN401 -- an instance of `model`, or INVALID
        """Return a `model` filled from a mapping, or INVALID after a report.

        A `model` with the option `name` may also be a plain name instead of a mapping.
        """
        if not node.place:
            self._root = model
        options, overrides = own_options(model), overridable(model)
        if "name" in options and not isinstance(node.value, (dict, list)):
            return self._at(node, self._named(model, options["name"].metadata["type"], node))
        if not self._is_mapping(node):
            return INVALID
        self._refuse_unknown(node, [*options, *overrides], secret=model is CredentialsConfig)
        values = self._given(options, node)
        if overrides:
            values["overrides"] = self._given(overrides, node)
        self._require(options, values, node)
        return self._at(node, model(**values))

    def _at(self, node: Node, section: Any) -> Any:  # noqa: ANN401 -- a section, or INVALID
        self._nodes[id(section)] = (section, node)
        return section

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
            self._report(node.problem(f"must be a list, not {_no_list(node)}"))
            return INVALID
        if len(node.value) < list_type.least:
            self._report(node.problem("must not be an empty list"))
        values = [self.value(list_type.item, item) for item in node.value]
        return tuple(value for value in values if value is not INVALID)

    def _is_mapping(self, node: Node) -> bool:
        if not isinstance(node.value, dict):
            self._report(node.problem(f"must be a mapping, not {_shape(node)}"))
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
        if "name" in options and any(_is_name(key, node) for key in node.value):
            return  # reported as an unknown key
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
            message = _unknown_key(key, known, dict(self._homes(known)))
            if "name" in known and _is_name(key, node):
                message = f"a name is no key; write `name: {key}`, and its settings beside it"
            self._report(Problem(place, message, child.key_line))

    def _homes(self, known: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the keys that other sections have than the one with the keys `known`."""
        homes = [] if self._root is None else reversed(list(_homes(self._root, "")))
        return ((key, section) for key, section in homes if key not in known)


def _homes(model: type[Any], section: str) -> Iterator[tuple[str, str]]:
    """Yield each key of a file with the section that it belongs in, outer sections first."""
    options = {key: option.metadata["type"] for key, option in own_options(model).items()}
    yield from ((key, section) for key in options)
    for key, value_type in options.items():
        place = f"{section}.{key}" if section else key
        if isinstance(value_type, type):
            yield from _homes(value_type, place)
        elif isinstance(value_type, ListOf) and isinstance(value_type.item, type):
            yield from _homes(value_type.item, f"{place}[]")


def _is_name(key: str, node: Node) -> bool:
    """Return whether an entry's only key is rather its name: `- app: {…}`, or `- app:`."""
    alone = len(node.value) == 1 and not isinstance(node.value[key].value, (str, bool, int, float))
    is_key = key in _NAMED_KEYS or nearest(key, _NAMED_KEYS)
    return alone and not is_key and not image_mistake(key)


def _unknown_key(key: str, known: Sequence[str], elsewhere: Mapping[str, str]) -> str:
    """Return the message on a key that its section does not have; it never quotes the key."""
    here = nearest(key, known)
    there = key if key in elsewhere else nearest(key, elsewhere)
    if there and plain(there) == plain(key) and not (here and plain(here) == plain(key)):
        return f"unknown key here; {there} belongs {_into(elsewhere[there])}"
    blank = "; a blank is missing behind its colon" if ":" in key else ""
    if here:
        return f"unknown key{blank}; did you mean {here!r}?"
    if there:
        return f"unknown key{blank}; did you mean {there!r}, {_into(elsewhere[there])}?"
    return f"unknown key{blank}"


def _into(section: str) -> str:
    entries = f"in an entry of `{section.removesuffix('[]')}`"
    if section.endswith("[]"):
        return entries
    return f"in `{section}`" if section else "at the top of the file"


def _no_list(node: Node) -> str:
    """Return the type of a value that should be a list, and how a list is written."""
    shape = _shape(node)
    if shape == type_name({}):
        return f"{shape}; begin each entry with `- `"
    return f"{shape}; put it in [ ]" if shape == type_name("") else shape


def _shape(node: Node) -> str:
    """Return the type of a value that should be a list or a mapping, and what made it text."""
    name, value = type_name(node.value), node.value
    if not isinstance(value, str):
        return name
    if stray := look_alike(value):
        return f"{name}; it has {stray}"
    if value.startswith("-"):
        return f"{name}; write a blank behind each -"
    if ":" in value and "://" not in value:
        return f"{name}; write a blank behind each colon"
    return name
