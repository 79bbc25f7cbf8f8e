"""The registry against Kubernetes: an exporter and a hand-made kube-state-metrics, joined."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import rules
from tests.support.api_thread import answering, write_config
from tests.support.expositions import samples_of
from tests.support.http_server import exposition
from tests.support.program import exporter
from tests.support.prometheus import RunningPrometheus, Sample, job
from tests.support.rule_tests import run
from tools.get_prometheus import Tools

pytestmark = pytest.mark.prometheus

IMAGE = "legacy/report"
"""Of the demo's images the one whose tags all have series, most of them stale."""
REGISTRIES = (
    {
        "name": "demo-registry",
        "tag_size_limit": "500MB",
        "tags_limit": 300,
        "images": [{"name": IMAGE, "tag_series": "all"}, "*"],
    },
    "demo-base",
)
UNKNOWN_DIGEST = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Joined:
    """A Prometheus that scrapes the registry's side and the cluster's, and what was put in."""

    prometheus: RunningPrometheus
    stale: list[str]
    """The stale tags of `IMAGE`, by name."""


def labels_of(text: str, metric: str, value: float) -> list[dict[str, str]]:
    """The label sets of a metric that have a value."""
    found = [(name, dict(labels), at) for (name, labels), at in samples_of(text).items()]
    return [labels for name, labels, at in found if name == metric and at == value]


def container(image: str, *, digest: str = UNKNOWN_DIGEST, kind: str = "container") -> str:
    name = f"kube_pod_{kind}_info"
    repository = image.rpartition(":")[0]
    pairs = f'namespace="shop",pod="runs {image}",container="c",image="{image}"'
    return f'{name}{{{pairs},image_id="{repository}@{digest}"}} 1\n'


def cluster(text: str, stale: list[str]) -> str:
    """What kube-state-metrics says of a cluster that runs some of the demo's images."""
    (public,) = hosts(text, "public")
    (private,) = hosts(text, "private")
    (third,) = [
        labels["digest"]
        for labels in labels_of(text, "ncr_tag_info", 1)
        if (labels["image"], labels["tag"]) == (IMAGE, stale[2])
    ]
    return "".join(
        [
            container(f"{public}/{IMAGE}:{stale[0]}"),
            container(f"{private}/{IMAGE}:{stale[1]}"),
            container(f"{public}/{IMAGE}:called-otherwise", digest=third),
            container(f"{public}/{IMAGE}:{stale[3]}", kind="init_container"),
            container(f"elsewhere.example/{IMAGE}:{stale[4]}"),
            container(f"{private}/{IMAGE}:deleted-long-ago"),
            container(f"{public}/api:one-of-many"),
            container("nginx:1.27"),
        ]
    )


def hosts(text: str, endpoint: str) -> list[str]:
    return [
        labels["host"]
        for labels in labels_of(text, "ncr_registry_host_info", 1)
        if (labels["registry"], labels["endpoint"]) == ("demo-registry", endpoint)
    ]


@pytest.fixture(scope="module")
def joined(
    prometheus_tools: object,  # noqa: ARG001 -- leaves out where missing
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Joined]:
    folder = tmp_path_factory.mktemp("joined")
    with (
        answering() as (_, url),
        exporter(write_config(folder, url, *REGISTRIES)) as program,
    ):
        program.ready()
        text = program.get().text
        stale = sorted(
            labels["tag"]
            for labels in labels_of(text, "ncr_tag_stale", 1)
            if labels["image"] == IMAGE
        )
        with (
            exposition(cluster(text, stale)) as kube_state_metrics,
            RunningPrometheus(
                job("any", program.address),
                job("kube-state-metrics", kube_state_metrics),
                rule_files=rules.RULES,
            ) as prometheus,
        ):
            prometheus.wait_for(
                "registry_image_tag:kube_pod_container_info:group"
                " and on () digest:kube_pod_container_info:group"
            )
            prometheus.wait_for("registry:ncr_image_unused:count")
            prometheus.wait_for("registry_image_owner:ncr_tag_info:complete")
            yield Joined(prometheus, stale)


def blocks() -> dict[str, str]:
    """The queries of docs/joins.md, by the name of the rule that each is, or of their own."""
    return dict(re.findall(r"```promql (\S+)\n(.*?)```", rules.JOINS.read_text(), re.DOTALL))


OF_NO_RULE = {"vulnerabilities", "mendable"}


def places(samples: list[Sample]) -> set[tuple[str, str]]:
    return {(each["metric"]["image"], each["metric"]["tag"]) for each in samples}


def test_stale_in_the_registry_and_not_running_anywhere(joined: Joined) -> None:
    found = places(joined.prometheus.query(blocks()["NCRStaleTagsNotRunning"]))
    assert len(joined.stale) > 5
    expected = {(IMAGE, tag) for tag in joined.stale[4:]}
    assert {place for place in found if place[0] == IMAGE} == expected
    assert {image for image, _ in found} > {IMAGE}, "other images have stale tags too"


def test_running_but_no_longer_in_the_registry(joined: Joined) -> None:
    found = places(joined.prometheus.query(blocks()["NCRRunningTagGone"]))
    assert found == {(IMAGE, "deleted-long-ago"), (IMAGE, "called-otherwise")}


