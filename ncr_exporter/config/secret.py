"""A string that cannot be shown by accident."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import yaml


class Secret:
    """Holds a key; only `reveal()` gives it out, so every place that does can be found.

    `repr`, `str`, f-strings and `%s` show `<secret>`; pickling and copying into a dump are refused.
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
_SECRETS = {"access_key", "secret_key", "proxy_url"}
"""Keys whose values are never shown, wherever they stand."""


@dataclass(frozen=True)
class Redacted:
    """What anyone may know of a configuration file."""

    text: str
    holds_secret: bool
    """Whether a secret stands in it, not in a variable or a file that it names."""


def redacted(text: str) -> Redacted:
    """Return a valid configuration's YAML before `${}` is expanded, without comments and secrets.

    A secret is masked wherever it stands: an alias may carry it elsewhere.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        return Redacted("", holds_secret=False)
    scalars = list(_scalars(root))
    holds_secret = any(_gives_access(key, scalar.value) for key, scalar in scalars)
    secrets = {scalar.value for key, scalar in scalars if key in _SECRETS and scalar.value}
    for _, scalar in scalars:
        if scalar.value in secrets:
            scalar.value, scalar.style, scalar.tag = MASK, None, "tag:yaml.org,2002:str"
    return Redacted(yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True), holds_secret)


def _gives_access(key: str, value: str) -> bool:
    """Tell whether this is enough by itself; an access key is not, nor a proxy's bare address."""
    is_secret = key == "secret_key" or (key == "proxy_url" and "@" in value)
    return is_secret and value != "" and "${" not in value


def _scalars(node: yaml.Node, key: str = "") -> Iterator[tuple[str, yaml.ScalarNode]]:
    """Yield every value that is a scalar, with the key that it stands under."""
    if isinstance(node, yaml.ScalarNode):
        yield key, node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item, key)
    elif isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            yield from _scalars(value, key_node.value)
