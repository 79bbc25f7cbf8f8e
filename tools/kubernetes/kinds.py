"""Objects by their kind, as the API server takes them."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from typing import TYPE_CHECKING

from tools.kubernetes.names import (
    is_key,
    is_port_name,
    is_service_name,
    is_subdomain,
    label_problems,
)
from tools.kubernetes.networks import address_block_problems
from tools.kubernetes.pods import template_problems
from tools.kubernetes.volumes import claim_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tools.kubernetes.names import Object

LARGEST_DATA = 1 << 20
"""Bytes of a ConfigMap or Secret."""
_PROTOCOLS = {"TCP", "UDP", "SCTP"}
_NODE_PORTS = range(30000, 32768)
"""Those of an API server that was given no others."""


def nothing(_: Object) -> Iterator[str]:
    """Yield nothing: a kind without rules of its own."""
    return iter(())


def _deployment(each: Object) -> Iterator[str]:
    spec = each["spec"]
    yield from template_problems(spec["template"], spec["selector"])
    strategy = spec.get("strategy", {})
    if strategy.get("type") == "Recreate" and strategy.get("rollingUpdate"):
        yield "spec.strategy: Recreate with rollingUpdate"
    if spec.get("progressDeadlineSeconds", 600) <= spec.get("minReadySeconds", 0):
        yield "spec.progressDeadlineSeconds: must be above minReadySeconds"
    if spec.get("replicas", 1) < 0 or spec.get("revisionHistoryLimit", 10) < 0:
        yield "spec: less than nothing"


def _stateful_set(each: Object) -> Iterator[str]:
    spec = each["spec"]
    yield from template_problems(spec["template"], spec["selector"])
    if spec.keys() & {"strategy", "progressDeadlineSeconds"}:
        yield "spec: has fields of a Deployment"
    if not is_service_name(spec.get("serviceName")):
        yield f"spec.serviceName: {spec.get('serviceName')!r} is no name"
    for template in spec.get("volumeClaimTemplates", []):
        yield from claim_problems(template["spec"])


def _service(each: Object) -> Iterator[str]:
    spec, kind = each["spec"], each["spec"].get("type", "ClusterIP")
    yield from label_problems(spec.get("selector"), "spec.selector")
    names = Counter(port.get("name") for port in spec["ports"])
    numbers = Counter((port.get("protocol", "TCP"), port["port"]) for port in spec["ports"])
    if max(names.values()) > 1 or max(numbers.values()) > 1:
        yield "spec.ports: one twice"
    for port in spec["ports"]:
        target = port.get("targetPort", port["port"])
        if isinstance(target, str) and not is_port_name(target):
            yield f"spec.ports: {target!r} is no name of a port"
        if port.get("nodePort") and kind == "ClusterIP":
            yield "spec.ports: a nodePort with ClusterIP"
        if port.get("nodePort", _NODE_PORTS[0]) not in _NODE_PORTS:
            yield f"spec.ports: {port['nodePort']} is no port of nodes"
    if spec.get("clusterIP") == "None" and kind != "ClusterIP":
        yield f"spec.clusterIP: None with {kind}"
    if spec.get("loadBalancerSourceRanges") and kind != "LoadBalancer":
        yield f"spec.loadBalancerSourceRanges: with {kind}"
    families = spec.get("ipFamilies", [])
    if len(families) > 1 and spec.get("ipFamilyPolicy", "SingleStack") == "SingleStack":
        yield "spec.ipFamilies: two for a single stack"


def _network_policy(each: Object) -> Iterator[str]:
    spec = each["spec"]
    yield from label_problems(spec["podSelector"].get("matchLabels"), "spec.podSelector")
    rules = [(rule, "to") for rule in spec.get("egress", [])]
    rules += [(rule, "from") for rule in spec.get("ingress", [])]
    for rule, peers in rules:
        for peer in rule.get(peers, []):
            yield from _peer_problems(peer)
        for port in rule.get("ports", []):
            number = port.get("port", 1)
            if port.get("protocol", "TCP") not in _PROTOCOLS:
                yield f"ports: {port['protocol']!r} is no protocol"
            if isinstance(number, str) and not is_port_name(number):
                yield f"ports: {number!r} is no name of a port"


def _peer_problems(peer: Object) -> Iterator[str]:
    if not peer:
        yield "a peer that is nobody"
    if "ipBlock" in peer and len(peer) > 1:
        yield "an ipBlock beside a selector"
    for selector in ("podSelector", "namespaceSelector"):
        yield from label_problems(peer.get(selector, {}).get("matchLabels"), selector)
    if "ipBlock" in peer:
        yield from address_block_problems(peer["ipBlock"])


def _ingress(each: Object) -> Iterator[str]:
    for rule in each["spec"].get("rules", []):
        host = rule.get("host", "host")
        if not is_subdomain(host.removeprefix("*.")):
            yield f"spec.rules: {host!r} is no host"
        for path in rule["http"]["paths"]:
            if path["pathType"] != "ImplementationSpecific" and path["path"][:1] != "/":
                yield f"spec.rules: the path {path['path']!r} is relative"


def _disruption_budget(each: Object) -> Iterator[str]:
    if {"minAvailable", "maxUnavailable"} <= each["spec"].keys():
        yield "spec: minAvailable and maxUnavailable"
    yield from label_problems(each["spec"]["selector"].get("matchLabels"), "spec.selector")


def _config_map(each: Object) -> Iterator[str]:
    yield from _data_problems(each.get("data", {}))


def _secret(each: Object) -> Iterator[str]:
    yield from _data_problems(each.get("data", {}))
    for key, value in each.get("data", {}).items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError):
            yield f"data.{key}: is not in base64"


def _data_problems(data: Mapping[str, object]) -> Iterator[str]:
    for key, value in data.items():
        if not is_key(key):
            yield f"data: {key!r} is no key"
        if not isinstance(value, str):
            yield f"data.{key}: is not a string"
    if sum(len(str(value).encode()) for value in data.values()) > LARGEST_DATA:
        yield "data: more than 1 MiB"


def _claim(each: Object) -> Iterator[str]:
    yield from claim_problems(each["spec"])


RULES: Mapping[str, Callable[[Object], Iterator[str]]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "Service": _service,
    "NetworkPolicy": _network_policy,
    "Ingress": _ingress,
    "PodDisruptionBudget": _disruption_budget,
    "ConfigMap": _config_map,
    "Secret": _secret,
    "PersistentVolumeClaim": _claim,
}
