"""Secrets: a string that cannot be shown by accident, and a configuration without its secrets."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import yaml


class Secret:
    """A secret string. Only `reveal()` returns it, so that all uses can be searched for.

    `repr`, `str`, f-strings and `%s` give `<secret>`. Pickling and `copy` raise TypeError.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


MASK = "<secret>"
SECRET_KEYS = {"access_key", "secret_key", "proxy_url"}
"""Keys of the configuration whose values are secret, in every section."""


@dataclass(frozen=True)
class Redacted:
    """A configuration file that may be shown to anyone."""

    text: str
    """YAML, with each secret replaced by `<secret>`."""
    holds_secret: bool
    """Whether the file itself holds a secret, rather than naming a variable or another file."""


def redacted(text: str) -> Redacted:
    """Return a configuration without its secrets and comments, `${VAR}` not expanded.

    Every scalar that equals a secret is masked, under any key: a YAML alias may repeat it there.

    Args:
        text: a valid configuration file.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        return Redacted("", holds_secret=False)
    scalars = list(_scalars(root))
    holds_secret = any(_gives_access(key, scalar.value) for key, scalar in scalars)
    secrets = {scalar.value for key, scalar in scalars if key in SECRET_KEYS and scalar.value}
    for _, scalar in scalars:
        if scalar.value in secrets:
            scalar.value, scalar.style, scalar.tag = MASK, None, "tag:yaml.org,2002:str"
    return Redacted(yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True), holds_secret)


def _gives_access(key: str, value: str) -> bool:
    """Return whether the value alone gives access: an access key or a proxy's address does not."""
    is_secret = key == "secret_key" or (key == "proxy_url" and "@" in value)
    return is_secret and value != "" and "${" not in value


def _scalars(node: yaml.Node, key: str = "") -> Iterator[tuple[str, yaml.ScalarNode]]:
    """Yield each scalar value with its key; items of a list have the key of the list."""
    if isinstance(node, yaml.ScalarNode):
        yield key, node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item, key)
    elif isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            yield from _scalars(value, key_node.value)
