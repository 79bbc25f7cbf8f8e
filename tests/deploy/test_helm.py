"""The chart: rendered, counted, validated, held against the base; what its values may say."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from ncr_exporter import __version__
from tests.support import deployed
from tests.support.deployed import CHART, Object, by_kind, example, helm, run
from tools import chart_values, rules

IMAGE = "--set=image.repository=registry.example.com/ops/ncr-exporter"
LEAST = (
    IMAGE,
    "--set=config.registries[0].name=my-registry",
    "--set=credentials.existingSecret=key",
)
DASHBOARDS = len(list((CHART / "files" / "dashboards").glob("*.json")))
USUAL = ("ConfigMap", "Pod", "Service", "ServiceAccount")  # the pod is that of `helm test`
EXAMPLES = {
    "demo": ("Deployment", "Pod", "Service", "ServiceAccount"),
    "everything": (
        *(*USUAL, "Deployment", "NetworkPolicy", "PersistentVolumeClaim", "PodDisruptionBudget"),
        *("PrometheusRule", "ServiceMonitor"),
        *["ConfigMap"] * (DASHBOARDS + 2),
    ),
    "existing": ("Deployment", "Pod", "Service"),
    "exposed": ("Deployment", "HTTPRoute", "Ingress", "Pod", "Service", "ServiceAccount"),
    "sharded": (
        *(*USUAL, "NetworkPolicy", "PodDisruptionBudget", "Secret"),
        *("ServiceMonitor", "StatefulSet"),
    ),
}


def rendered(*values: str) -> list[Object]:
    return deployed.objects(helm(*values))


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
    assert sorted(EXAMPLES) == deployed.EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_helm_finds_no_fault_with_an_example(name: str) -> None:
    said = run("helm", "lint", "--strict", str(CHART), f"--values={CHART}/ci/{name}-values.yaml")
    assert "0 chart(s) failed" in said


def test_the_chart_is_of_the_program_s_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == __version__
    (container,) = pod_of(rendered(*LEAST))["containers"]
    assert container["image"] == f"registry.example.com/ops/ncr-exporter:{__version__}"


def test_a_registry_for_all_charts_takes_the_place_of_the_image_s_own() -> None:
    def image(*values: str) -> str:
        (container,) = pod_of(rendered(*LEAST[1:], *values))["containers"]
        name: str = container["image"]
        return name

    of_its_own = ("--set=image.repository=ops/ncr-exporter,image.registry=registry.example.com",)
    assert image(*of_its_own) == f"registry.example.com/ops/ncr-exporter:{__version__}"
    for_all = (*of_its_own, "--set=global.imageRegistry=mirror.example.com,image.tag=x")
    assert image(*for_all) == "mirror.example.com/ops/ncr-exporter:x"
    digest = f"sha256:{'0' * 64}"
    assert image(IMAGE, f"--set=image.digest={digest}").endswith(f"ncr-exporter@{digest}")


def test_chart_and_kustomize_base_run_the_same_pod(tmp_path: Path) -> None:
    base = deployed.with_components("base", ["network-policy"], tmp_path)
    found = rendered(*LEAST, "--set=networkPolicy.enabled=true")
    ours, theirs = pod_of(found), pod_of(base)
    (mine,), (other,) = ours.pop("containers"), theirs.pop("containers")
    assert [arg for arg in mine.pop("args") if "--log." not in arg] == other.pop("args")
    assert mine.pop("imagePullPolicy") == "IfNotPresent"
    assert mine.pop("image").endswith(f"/{other.pop('image')}")
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
    assert policies[0]["ingress"][0]["from"].pop()["podSelector"], "helm test"
    assert policies[0] == policies[1]
    workloads = [by_kind(each, "Deployment")["spec"] for each in (found, base)]
    for key in ("progressDeadlineSeconds", "revisionHistoryLimit", "replicas", "strategy"):
        assert workloads[0][key] == workloads[1][key]
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
    assert monitor["spec"].keys() == {
        *("jobLabel", "selector", "namespaceSelector", "endpoints", "targetLabels"),
        *("podTargetLabels", "sampleLimit", "bodySizeLimit", "labelLimit"),
        *("labelNameLengthLimit", "labelValueLengthLimit"),
    }
    assert monitor["spec"]["endpoints"][0].keys() == {
        *("port", "interval", "scrapeTimeout", "scheme", "tlsConfig", "basicAuth", "proxyUrl"),
        *("relabelings", "metricRelabelings"),
    }


def test_what_selects_by_label_finds_monitor_rules_and_dashboards() -> None:
    found = example("everything")
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert by_kind(found, kind)["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    labelled = [each for each in found if "labels" in each["metadata"]]
    dashboards = [each for each in labelled if "grafana_dashboard" in each["metadata"]["labels"]]
    assert len(dashboards) == DASHBOARDS
    for dashboard in dashboards:
        assert dashboard["metadata"]["namespace"] == "monitoring"
        ((name, text),) = dashboard["data"].items()
        assert json.loads(text) == json.loads((CHART / "files" / "dashboards" / name).read_text())


RULES = "--set=prometheusRule.enabled=true"
LINKED = rules.Links(
    "https://git.example.com/ncr-exporter/docs/runbooks/", "https://grafana.example.com"
)


@pytest.mark.parametrize(
    ("values", "links", "info"),
    [
        ((*LEAST, RULES), rules.Links(), "info"),
        ((f"--values={CHART}/ci/everything-values.yaml",), LINKED, "notice"),
        (
            (*LEAST, RULES, "--set=prometheusRule.runbooks=https://wiki.example.com/{alert}?view"),
            rules.Links("https://wiki.example.com/{alert}?view"),
            "info",
        ),
    ],
    ids=["as they are", "with links and a severity", "with an address of its own for each"],
)
def test_the_rules_are_what_make_rules_writes(
    values: tuple[str, ...], links: rules.Links, info: str
) -> None:
    (text,) = rules.written(links, info, "PrometheusRule").values()
    expected = yaml.safe_load(text)["spec"]["groups"]
    assert len(expected) > 3
    assert by_kind(rendered(*values), "PrometheusRule")["spec"]["groups"] == expected


def test_shards_share_no_volume_and_are_told_of_all_shards() -> None:
    workload = by_kind(example("sharded"), "StatefulSet")["spec"]
    (container,) = workload["template"]["spec"]["containers"]
    assert {"--shard=auto", f"--total-shards={workload['replicas']}"} <= set(container["args"])
    assert container["env"][0]["name"] == "POD_NAME"
    (claim,) = workload["volumeClaimTemplates"]
    assert claim["metadata"]["name"] in {x["name"] for x in container["volumeMounts"]}


def test_a_probe_may_be_changed_or_left_out() -> None:
    (container,) = pod_of(example("existing"))["containers"]
    assert "livenessProbe" not in container
    assert container["startupProbe"] == {
        "exec": {"command": ["ncr-exporter", "health"]},
        "failureThreshold": 5,
        "periodSeconds": 2,
        "timeoutSeconds": 5,
    }


def test_a_cluster_may_choose_the_user() -> None:
    assert pod_of(example("existing"))["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ("config.defaults.stale_after=90d", 900 + 300),
        ("config.defaults.interval=1h30m", 5400 + 300),
        ("config.registries[0].interval=2h", 7200 + 300),
        ("config.registries[0].images[0].name=a,config.registries[0].images[0].interval=1d", 86700),
        ("config.registries[0].images[0]=a", 900 + 300),
        ("progressDeadlineSeconds=60", 60),
    ],
)
def test_a_rollout_may_take_the_longest_interval_to_become_ready(values: str, seconds: int) -> None:
    found = by_kind(rendered(*LEAST, f"--set={values}"), "Deployment")
    assert found["spec"]["progressDeadlineSeconds"] == seconds


def test_all_objects_are_in_the_namespace_that_is_named() -> None:
    places = {each["metadata"]["namespace"] for each in rendered(*LEAST)}
    assert places == {"default"}
    named = rendered(*LEAST, "--set=namespaceOverride=ncr", "--set=serviceMonitor.enabled=true")
    assert {each["metadata"]["namespace"] for each in named} == {"ncr"}
    assert by_kind(named, "ServiceMonitor")["spec"]["namespaceSelector"] == {"matchNames": ["ncr"]}


def test_no_label_of_users_takes_a_pod_from_what_selects_it() -> None:
    asked = "app\\.kubernetes\\.io/name=mine"
    found = rendered(*LEAST, f"--set=commonLabels.{asked},podLabels.{asked}")
    deployment = by_kind(found, "Deployment")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"].items() <= labels.items()
    assert labels["app.kubernetes.io/name"] == "ncr-exporter"


def test_whole_objects_are_rendered_too() -> None:
    maps = {x["metadata"]["name"]: x for x in example("everything") if x["kind"] == "ConfigMap"}
    assert maps["ca"]["metadata"]["namespace"] == maps["more"]["metadata"]["namespace"] == "default"
    assert maps["more"]["data"] == {"MORE": "1"}


def test_helm_test_asks_the_service_by_the_program_s_own_health() -> None:
    found = rendered(*LEAST)
    pod, service = by_kind(found, "Pod"), by_kind(found, "Service")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    (container,) = pod["spec"]["containers"]
    deployed.check_arguments(container["args"])
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    assert container["args"][1] == f"--url=http://{name}:{port}/-/healthy"
    assert container["image"] == pod_of(found)["containers"][0]["image"]
    selected = service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert not selected, "or the Service would lead to the test itself"


@pytest.mark.parametrize(("name", "port"), [("everything", 80), ("sharded", 10627)])
def test_helm_test_knows_the_port_of_the_service_and_of_headless_ones(name: str, port: int) -> None:
    (container,) = by_kind(example(name), "Pod")["spec"]["containers"]
    asked = " ".join([*container.get("command", []), *container.get("args", [])])
    assert re.search(rf'one-ncr-exporter(?:", |:){port}\b', asked)


def test_the_network_policy_lets_helm_test_in() -> None:
    found = example("sharded")
    (rule,) = by_kind(found, "NetworkPolicy")["spec"]["ingress"]
    (selector,) = (
        peer["podSelector"]["matchLabels"] for peer in rule["from"] if "podSelector" in peer
    )
    assert selector.items() <= by_kind(found, "Pod")["metadata"]["labels"].items()


def test_ingress_and_route_lead_to_the_service() -> None:
    found = example("exposed")
    service = by_kind(found, "Service")
    (port,) = service["spec"]["ports"]
    for rule in by_kind(found, "Ingress")["spec"]["rules"]:
        (path,) = rule["http"]["paths"]
        backend = path["backend"]["service"]
        expected = {"name": service["metadata"]["name"], "port": {"name": port["name"]}}
        assert (path["path"], backend) == ("/", expected)
    (route,) = by_kind(found, "HTTPRoute")["spec"]["rules"]
    assert route["backendRefs"] == [{"name": service["metadata"]["name"], "port": port["port"]}]


def test_a_password_is_asked_of_no_probe() -> None:
    (container,) = pod_of(example("everything"))["containers"]
    for probe in deployed.PROBES:
        assert container[probe]["tcpSocket"] == {"port": "http"}


ROLE = "--set=config.credentials.source=server_role"
REFUSED = {
    "no image": (LEAST[1:], "image.repository is empty"),
    "no image for a demo": (("--set=demo=true",), "set image.repository="),
    "an image with its tag": (
        (*LEAST, "--set=image.repository=ncr-exporter:0.1.0"),
        "image.repository: Does not match",
    ),
    "nothing": ((IMAGE,), "nothing to watch"),
    "no key": (LEAST[:2], "no API key"),
    "no registries": (
        (IMAGE, "--set=config.api.zone=public", LEAST[2]),
        "config has no registries",
    ),
    "a page of many": (
        (*LEAST, "--set=shards=2,ingress.enabled=true,ingress.hosts[0].host=a.example"),
        "each shard has the page of its own images",
    ),
    "shards on the nodes": (
        (*LEAST, "--set=shards=2,service.type=NodePort"),
        "service.type must be ClusterIP",
    ),
    "a port of nodes for nobody": (
        (*LEAST, "--set=service.nodePort=30000"),
        "such a Service has no port on the nodes",
    ),
    "an ingress to nowhere": ((*LEAST, "--set=ingress.enabled=true"), "ingress.hosts is empty"),
    "a route from nowhere": (
        (*LEAST, "--set=httpRoute.enabled=true"),
        "httpRoute.parentRefs is empty",
    ),
    "a scrape longer than its interval": (
        (*LEAST, "--set=serviceMonitor.scrapeTimeout=2m"),
        "scrapeTimeout is longer than serviceMonitor.interval",
    ),
    "two bounds of a disruption": (
        (*LEAST, "--set=podDisruptionBudget.minAvailable=1,podDisruptionBudget.maxUnavailable=1"),
        "podDisruptionBudget: Must not validate the schema",
    ),
    "a size without a unit": (
        (*LEAST, "--set-string=serviceMonitor.bodySizeLimit=64"),
        "serviceMonitor.bodySizeLimit: Does not match",
    ),
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
    "half a key": ((*LEAST[:2], "--set=credentials.accessKey=a"), "half a key pair"),
    "keys for a configuration of one's own": (
        (
            IMAGE,
            "--set=existingConfigMap=mine,credentials.accessKey=a,credentials.secretKey=b",
        ),
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
        (*LEAST[:2], ROLE, "--set=networkPolicy.enabled=true"),
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
    "a demo with a key": ((IMAGE, "--set=demo=true", LEAST[2]), "demo runs without an account"),
    "a demo in shards": ((IMAGE, "--set=demo=true,shards=2"), "demo knows no shards"),
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
    asked = "--set=networkPolicy.enabled=true,networkPolicy.metadata=true"
    *_, rule = by_kind(rendered(*LEAST[:2], ROLE, asked), "NetworkPolicy")["spec"]["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "169.254.169.254/32"}}]
    assert rule["ports"] == [{"protocol": "TCP", "port": 80}]


def test_there_is_no_network_policy_unless_it_is_asked_for() -> None:
    assert "NetworkPolicy" not in {each["kind"] for each in rendered(*LEAST)}


def test_the_schema_describes_every_value_and_no_other() -> None:
    def names(node: Object) -> set[str]:
        found = node.get("properties", {})
        return {
            name + rest for name in found for rest in ("", *(f".{x}" for x in names(found[name])))
        }

    schema = json.loads((CHART / "values.schema.json").read_text())
    described = {each.path for each in chart_values.values((CHART / "values.yaml").read_text())}
    within = ("config.", "resources.", "podDisruptionBudget.", "extraManifests.")
    assert {name for name in names(schema) if not name.startswith(within)} == described


def test_every_value_says_what_it_is() -> None:
    values = chart_values.values((CHART / "values.yaml").read_text())
    assert len(values) > 100
    assert [each.path for each in values if not each.help] == []


def test_a_comment_is_found_above_and_beside_its_value() -> None:
    text = """\
# Not of a value.

# Of the section,
# in two lines.
section:
  a: 1 # beside
  # above
  b: [x] # and beside
  c: # of a list
    - 1
plain: {d: 2}
data:
  e: 3
"""
    found = {each.path: (each.default, each.help) for each in chart_values.values(text)}
    assert found == {
        "section": (None, "Of the section, in two lines."),
        "section.a": (1, "beside"),
        "section.b": (["x"], "above and beside"),
        "section.c": ([1], "of a list"),
        "plain": ({"d": 2}, ""),
        "data": ({"e": 3}, ""),
    }
