"""The chart: rendered, counted, validated, held against the base; what its values may say."""

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from ncr_exporter import __version__
from tests.support import deployed
from tests.support.deployed import DEPLOY, KUBERNETES, Object, by_kind, run

CHART = DEPLOY / "helm" / "ncr-exporter"
LEAST = ("--set=config.registries[0].name=my-registry", "--set=credentials.existingSecret=key")
USUAL = ("ConfigMap", "NetworkPolicy", "Service", "ServiceAccount")
DASHBOARDS = len(list((CHART / "files" / "dashboards").glob("*.json")))
EXAMPLES = {
    "demo": ("Deployment", "NetworkPolicy", "Service", "ServiceAccount"),
    "everything": (
        *(*USUAL, "Deployment", "PersistentVolumeClaim", "PrometheusRule", "ServiceMonitor"),
        *["ConfigMap"] * DASHBOARDS,
    ),
    "existing": ("Deployment", "Service"),
    "sharded": (*USUAL, "Secret", "ServiceMonitor", "StatefulSet"),
}


def helm(*values: str, ok: bool = True) -> str:
    return run(
        "helm", "template", "one", str(CHART), f"--kube-version={KUBERNETES}.0", *values, ok=ok
    )


def rendered(*values: str) -> list[Object]:
    return deployed.objects(helm(*values))


def example(name: str) -> list[Object]:
    return rendered(f"--values={CHART / 'ci' / f'{name}-values.yaml'}")


def pod_of(found: list[Object]) -> Object:
    (workload,) = (each for each in found if each["kind"] in {"Deployment", "StatefulSet"})
    pod: Object = workload["spec"]["template"]["spec"]
    return pod


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_renders_these_objects_and_kubernetes_takes_them(name: str) -> None:
    found = example(name)
    assert Counter(each["kind"] for each in found) == Counter(EXAMPLES[name])
    assert len({(each["kind"], each["metadata"]["name"]) for each in found}) == len(found)
    deployed.validate(found)
    deployed.check_pod(pod_of(found), *(["storage"] if name == "sharded" else []))


