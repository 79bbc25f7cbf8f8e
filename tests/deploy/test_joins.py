"""The registry against Kubernetes: the demo and a hand-made kube-state-metrics, really joined."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support import rules
from tests.support.expositions import samples_of
from tests.support.http_server import exposition
from tests.support.program import demo
from tests.support.prometheus import RunningPrometheus, Sample, job

pytestmark = pytest.mark.prometheus

IMAGE = "legacy/report"
"""Of the demo's images the one whose tags all have series, most of them stale."""
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
def joined(prometheus_tools: object) -> Iterator[Joined]:  # noqa: ARG001 -- leaves out where missing
    with demo() as program:
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
            prometheus.wait_for("registry:ncr_image_tags:sum")
            yield Joined(prometheus, stale)


def blocks() -> dict[str, str]:
    """The queries of docs/joins.md, by the name of the rule that each is."""
    return dict(re.findall(r"```promql (\S+)\n(.*?)```", rules.JOINS.read_text(), re.DOTALL))


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

    expected = {
        name: bare(expr)
        for name, expr in rules.records().items()
        if "kube_" in name or name.startswith("host_")
    } | {
        name: bare(rule["expr"]) for name, rule in rules.alerts().items() if "kube_" in rule["expr"]
    }
    found = {name: bare(expr) for name, expr in blocks().items()}
    counted = "NCRStaleTagsNotRunning"
    found[counted] = f"countby(registry)({found[counted]})"
    assert found == expected


def test_the_first_day_is_no_storm(joined: Joined) -> None:
    found = {
        name: len(samples)
        for name, rule in rules.alerts().items()
        if (samples := joined.prometheus.query(rule["expr"]))
    }
    registries = 2
    assert found == {
        "NCRImageUnused": 1,  # legacy/report, abandoned for years
        "NCRStaleTags": 1,
        "NCRStaleTagsNotRunning": registries,
        "NCRTagOversized": 1,  # above a limit that the demo sets
        "NCRRunningTagGone": 2,  # what the cluster above runs
    }


def test_every_query_of_annotations_and_runbooks_can_be_asked(joined: Joined) -> None:
    queries = [query for text in rules.annotations() for query in rules.queries_in(text)]
    for path in rules.RUNBOOKS.glob("*.md"):
        queries += rules.pasted_queries(path.read_text())
    assert len(queries) > 70
    for query in queries:
        joined.prometheus.query(query)
