"""Every manifest that chart and kustomizations render, read for what schemas cannot see."""

import ipaddress
from pathlib import Path

import pytest

from tests.support import deployed
from tests.support.deployed import EXAMPLES, Object
from tools import kubernetes
from tools.kubernetes.mistakes import EXAMPLES as SPOILED
from tools.kubernetes.mistakes import MISTAKES, Mistake, spoiled
from tools.kubernetes.networks import is_strict_subset
from tools.kubernetes.quantities import amount
from tools.kustomize import BASES, COMPONENTS, KUSTOMIZATIONS


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_api_server_takes_the_chart_with_each_example(name: str) -> None:
    found = deployed.example(name)
    assert len(found) > 2
    assert kubernetes.problems(found) == []


@pytest.mark.parametrize("name", BASES)
def test_an_api_server_takes_a_kustomization(name: str, tmp_path: Path) -> None:
    alone = deployed.kustomized(KUSTOMIZATIONS / name)
    assert kubernetes.problems(alone) == []
    with_all = deployed.with_components(name, COMPONENTS, tmp_path)
    assert len(with_all) == len(alone) + 3
    assert kubernetes.problems(with_all) == []


def test_no_kustomization_is_left_out() -> None:
    found = {file.parent.relative_to(KUSTOMIZATIONS) for file in KUSTOMIZATIONS.rglob("*ization.*")}
    assert found == {*map(Path, BASES), *(Path("components") / name for name in COMPONENTS)}


@pytest.fixture(scope="module")
def found() -> list[Object]:
    """Every kind of object, as the chart renders it."""
    return [each for name in SPOILED for each in deployed.example(name)]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_what_an_api_server_refuses_is_found(mistake: Mistake, found: list[Object]) -> None:
    said = kubernetes.problems([spoiled(found, mistake)])
    assert any(mistake.sentence in problem for problem in said), said


def test_a_mapped_network_is_none_of_ipv6_for_go() -> None:
    whole = ipaddress.ip_network("::/0")
    assert is_strict_subset(ipaddress.ip_network("fc00::/7"), whole)
    assert not is_strict_subset(ipaddress.ip_network("::ffff:0:0/96"), whole)
    assert not is_strict_subset(whole, whole)


def test_objects_that_do_not_find_each_other_are_found(found: list[Object]) -> None:
    of_chart = deployed.example("everything")
    service = next(each for each in of_chart if each["kind"] == "Service")
    policy = next(each for each in of_chart if each["kind"] == "NetworkPolicy")
    lost = [each for each in of_chart if each["kind"] != "Deployment"]
    assert "Service one-ncr-exporter: selects no pod" in kubernetes.problems(lost)
    policy["spec"]["ingress"][0]["ports"][0]["port"] = "web"
    service["spec"]["ports"][0]["targetPort"] = "web"
    said = kubernetes.problems(of_chart)
    assert said == [
        f"{kind} one-ncr-exporter: the pods have no port 'web'"
        for kind in ("NetworkPolicy", "Service")
    ]
    twice = [*of_chart, service]
    assert "Service one-ncr-exporter: is there 2 times" in kubernetes.problems(twice)
    config = next(each for each in found if each["kind"] == "ConfigMap")
    large = {**config, "data": {"a": "b" * 300_000}}
    assert "bytes are too many for kubectl apply" in kubernetes.problems([large])[0]
    headless = next(each for each in found if each["kind"] == "StatefulSet")
    assert kubernetes.problems([headless]) == [
        "StatefulSet one-ncr-exporter: there is no Service of its"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("64Mi", 64 << 20), ("10m", None), ("1.5k", 1500), ("2E", 2 * 10**18), ("1e3", 1000)],
)
def test_quantities_are_read_as_kubernetes_does(text: str, expected: int | None) -> None:
    found = amount(text)
    assert found is not None
    assert float(found) == (expected if expected is not None else 0.01)
    assert amount("64MB") is None