def test_an_image_whose_tags_are_not_all_exposed_is_left_alone(joined: Joined) -> None:
    running = joined.prometheus.query("registry_image_tag:kube_pod_container_info:group")
    assert ("api", "one-of-many") in places(running), "or its silence would prove nothing"
    found = joined.prometheus.query(blocks()["NCRRunningTagGone"])
    assert "api" not in {image for image, _ in places(found)}


def test_the_document_has_the_queries_of_the_rules() -> None:
    def bare(expr: str) -> str:
        return "".join(expr.split())

    (group,) = (group for group in rules.groups() if group["name"] == "ncr-kubernetes")
    expected = {
        rule.get("record", rule.get("alert")): bare(rule["expr"]) for rule in group["rules"]
    }
    found = {name: bare(expr) for name, expr in blocks().items() if name not in OF_NO_RULE}
    listed = found.pop("NCRStaleTagsNotRunning")
    counted = expected.pop("NCRStaleTagsNotRunning")
    assert found == expected
    by = "countby(cluster,namespace,job,registry,owner)"
    assert counted.startswith(f"topkby(cluster,namespace,job)(5,{by}(({listed})*on(")


def test_the_first_day_is_no_storm(joined: Joined) -> None:
    found = {
        name: len(samples)
        for name, rule in rules.alerts().items()
        if (samples := joined.prometheus.query(rule["expr"]))
    }
    registries = 2
    assert found == {
        "NCRImageUnused": 1,  # legacy/report, abandoned for years
        "NCRStaleTags": 1,  # of the other registry
        "NCRStaleTagsNotRunning": registries,
        "NCRTagOversized": 1,  # above a limit that the demo sets
        "NCRRunningTagGone": 2,  # what the cluster above runs
    }


def test_every_query_of_annotations_can_be_asked(joined: Joined) -> None:
    queries = [query for text in rules.annotations() for query in rules.queries_in(text)]
    assert len(queries) > 50
    for query in queries:
        joined.prometheus.query(query)


HOST = "r.kr.ncr.ntruss.com"


def scanned(host: str, tag: str, severity: str, count: int, workload: str = "a") -> str:
    """Return a series of trivy-operator's, as its documentation shows them."""
    labels = {
        "container_name": "c",
        "image_digest": "",
        "image_registry": host,
        "image_repository": "team-a/app",
        "image_tag": tag,
        "name": f"replicaset-{workload}",
        "namespace": "shop",
        "resource_kind": "ReplicaSet",
        "resource_name": workload,
        "severity": severity,
    }
    pairs = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"trivy_image_vulnerabilities{{{pairs}}} {count}"


IN_THE_REGISTRY = 'job="ncr",instance="a",registry="r",image="team-a/app"'
REPORTS = [
    f'ncr_registry_host_info{{job="ncr",registry="r",host="{HOST}",access="public"}} 1',
    f"ncr_image_up{{{IN_THE_REGISTRY}}} 1",
    f'ncr_image_info{{{IN_THE_REGISTRY},owner="team-a"}} 1',
    f"ncr_image_last_updated_timestamp_seconds{{{IN_THE_REGISTRY}}} {30 * 86400}",
    f'ncr_tag_last_updated_timestamp_seconds{{{IN_THE_REGISTRY},tag="1.0"}} {20 * 86400}',
    f'ncr_tag_last_updated_timestamp_seconds{{{IN_THE_REGISTRY},tag="2.0"}} {30 * 86400}',
    scanned(HOST, "1.0", "Critical", 3),
    scanned(HOST, "1.0", "Critical", 3, workload="b"),
    scanned(HOST, "1.0", "Low", 40),
    scanned(HOST, "2.0", "High", 1),
    scanned(HOST, "2.0", "Critical", 0),
    scanned("index.docker.io", "1.0", "Critical", 9),
]


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        (
            "vulnerabilities",
            {
                '{registry="r",image="team-a/app",owner="team-a",tag="1.0",severity="Critical"}': 3,
                '{registry="r",image="team-a/app",owner="team-a",tag="2.0",severity="High"}': 1,
            },
        ),
        ("mendable", {'{registry="r",image="team-a/app",tag="1.0"}': 10}),
    ],
)
def test_what_trivy_found_meets_the_registry_by_image_and_tag(
    name: str, samples: dict[str, float], each_prometheus: Tools, tmp_path: Path
) -> None:
    series = [line.rpartition(" ") for line in REPORTS]
    test = {
        "rule_files": list(map(str, rules.RULES)),
        "evaluation_interval": "1m",
        "group_eval_order": [group["name"] for group in rules.in_order(rules.groups())],
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": each, "values": f"{value}x10"} for each, _, value in series
                ],
                "promql_expr_test": [
                    {
                        "expr": blocks()[name],
                        "eval_time": "5m",
                        "exp_samples": [
                            {"labels": labels, "value": value} for labels, value in samples.items()
                        ],
                    }
                ],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(json.dumps(test))  # JSON is YAML
    run(each_prometheus.promtool, "test", "rules", path)
