"""Volumes of a pod and what claims one, as the API server takes them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tools.kubernetes.names import is_key, is_label, is_subdomain
from tools.kubernetes.quantities import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.kubernetes.names import Object

_HIGHEST_MODE = 0o777
_NAMES = {"configMap": "name", "secret": "secretName", "persistentVolumeClaim": "claimName"}


def volume_problems(volumes: Sequence[Object]) -> Iterator[str]:
    """Yield what is wrong with the volumes of a pod."""
    names = Counter(volume.get("name") for volume in volumes)
    for volume in volumes:
        name = volume.get("name")
        if not is_label(name):
            yield f"volumes: {name!r} is no name"
        if names[name] > 1:
            yield f"volumes: {name} is there twice"
        sources = volume.keys() - {"name"}
        if len(sources) != 1:
            yield f"volume {name}: has {len(sources)} sources"
        for source in sources:
            for problem in _source_problems(source, volume[source]):
                yield f"volume {name}: {problem}"


def _source_problems(kind: str, source: Object) -> Iterator[str]:
    if kind in _NAMES and not is_subdomain(source.get(_NAMES[kind])):
        yield f"{kind}: {source.get(_NAMES[kind])!r} is no name"
    if not 0 <= source.get("defaultMode", 0) <= _HIGHEST_MODE:
        yield f"{kind}: defaultMode is not between 0 and 0777"
    items = source.get("items", [])
    for item in items:
        if not is_key(item.get("key")):
            yield f"{kind}: {item.get('key')!r} is no key"
        if not _stays_inside(item.get("path", "")):
            yield f"{kind}: the path {item.get('path')!r} leaves the volume"
    if kind == "emptyDir" and "sizeLimit" in source and amount(source["sizeLimit"]) is None:
        yield f"emptyDir: {source['sizeLimit']!r} is no quantity"


def _stays_inside(path: str) -> bool:
    return bool(path) and not path.startswith("/") and ".." not in path.split("/")


def claim_problems(spec: Object) -> Iterator[str]:
    """Yield what is wrong with the spec of a PersistentVolumeClaim."""
    if not spec.get("accessModes"):
        yield "accessModes: none"
    if "ReadWriteOncePod" in spec.get("accessModes", []) and len(spec["accessModes"]) > 1:
        yield "accessModes: ReadWriteOncePod beside another"
    size = amount(spec.get("resources", {}).get("requests", {}).get("storage"))
    if size is None or size <= 0:
        yield "resources.requests.storage: must be above 0"
    if not is_subdomain(spec.get("storageClassName") or "default"):
        yield f"storageClassName: {spec['storageClassName']!r} is no name"
