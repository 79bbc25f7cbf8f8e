"""Containers of a pod, as the API server takes them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tools.kubernetes.names import is_label, is_port_name
from tools.kubernetes.quantities import resource_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.kubernetes.names import Object

_HANDLERS = {"httpGet", "tcpSocket", "exec", "grpc"}
_LEAST = {
    "periodSeconds": 1,
    "timeoutSeconds": 1,
    "failureThreshold": 1,
    "successThreshold": 1,
    "initialDelaySeconds": 0,
}
_ONLY_ONCE = {"livenessProbe", "startupProbe"}
_PORTS = range(1, 65536)


def volume_names(spec: Object) -> set[str]:
    """Return the names of a pod's own volumes."""
    return {volume["name"] for volume in spec.get("volumes", []) if "name" in volume}


def container_problems(container: Object, volumes: set[str]) -> Iterator[str]:
    """Yield what is wrong with a container of a pod that has these volumes."""
    image = container.get("image", "")
    if not is_label(container.get("name")):
        yield "name: is no name"
    if not image or image != image.strip():
        yield f"image: {image!r} is none"
    yield from _environment_problems(container.get("env", []))
    yield from _port_problems(container.get("ports", []))
    yield from _mount_problems(container.get("volumeMounts", []), volumes)
    yield from resource_problems(container.get("resources", {}))
    names = {port.get("name") for port in container.get("ports", [])}
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        if kind in container:
            for problem in _probe_problems(kind, container[kind], names):
                yield f"{kind}: {problem}"


def _environment_problems(variables: Sequence[Object]) -> Iterator[str]:
    names = Counter(variable.get("name") for variable in variables)
    for variable in variables:
        name = str(variable.get("name", ""))
        if re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", name) is None:
            yield f"env: {name!r} is no name"
        if names[name] > 1:
            yield f"env: {name} is there twice"
        if "value" in variable and "valueFrom" in variable:
            yield f"env: {name} has a value and a source of it"
        if not isinstance(variable.get("value", ""), str):
            yield f"env: {name} is not a string"


def _port_problems(ports: Sequence[Object]) -> Iterator[str]:
    names = Counter(port["name"] for port in ports if "name" in port)
    for port in ports:
        if "name" in port and not is_port_name(port["name"]):
            yield f"ports: {port['name']!r} is no name of a port"
        if names.get(port.get("name"), 0) > 1:
            yield f"ports: {port['name']} is there twice"
        if port.get("containerPort") not in _PORTS:
            yield f"ports: {port.get('containerPort')} is no port"


def _mount_problems(mounts: Sequence[Object], volumes: set[str]) -> Iterator[str]:
    paths = Counter(mount.get("mountPath") for mount in mounts)
    for mount in mounts:
        path = mount.get("mountPath") or ""
        if mount.get("name") not in volumes:
            yield f"volumeMounts: there is no volume {mount.get('name')!r}"
        if not path or ":" in path:
            yield f"volumeMounts: {path!r} is no path"
        if paths[path] > 1:
            yield f"volumeMounts: {path} is there twice"
        if mount.get("subPath", "").startswith("/") or ".." in mount.get("subPath", "").split("/"):
            yield f"volumeMounts: the subPath {mount['subPath']!r} leaves the volume"


def _probe_problems(kind: str, probe: Object, ports: set[str | None]) -> Iterator[str]:
    handlers = probe.keys() & _HANDLERS
    if len(handlers) != 1:
        yield f"has {len(handlers)} handlers"
    for name, least in _LEAST.items():
        if probe.get(name, least) < least:
            yield f"{name} is below {least}"
    if kind in _ONLY_ONCE and probe.get("successThreshold", 1) != 1:
        yield "successThreshold must be 1"
    for handler in handlers - {"exec"}:
        port = probe[handler].get("port")
        if isinstance(port, int) and port not in _PORTS:
            yield f"{port} is no port"
        if isinstance(port, str) and port not in ports:
            yield f"the container has no port {port!r}"
    if "httpGet" in handlers and not probe["httpGet"].get("path", "/"):
        yield "httpGet has no path"
    if "exec" in handlers and not probe["exec"].get("command"):
        yield "exec has no command"
