"""An example of each mistake that no schema sees: the chart's own objects, spoiled at one place."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tools.kubernetes.names import Object

EXAMPLES = ("everything", "sharded", "exposed")
"""The files of the chart's ci/ whose objects, in this order, are spoiled."""
_POD = "spec.template.spec."
_CONTAINER = f"{_POD}containers.0."
_TOO_LONG = "x" * 64


@dataclass(frozen=True)
class Mistake:
    """What is changed in the first object of a kind, and what is said of it."""

    kind: str
    place: str
    """Keys and indices, joined by dots."""
    change: Callable[[Any], Any]
    """From what is there, or None, to what takes its place."""
    sentence: str
    refused: bool = True
    """False where an API server takes it, and the mistake shows only later."""

    @property
    def name(self) -> str:
        """A name for a test."""
        return f"{self.kind} {self.place}: {self.sentence}"


def spoiled(found: Sequence[Object], mistake: Mistake) -> Object:
    """Return a copy of the first object of the mistake's kind, with the mistake in it."""
    each = copy.deepcopy(next(x for x in found if x["kind"] == mistake.kind))
    *way, last = (_step(step) for step in mistake.place.split("."))
    place: Any = each
    for step in way:
        place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
    old = place.get(last) if isinstance(place, dict) else place[last]
    place[last] = mistake.change(old)
    return each