def test_no_example_is_left_out() -> None:
    assert {file.name for file in (CHART / "ci").iterdir()} == {
        f"{x}-values.yaml" for x in EXAMPLES
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_helm_finds_no_fault_with_an_example(name: str) -> None:
    said = run("helm", "lint", "--strict", str(CHART), f"--values={CHART}/ci/{name}-values.yaml")
    assert "0 chart(s) failed" in said


def test_the_chart_is_of_the_program_s_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == __version__
    (container,) = pod_of(rendered(*LEAST))["containers"]
    assert container["image"] == f"ncr-exporter:{__version__}"


def test_chart_and_kustomize_base_run_the_same_pod() -> None:
    base = deployed.objects(run("kubectl", "kustomize", str(DEPLOY / "kubernetes" / "base")))
    found = rendered(*LEAST)
    ours, theirs = pod_of(found), pod_of(base)
    (mine,), (other,) = ours.pop("containers"), theirs.pop("containers")
    assert [arg for arg in mine.pop("args") if "--log." not in arg] == other.pop("args")
    assert mine.pop("imagePullPolicy") == "IfNotPresent"
    assert mine == other
    for volume in ours["volumes"]:  # names differ, and the chart may rename a Secret's keys
        volume.get("secret", {}).pop("items", None)
    for pod in (ours, theirs):
        del pod["serviceAccountName"]
        for volume in pod["volumes"]:
            for source in ("configMap", "secret"):
                if source in volume:
                    volume[source] = {k: v for k, v in volume[source].items() if "ame" not in k}
    assert ours == theirs
    policies = [by_kind(each, "NetworkPolicy")["spec"] for each in (found, base)]
    for policy in policies:
        del policy["podSelector"]
    assert policies[0] == policies[1]
    assert by_kind(found, "ConfigMap")["data"] == {
        "ncr-exporter.yml": "credentials:\n  access_key_file: /run/secrets/ncloud/access-key\n"
        "  secret_key_file: /run/secrets/ncloud/secret-key\n"
        "registries:\n- name: my-registry\n"
    }


def test_the_program_takes_the_configuration_that_the_chart_writes(tmp_path: Path) -> None:
    file = tmp_path / "ncr-exporter.yml"
    file.write_text(by_kind(example("sharded"), "ConfigMap")["data"]["ncr-exporter.yml"])
    deployed.check_config(file, {})


def test_everything_finds_the_others_by_its_labels() -> None:
    found = example("everything")
    service, monitor = by_kind(found, "Service"), by_kind(found, "ServiceMonitor")
    labels = by_kind(found, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert service["spec"]["selector"].items() <= labels
    selector = monitor["spec"]["selector"]["matchLabels"]
    assert selector.items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["jobLabel"] in service["metadata"]["labels"]
    # The API server drops unknown fields of custom resources without a word.
    assert monitor["spec"]["endpoints"][0].keys() == {
        *("port", "interval", "scrapeTimeout", "scheme", "tlsConfig", "basicAuth"),
        *("relabelings", "metricRelabelings"),
    }


def test_what_selects_by_label_finds_monitor_rules_and_dashboards() -> None:
    found = example("everything")
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert by_kind(found, kind)["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    dashboards = [each for each in found if "grafana_dashboard" in each["metadata"]["labels"]]
    assert len(dashboards) == DASHBOARDS
    for dashboard in dashboards:
        assert dashboard["metadata"]["namespace"] == "monitoring"
        ((name, text),) = dashboard["data"].items()
        assert json.loads(text) == json.loads((CHART / "files" / "dashboards" / name).read_text())


def test_the_rules_are_those_of_prometheus() -> None:
    files = sorted((CHART / "files" / "rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    assert (by_kind(example("everything"), "PrometheusRule")["spec"]["groups"] or []) == groups


def test_shards_share_no_volume_and_are_told_of_all_shards() -> None:
    workload = by_kind(example("sharded"), "StatefulSet")["spec"]
    (container,) = workload["template"]["spec"]["containers"]
    assert {"--shard=auto", f"--total-shards={workload['replicas']}"} <= set(container["args"])
    assert container["env"][0]["name"] == "POD_NAME"
    (claim,) = workload["volumeClaimTemplates"]
    assert claim["metadata"]["name"] in {x["name"] for x in container["volumeMounts"]}


def test_a_password_is_asked_of_no_probe() -> None:
    (container,) = pod_of(example("everything"))["containers"]
    for probe in deployed.PROBES:
        assert container[probe]["tcpSocket"] == {"port": "http"}


REFUSED = {
    "nothing": ((), "nothing to watch"),
    "no key": ((LEAST[0],), "no API key"),
    "no registries": (("--set=config.api.zone=public", LEAST[1]), "config has no registries"),
    "no shard": ((*LEAST, "--set=shards=0"), "shards: Must be greater than or equal to 1"),
    "half a shard": ((*LEAST, "--set=shards=1.5"), "shards: Invalid type"),
    "two configurations": (
        (*LEAST, "--set=existingConfigMap=mine"),
        "config and existingConfigMap",
    ),
    "two secrets": (
        (*LEAST, "--set=credentials.accessKey=a,credentials.secretKey=b"),
        "credentials.existingSecret is set beside",
    ),
    "half a key": ((LEAST[0], "--set=credentials.accessKey=a"), "half a key pair"),
    "keys for a configuration of one's own": (
        ("--set=existingConfigMap=mine,credentials.accessKey=a,credentials.secretKey=b",),
        "belong to the chart's own configuration",
    ),
    "keys in two places": (
        (*LEAST, "--set=config.credentials.access_key_file=/a"),
        "config.credentials is set beside credentials",
    ),
    "one claim for all shards": (
        (*LEAST, "--set=shards=2,persistence.enabled=true,persistence.existingClaim=mine"),
        "persistence.existingClaim holds the state of one exporter",
    ),
    "a claim unused": (
        (*LEAST, "--set=persistence.existingClaim=mine"),
        "the claim would not be used",
    ),
    "a flag of the chart's": (
        (*LEAST, "--set=extraArgs[0]=--total-shards=3"),
        "--total-shards is set by the chart",
    ),
    "the server's role without the metadata service": (
        (LEAST[0], "--set=config.credentials.source=server_role"),
        "set networkPolicy.metadata=true",
    ),
    "TLS without a certificate": (
        (*LEAST, "--set=serviceMonitor.scheme=https"),
        "the exporter has no certificate",
    ),
    "a demo with a configuration": (
        (*LEAST, "--set=demo=true"),
        "demo runs without a configuration",
    ),
    "a demo with a key": (("--set=demo=true", LEAST[1]), "demo runs without an account"),
    "a demo in shards": (("--set=demo=true,shards=2",), "demo knows no shards"),
    "a misspelt value": ((*LEAST, "--set=shard=2"), "Additional property shard is not allowed"),
    "a misspelt section of the configuration": (
        (*LEAST, "--set=config.default.interval=1h"),
        "Additional property default is not allowed",
    ),
    "a bad digest": ((*LEAST, "--set=image.digest=sha256:abc"), "image.digest: Does not match"),
    "a duration without a unit": (
        (*LEAST, "--set-string=serviceMonitor.interval=60"),
        "serviceMonitor.interval: Does not match",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_values_that_contradict_each_other_are_refused_with_a_sentence(name: str) -> None:
    values, sentence = REFUSED[name]
    assert sentence in helm(*values, ok=False)


def test_the_server_s_role_may_ask_the_metadata_service_and_nothing_else_there() -> None:
    asked = "--set=config.credentials.source=server_role,networkPolicy.metadata=true"
    *_, rule = by_kind(rendered(LEAST[0], asked), "NetworkPolicy")["spec"]["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "169.254.169.254/32"}}]
    assert rule["ports"] == [{"protocol": "TCP", "port": 80}]


def test_the_schema_describes_every_value_and_no_other() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    assert schema.keys() - {"global"} == values.keys()
    for name, value in values.items():
        if schema[name].get("additionalProperties") is False and name not in {
            "config",
            "resources",
        }:
            assert schema[name]["properties"].keys() == value.keys(), name
