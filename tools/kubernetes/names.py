"""Names, labels and annotations, as the API server takes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Object = dict[str, Any]
"""An object as YAML holds it, or a part of one."""
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_LONGEST_LABEL = 63
_LONGEST_SUBDOMAIN = 253
_LONGEST_PORT = 15
_ANNOTATIONS = 262_144
"""Bytes of all annotations of an object, keys and values."""


def is_label(name: object) -> bool:
    """Return whether this is an RFC 1123 label, as containers and volumes are named."""
    return isinstance(name, str) and len(name) <= _LONGEST_LABEL and _is(_LABEL, name)


def is_subdomain(name: object) -> bool:
    """Return whether this is an RFC 1123 subdomain, as most objects are named."""
    return (
        isinstance(name, str)
        and len(name) <= _LONGEST_SUBDOMAIN
        and _is(rf"{_LABEL}(\.{_LABEL})*", name)
    )


def is_service_name(name: object) -> bool:
    """Return whether this is an RFC 1035 label: a Service's name may not begin with a digit."""
    return is_label(name) and str(name)[:1].isalpha()


def is_port_name(name: object) -> bool:
    """Return whether this is an IANA service name of at most 15 characters."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= _LONGEST_PORT
        and _is(r"[a-z0-9]([a-z0-9-]*[a-z0-9])*", name)
        and "--" not in name
        and any(letter.isalpha() for letter in name)
    )


def is_key(name: object) -> bool:
    """Return whether this may be a key of a ConfigMap or Secret."""
    return (
        isinstance(name, str)
        and len(name) <= _LONGEST_SUBDOMAIN
        and _is(r"[-._a-zA-Z0-9]+", name)
        and name != "."
        and not name.startswith("..")
    )


def is_qualified(key: object) -> bool:
    """Return whether this may be the key of a label or an annotation."""
    if not isinstance(key, str) or key.count("/") > 1:
        return False
    prefix, slash, name = key.rpartition("/")
    return (is_subdomain(prefix) if slash else True) and (
        len(name) <= _LONGEST_LABEL and _is(_QUALIFIED, name)
    )


def label_problems(labels: Mapping[Any, Any] | None, where: str = "labels") -> Iterator[str]:
    """Yield what is wrong with labels, or with what selects by them."""
    for key, value in (labels or {}).items():
        if not is_qualified(key):
            yield f"{where}: {key!r} is no key"
        if not isinstance(value, str):
            yield f"{where}: {key} is not a string"
        elif len(value) > _LONGEST_LABEL or not _is(rf"({_QUALIFIED})?", value):
            yield f"{where}: {value!r} is no value of a label"


def metadata_problems(metadata: Mapping[str, Any], kind: str) -> Iterator[str]:
    """Yield what is wrong with an object's metadata."""
    is_name = is_service_name if kind == "Service" else is_subdomain
    if not is_name(metadata.get("name")):
        yield f"metadata.name: {metadata.get('name')!r} is no name of a {kind}"
    if not is_label(metadata.get("namespace", "default")):
        yield f"metadata.namespace: {metadata['namespace']!r} is no name"
    yield from label_problems(metadata.get("labels"), "metadata.labels")
    yield from annotation_problems(metadata.get("annotations"))


def annotation_problems(annotations: Mapping[Any, Any] | None) -> Iterator[str]:
    """Yield what is wrong with annotations."""
    size = 0
    for key, value in (annotations or {}).items():
        if not is_qualified(str(key).lower()):
            yield f"annotations: {key!r} is no key"
        if not isinstance(value, str):
            yield f"annotations: {key} is not a string"
        size += len(str(key).encode()) + len(str(value).encode())
    if size > _ANNOTATIONS:
        yield f"annotations: {size} bytes are too long"


def _is(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None