def _step(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def _of(kind: str, *mistakes: tuple[str, Any, str]) -> list[Mistake]:
    return [
        Mistake(kind, place, change if callable(change) else _constant(change), sentence)
        for place, change, sentence in mistakes
    ]


def _taken_for_now(*mistakes: tuple[str, str, Any, str]) -> Iterator[Mistake]:
    """Yield what an API server may take, and a pod, a node or a controller refuses later."""
    for kind, place, change, sentence in mistakes:
        yield replace(*_of(kind, (place, change, sentence)), refused=False)


def _constant(value: object) -> Callable[[Any], object]:
    return lambda _: value


def _twice(items: list[Any]) -> list[Any]:
    return [*items, items[0]]


def _and(**more: object) -> Callable[[dict[str, Any]], dict[str, object]]:
    return lambda old: {**(old or {}), **more}


_BLOCK = "spec.egress.1.to.0.ipBlock"
_ENV = {"name": "HTTPS_PROXY", "value": "http://another.example.com"}

MISTAKES: Sequence[Mistake] = [
    *_of(
        "NetworkPolicy",
        (
            "spec.egress.1.to.1.ipBlock.except.0",
            "::ffff:0:0/96",
            "must be a strict subset of ::/0",
        ),
        (f"{_BLOCK}.except.0", "0.0.0.0/0", "must be a strict subset of 0.0.0.0/0"),
        (f"{_BLOCK}.cidr", "11.0.0.0/8", "must be a strict subset of 11.0.0.0/8"),
        (f"{_BLOCK}.cidr", "10.0.0.0/33", "is no CIDR"),
        (f"{_BLOCK}.except.0", "10.0.0.0", "is no CIDR"),
        ("spec.egress.1.to.0", _and(podSelector={}), "an ipBlock beside a selector"),
        ("spec.ingress.0.ports.0.port", "Http", "is no name of a port"),
        ("spec.podSelector", {"matchLabels": {"a": _TOO_LONG}}, "is no value of a label"),
    ),
    *_of(
        "Deployment",
        ("metadata.name", "Ncr", "is no name of a Deployment"),
        ("metadata.labels", _and(team="platform team"), "is no value of a label"),
        ("metadata.labels", _and(team=_TOO_LONG), "is no value of a label"),
        ("metadata.labels", _and(team=1), "team is not a string"),
        ("metadata.annotations", {"a b": "c"}, "'a b' is no key"),
        ("metadata.annotations", {"a": "b" * 300_000}, "bytes are too long"),
        ("spec.selector.matchLabels", {"a": "b"}, "does not match the template's labels"),
        ("spec.selector.matchLabels", {}, "selects nothing"),
        ("spec.strategy", _and(rollingUpdate={"maxSurge": 1}), "Recreate with rollingUpdate"),
        ("spec.minReadySeconds", 1800, "must be above minReadySeconds"),
        (f"{_POD}nodeSelector", {"a": "b c"}, "is no value of a label"),
        (f"{_POD}tolerations.0.value", "x", "a value with the operator Exists"),
        (f"{_POD}tolerations.0.tolerationSeconds", 5, "tolerationSeconds without NoExecute"),
        (f"{_POD}topologySpreadConstraints.0.maxSkew", 0, "maxSkew must be above 0"),
        (f"{_POD}topologySpreadConstraints", _twice, "one key twice"),
        (
            f"{_POD}affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.weight",
            0,
            "a weight of 0",
        ),
        (f"{_POD}dnsConfig.nameservers", [], "None needs a nameserver"),
        (f"{_POD}dnsConfig.nameservers", ["10.0.0.1"] * 4, "more than 3 nameservers"),
        (f"{_POD}hostAliases.0.ip", "10.0.0", "is no address"),
        (f"{_POD}hostAliases.0.hostnames", ["a_b"], "are no host names"),
        (f"{_POD}serviceAccountName", "A", "is no name"),
        (f"{_POD}volumes", _twice, "is there twice"),
        (f"{_POD}volumes.0", _and(emptyDir={}), "has 2 sources"),
        (f"{_POD}volumes.0.name", "Config", "is no name"),
        (f"{_POD}volumes.1.secret.defaultMode", 4096, "is not between 0 and 0777"),
        (f"{_POD}volumes.1.secret.items.0.path", "../key", "leaves the volume"),
    ),
    *_of(
        "Deployment",
        (f"{_POD}containers", _twice, "is there twice"),
        (f"{_CONTAINER}name", "Exporter", "is no name"),
        (f"{_CONTAINER}ports.0.name", "http-of-exporter", "is no name of a port"),
        (f"{_CONTAINER}ports.0.name", "80", "is no name of a port"),
        (f"{_CONTAINER}ports.0.containerPort", 70_000, "70000 is no port"),
        (f"{_CONTAINER}ports", _twice, "http is there twice"),
        (f"{_CONTAINER}env.0.name", "A B", "is no name"),
        (f"{_CONTAINER}env.0", _and(valueFrom={"fieldRef": {"fieldPath": "x"}}), "a source of it"),
        (f"{_CONTAINER}env.0.value", 1, "is not a string"),
        (f"{_CONTAINER}volumeMounts", _twice, "is there twice"),
        (f"{_CONTAINER}volumeMounts.0.name", "x", "there is no volume 'x'"),
        (f"{_CONTAINER}volumeMounts.0.subPath", "../a", "leaves the volume"),
        (f"{_CONTAINER}resources.requests.memory", "64MB", "is no quantity"),
        (f"{_CONTAINER}resources.requests.memory", "1Gi", "is more than the limit"),
        (f"{_CONTAINER}resources.limits", _and(mem="1"), "is no resource"),
        (f"{_CONTAINER}livenessProbe", _and(httpGet={"port": 1}), "has 2 handlers"),
        (f"{_CONTAINER}livenessProbe.tcpSocket.port", 0, "0 is no port"),
        (f"{_CONTAINER}livenessProbe.successThreshold", 2, "successThreshold must be 1"),
        (f"{_CONTAINER}startupProbe.failureThreshold", -1, "failureThreshold is below 1"),
    ),
    *_of(
        "Service",
        ("metadata.name", "1st", "is no name of a Service"),
        ("spec.ports", _twice, "one twice"),
        ("spec.type", "ClusterIP", "loadBalancerSourceRanges: with ClusterIP"),
        ("spec.clusterIP", "None", "None with LoadBalancer"),
        ("spec.ports.0.targetPort", "http-of-exporter", "is no name of a port"),
    ),
    *_of(
        "Ingress",
        ("spec.rules.0.host", "a_b", "is no host"),
        ("spec.rules.0.http.paths.0.path", "status", "is relative"),
    ),
    *_of("PodDisruptionBudget", ("spec.minAvailable", 1, "minAvailable and maxUnavailable")),
    *_of(
        "ConfigMap",
        ("data", {"a/b": "c"}, "'a/b' is no key"),
        ("data", {"a": 1}, "data.a: is not a string"),
        ("data", {"a": "b" * 2_000_000}, "more than 1 MiB"),
    ),
    *_of("Secret", ("data", {"a": "*"}, "is not in base64")),
    *_of(
        "PersistentVolumeClaim",
        ("spec.accessModes", [], "accessModes: none"),
        ("spec.resources.requests.storage", "0", "must be above 0"),
    ),
    *_of("StatefulSet", ("spec.progressDeadlineSeconds", 600, "has fields of a Deployment")),
    *_taken_for_now(
        ("Deployment", f"{_CONTAINER}env", lambda old: [*old, _ENV], "is there twice"),
        ("Deployment", f"{_CONTAINER}image", " ncr-exporter", "is none"),
        ("Deployment", f"{_CONTAINER}readinessProbe.tcpSocket.port", "web", "has no port 'web'"),
        ("Deployment", f"{_CONTAINER}volumeMounts.0.mountPath", "a:b", "is no path"),
        ("Deployment", f"{_POD}securityContext.runAsUser", 0, "runAsNonRoot with the user 0"),
        ("Deployment", f"{_POD}volumes.1.secret.items.0.key", "a/b", "is no key"),
        ("Service", "spec.ports.0.nodePort", 80, "is no port of nodes"),
        (
            "StatefulSet",
            "spec.volumeClaimTemplates.0.spec.accessModes",
            [],
            "accessModes: none",
        ),
    ),
]
