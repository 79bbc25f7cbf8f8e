"""The configuration as it may be shown: as written, every secret masked. Pure."""

from collections.abc import Iterator

import yaml

MASK = "<secret>"
_SECRETS = {"access_key", "secret_key", "proxy_url"}
"""Keys whose values are never shown, wherever they stand."""


def shown(text: str) -> str:
    """Return a valid configuration's YAML before `${}` is expanded, without comments and secrets.

    A secret is masked wherever it stands: an alias may carry it elsewhere.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        return ""
    scalars = list(_scalars(root))
    secrets = {scalar.value for key, scalar in scalars if key in _SECRETS and scalar.value}
    for _, scalar in scalars:
        if scalar.value in secrets:
            scalar.value, scalar.style, scalar.tag = MASK, None, "tag:yaml.org,2002:str"
    return yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True)


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
