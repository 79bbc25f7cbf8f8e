"""The kustomizations: rendered, counted, validated, and held against the program."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from ncr_exporter import __version__
from tests.support import deployed
from tests.support.deployed import Object, by_kind
from tools import manifests
from tools.kustomize import COMPONENTS, KUSTOMIZATIONS

COMMON = ("ConfigMap", "Service", "ServiceAccount")
KINDS = {
    "network-policy": ("NetworkPolicy",),
    "prometheus-operator": ("PrometheusRule", "ServiceMonitor"),
}


def rendered(name: str) -> list[Object]:
    return deployed.kustomized(KUSTOMIZATIONS / name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    """The base with every component."""
    folder = tmp_path_factory.mktemp("overlay")
    return deployed.with_components("base", COMPONENTS, folder)


@pytest.mark.parametrize(("name", "workload"), [("base", "Deployment"), ("sharded", "StatefulSet")])
def test_a_kustomization_holds_these_objects_and_kubernetes_takes_them(
    name: str, workload: str, tmp_path: Path
) -> None:
    found = rendered(name)
    assert Counter(each["kind"] for each in found) == Counter([*COMMON, workload])
    assert all("namespace" not in each["metadata"] for each in found), "-n chooses it"
    deployed.validate(found)
    for component, kinds in KINDS.items():
        more = deployed.with_components(name, [component], tmp_path)
        assert Counter(each["kind"] for each in more) == Counter([*COMMON, workload, *kinds])
        deployed.validate(more)


def test_no_component_is_left_out() -> None:
    assert sorted(KINDS) == COMPONENTS


def test_the_pod_is_restricted_and_speaks_the_program_s_language() -> None:
    found = rendered("base")
    deployment = by_kind(found, "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    pod = deployment["spec"]["template"]["spec"]
    deployed.check_pod(pod)
    (container,) = pod["containers"]
    assert container["image"] == f"ncr-exporter:{__version__}"
    probes = {name: container[name]["httpGet"]["path"] for name in deployed.PROBES}
    assert probes == deployed.PROBES
    selected = by_kind(found, "Service")["spec"]["selector"].items()
    assert selected <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_everything_finds_the_others_by_its_labels(whole: list[Object]) -> None:
    found = whole
    service = by_kind(found, "Service")
    labels = by_kind(found, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert service["spec"]["selector"].items() <= labels
    assert by_kind(found, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels
    monitor = by_kind(found, "ServiceMonitor")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["jobLabel"] in service["metadata"]["labels"]
    (endpoint,) = monitor["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    # The API server drops unknown fields of custom resources without a word.
    assert endpoint.keys() <= {"port", "interval", "scrapeTimeout"}
    limits = {"sampleLimit", "bodySizeLimit"}
    assert monitor.keys() <= {"jobLabel", "selector", "endpoints", *limits}
    assert all(each["metadata"]["labels"]["app.kubernetes.io/name"] for each in found)


def test_the_way_out_leads_to_dns_and_public_addresses_alone(whole: list[Object]) -> None:
    policy = by_kind(whole, "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    dns, api = policy["egress"]
    assert [port["port"] for port in dns["ports"]] == [53, 53]
    assert api["ports"] == [{"port": 443, "protocol": "TCP"}]
    four, six = (to["ipBlock"] for to in api["to"])
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} <= set(four["except"])
    assert {"169.254.0.0/16", "100.64.0.0/10"} <= set(four["except"]), "metadata, and clusters"
    assert {"fc00::/7", "fe80::/10"} <= set(six["except"])


def test_each_shard_is_told_of_all_shards() -> None:
    found = rendered("sharded")
    workload = by_kind(found, "StatefulSet")["spec"]
    (container,) = workload["template"]["spec"]["containers"]
    deployed.check_pod(workload["template"]["spec"])
    assert container["args"][-2:] == ["--shard=auto", f"--total-shards={workload['replicas']}"]
    assert container["env"][0]["name"] == "POD_NAME"
    service = by_kind(found, "Service")
    assert service["spec"]["clusterIP"] == "None"
    assert workload["serviceName"] == service["metadata"]["name"]
    (base,) = by_kind(rendered("base"), "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["args"][:-2] == base["args"], "the rest is the base's"


def test_the_program_takes_the_configuration_and_finds_the_keys_that_are_mounted() -> None:
    file = KUSTOMIZATIONS / "base" / "ncr-exporter.yml"
    deployed.check_config(file, {})
    found = rendered("base")
    assert by_kind(found, "ConfigMap")["data"] == {file.name: file.read_text()}
    (container,) = by_kind(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert f"--config.file={mounts['config']}/{file.name}" in container["args"]
    for key in yaml.safe_load(file.read_text())["credentials"].values():
        assert key.startswith(mounts["credentials"] + "/")


def test_rules_and_dashboards_are_the_same_wherever_they_are_copied() -> None:
    for path, text in manifests.copies().items():
        assert path.exists(), f"{path.name} is missing: make manifests"
        assert path.read_text() == text, f"{path.name} is behind: make manifests"
    assert manifests.strays() == [], "copies of nothing: make manifests"


def test_a_group_of_rules_keeps_its_comments_in_the_custom_resource() -> None:
    group = "# why\ngroups:\n  - name: {}\n    # how\n    rules: [{{record: a:b, expr: up}}]\n"
    text = manifests.prometheus_rule({"a.yml": group.format("a"), "b.yml": group.format("b")})
    assert [each["name"] for each in yaml.safe_load(text)["spec"]["groups"]] == ["a", "b"]
    assert text.count("# how") == 2


@pytest.mark.parametrize("text", ["groups: []\n", "groups:\n  - {}\nmore: 1\n", "rules:\n"])
def test_a_rule_file_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"a\.yml: must hold `groups:`"):
        manifests.prometheus_rule({"a.yml": text})


def test_the_groups_of_all_rule_files_have_names_of_their_own() -> None:
    # One custom resource holds them all, and the API server takes a name once.
    resource = yaml.safe_load(manifests.PROMETHEUS_RULE.read_text())
    names = Counter(group["name"] for group in resource["spec"]["groups"])
    assert [name for name, count in names.items() if count > 1] == []
