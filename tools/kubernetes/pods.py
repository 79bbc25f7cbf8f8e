"""Pods, as the API server takes them."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, Any

from tools.kubernetes.containers import container_problems, volume_names
from tools.kubernetes.names import (
    annotation_problems,
    is_label,
    is_subdomain,
    label_problems,
)
from tools.kubernetes.volumes import volume_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tools.kubernetes.names import Object

_NAMESERVERS = 3
_WEIGHTS = range(1, 101)


def pod_spec(each: Object) -> Object | None:
    """Return the spec of the pods that an object makes, or is; None where it makes none."""
    if each["kind"] == "Pod":
        spec: Object = each["spec"]
        return spec
    template: Object = each.get("spec", {}).get("template", {})
    return template.get("spec")


def claimed(each: Object) -> set[str]:
    """Return the names of the volumes that a StatefulSet brings for each of its pods."""
    templates = each["spec"].get("volumeClaimTemplates", [])
    return {template["metadata"]["name"] for template in templates}


def pod_problems(spec: Object, claims: set[str]) -> Iterator[str]:
    """Yield what is wrong with a pod."""
    yield from volume_problems(spec.get("volumes", []))
    containers = [*spec.get("initContainers", []), *spec["containers"]]
    names = Counter(container.get("name") for container in containers)
    for container in containers:
        if names[container.get("name")] > 1:
            yield f"containers: {container.get('name')} is there twice"
        for problem in container_problems(container, claims | volume_names(spec)):
            yield f"container {container.get('name')}: {problem}"
    yield from _placement_problems(spec)
    yield from _dns_problems(spec)
    for secret in spec.get("imagePullSecrets", []):
        if not is_subdomain(secret.get("name")):
            yield f"imagePullSecrets: {secret.get('name')!r} is no name"
    if not is_subdomain(spec.get("serviceAccountName", "default")):
        yield f"serviceAccountName: {spec['serviceAccountName']!r} is no name"
    context = spec.get("securityContext", {})
    if context.get("runAsNonRoot") and context.get("runAsUser") == 0:
        yield "securityContext: runAsNonRoot with the user 0"


def template_problems(template: Object, selector: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the metadata of a pod template, and with what selects its pods."""
    labels = template.get("metadata", {}).get("labels", {})
    wanted = selector.get("matchLabels", {})
    yield from label_problems(labels, "template.labels")
    yield from annotation_problems(template.get("metadata", {}).get("annotations"))
    if not wanted:
        yield "spec.selector: selects nothing"
    if not wanted.items() <= labels.items():
        yield "spec.selector: does not match the template's labels"


def _placement_problems(spec: Object) -> Iterator[str]:
    yield from label_problems(spec.get("nodeSelector"), "nodeSelector")
    for toleration in spec.get("tolerations", []):
        operator = toleration.get("operator", "Equal")
        if operator == "Exists" and toleration.get("value"):
            yield "tolerations: a value with the operator Exists"
        if not toleration.get("key") and operator != "Exists":
            yield "tolerations: no key needs the operator Exists"
        if "tolerationSeconds" in toleration and toleration.get("effect") != "NoExecute":
            yield "tolerations: tolerationSeconds without NoExecute"
    constraints = spec.get("topologySpreadConstraints", [])
    seen = {(each["topologyKey"], each["whenUnsatisfiable"]) for each in constraints}
    if len(seen) < len(constraints):
        yield "topologySpreadConstraints: one key twice"
    if any(each["maxSkew"] < 1 for each in constraints):
        yield "topologySpreadConstraints: maxSkew must be above 0"
    for affinity in spec.get("affinity", {}).values():
        for each in affinity.get("preferredDuringSchedulingIgnoredDuringExecution", []):
            if each["weight"] not in _WEIGHTS:
                yield f"affinity: a weight of {each['weight']}"


def _dns_problems(spec: Object) -> Iterator[str]:
    config = spec.get("dnsConfig", {})
    servers: Sequence[str] = config.get("nameservers", [])
    if len(servers) > _NAMESERVERS:
        yield "dnsConfig: more than 3 nameservers"
    if spec.get("dnsPolicy") == "None" and not servers:
        yield "dnsPolicy: None needs a nameserver"
    if any(not option.get("name") for option in config.get("options", [])):
        yield "dnsConfig: an option without a name"
    addresses = [*servers, *(alias.get("ip", "") for alias in spec.get("hostAliases", []))]
    for address in addresses:
        if not _is_address(address):
            yield f"dnsConfig or hostAliases: {address!r} is no address"
    for alias in spec.get("hostAliases", []):
        if not all(map(is_subdomain, alias.get("hostnames", []))):
            yield f"hostAliases: {alias['hostnames']} are no host names"
    if not is_label(spec.get("hostname", "host")):
        yield f"hostname: {spec['hostname']!r} is no name"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
