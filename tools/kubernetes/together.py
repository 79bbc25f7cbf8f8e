"""What no API server says: objects of one set that do not find each other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.kubernetes.pods import pod_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tools.kubernetes.names import Object

LARGEST_APPLIED = 262_144
"""Bytes of an object that `kubectl apply` keeps in an annotation of it."""
_WORKLOADS = {"Deployment", "StatefulSet"}


def problems_together(found: Sequence[Object]) -> Iterator[str]:
    """Yield what does not fit together, one sentence each."""
    workloads = [each for each in found if each["kind"] in _WORKLOADS]
    for each in found:
        name = f"{each['kind']} {each['metadata']['name']}"
        size = len(json.dumps(each).encode())
        if size > LARGEST_APPLIED:
            yield f"{name}: {size} bytes are too many for kubectl apply"
        for problem in _lost(each, workloads):
            yield f"{name}: {problem}"
    services = {each["metadata"]["name"] for each in found if each["kind"] == "Service"}
    for workload in workloads:
        if workload["spec"].get("serviceName", next(iter(services), None)) not in services:
            yield f"StatefulSet {workload['metadata']['name']}: there is no Service of its"


def _lost(each: Object, workloads: Sequence[Object]) -> Iterator[str]:
    selector = _selector_of_pods(each)
    if selector is None:
        return
    chosen = [x for x in workloads if selector.items() <= _labels_of_pods(x).items()]
    if not chosen:
        yield "selects no pod"
    for port in _named_ports(each):
        if not all(port in _ports_of_pods(workload) for workload in chosen):
            yield f"the pods have no port {port!r}"


def _selector_of_pods(each: Object) -> Mapping[str, str] | None:
    spec = each.get("spec", {})
    selectors = {
        "Service": spec.get("selector"),
        "NetworkPolicy": spec.get("podSelector", {}).get("matchLabels"),
        "PodDisruptionBudget": spec.get("selector", {}).get("matchLabels"),
    }
    return selectors.get(each["kind"])


def _named_ports(each: Object) -> Iterator[str]:
    spec = each["spec"]
    rules = [*spec.get("ports", []), *(p for r in spec.get("ingress", []) for p in r["ports"])]
    for port in rules:
        target = port.get("targetPort", port.get("port"))
        if isinstance(target, str):
            yield target


def _labels_of_pods(workload: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def _ports_of_pods(workload: Object) -> set[str]:
    spec = pod_spec(workload) or {}
    return {port["name"] for each in spec["containers"] for port in each.get("ports", [])}
