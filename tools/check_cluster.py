"""Install chart and kustomizations into a cluster, upgrade and remove them, counting the objects.

The cluster is made by kind or k3d for this check alone; or it is a context of your kubeconfig
(`--context`), or what the command in NCR_CLUSTER reaches, called as `$NCR_CLUSTER kubectl …` and
`$NCR_CLUSTER helm …`. Everything goes into namespaces `ncr-check-…`, which are removed in the end.
"""

import argparse
import json
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from tools.chart_values import CHART
from tools.checking import CheckError, check, say
from tools.clusters import CRDS, Cluster, cluster
from tools.kubernetes.mistakes import EXAMPLES as SPOILED
from tools.kubernetes.mistakes import MISTAKES, spoiled
from tools.kustomize import BASES, COMPONENTS, write_overlay
from tools.waiting import wait_until

RELEASE = "ncr-exporter"
EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))
_RESTRICTED = ("enforce", "warn")
"""What the namespaces ask of pods by the Pod Security Standard of this name."""

Object = dict[str, Any]


def main() -> int:
    """Check everything, one line each; 1 where something failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--context", help="of your kubeconfig, instead of a cluster of its own")
    parser.add_argument("--image", help="of the exporter, that this cluster's nodes have")
    parser.add_argument("--crds", nargs="*", help="files or addresses of the CRDs to bring along")
    arguments = parser.parse_args()
    try:
        with cluster(arguments.context, arguments.image) as found:
            Check(found).run(arguments.crds or (CRDS if found.is_own else ()))
    except (CheckError, TimeoutError) as error:
        say(f"FAILED: {error}")
        return 1
    return 0


class Check:
    """What is tried on one cluster."""

    def __init__(self, on: Cluster) -> None:
        """Take a cluster."""
        self._on = on
        # Namespaces take a while to go: another check at once must not meet this one's.
        self._prefix = f"ncr-check-{secrets.token_hex(3)}"
        self._elsewhere = f"{self._prefix}-elsewhere"

    def run(self, crds: Sequence[str]) -> None:
        """Try everything; raises CheckError at the first thing that is wrong."""
        say(f"cluster: Kubernetes {self._version()}")
        for source in crds:
            self._on.kubectl("apply", "--server-side", "-f", source)
        with self._namespace("elsewhere"):
            for values in EXAMPLES:
                self._chart(values)
        for base in BASES:
            for components in ((), COMPONENTS):
                self._kustomization(base, components)
        self._mistakes()
        self._demo()

    def _chart(self, values: Path) -> None:
        name = values.name.removesuffix("-values.yaml")
        with self._namespace(name) as namespace:
            elsewhere = ("prometheusRule", "dashboards")
            options = (
                *(RELEASE, str(CHART), f"--namespace={namespace}", f"--values={values}"),
                *(f"--set={part}.namespace={self._elsewhere}" for part in elsewhere),
            )
            self._on.helm("install", *options)
            first = self._on.helm("get", "manifest", RELEASE, f"--namespace={namespace}")
            self._expect_all(f"chart, {name}: installed", first)
            self._on.helm("upgrade", *options, "--set=log.level=warn")
            second = self._on.helm("get", "manifest", RELEASE, f"--namespace={namespace}")
            check(
                second.count("--log.level=warn") == 1, f"chart, {name}: another value is in force"
            )
            self._expect_all(f"chart, {name}: upgraded", second)
            self._on.helm("uninstall", RELEASE, f"--namespace={namespace}")
            self._gone(f"chart, {name}", second)

    def _kustomization(self, base: str, components: Sequence[str]) -> None:
        extent = "whole" if components else "alone"
        what = f"kustomization, {base} {extent}"
        with ExitStack() as resources:
            namespace = resources.enter_context(self._namespace(f"{base}-{extent}"))
            folder = resources.enter_context(tempfile.TemporaryDirectory())
            write_overlay(Path(folder), base, components, namespace)
            manifest = self._on.kubectl("kustomize", folder)
            self._on.kubectl("apply", "-k", folder)
            self._expect_all(f"{what}: applied", manifest)
            again = self._on.kubectl("apply", "-k", folder).splitlines()
            changed = [line for line in again if not line.endswith(" unchanged")]
            check(not changed, f"{what}: applied again, nothing changes{'; '.join(changed)}")
            self._on.kubectl("delete", "-k", folder, "--wait=false")
            self._gone(what, manifest)

    def _mistakes(self) -> None:
        """See that the API server refuses what a plain test says that it refuses."""
        with self._namespace("mistakes") as namespace:
            files = [CHART / "ci" / f"{name}-values.yaml" for name in SPOILED]
            rendered = [x for file in files for x in _objects(self._rendered(file, namespace))]
            wrong = [each for each in MISTAKES if each.refused]
            taken = [
                x.name for x in wrong if not self._on.refuses(json.dumps(spoiled(rendered, x)))
            ]
            refused = f"{len(wrong)} mistakes are refused, as the plain tests say"
            check(not taken, refused if not taken else f"taken, not refused: {taken}")

    def _demo(self) -> None:
        """Run the exporter, let `helm test` ask it, and read its log as the runbooks do."""
        if self._on.image is None:
            say("note: no pod was run: name an image that the nodes have by --image")
            return
        repository, _, tag = self._on.image.rpartition(":")
        with self._namespace("pod") as namespace:
            values = f"demo=true,image.repository={repository},image.tag={tag}"
            there = f"--namespace={namespace}"
            wait = ("--wait", "--timeout=3m")
            self._on.helm("install", RELEASE, str(CHART), there, f"--set={values}", *wait)
            say("ok: chart, demo: the pod runs and is ready")
            said = self._on.helm("test", RELEASE, there, "--timeout=2m")
            check("Succeeded" in said, "helm test: the Service leads to an exporter that works")
            selector = "app.kubernetes.io/name=ncr-exporter"
            log = self._on.kubectl("logs", there, f"--selector={selector}", "--tail=-1")
            check("msg=serving" in log, "kubectl logs finds the pod by its label")
            command = ("ncr-exporter", "--version")
            version = self._on.kubectl("exec", there, f"svc/{RELEASE}", "--", *command)
            check(version.startswith("ncr-exporter "), "kubectl exec finds it by its Service")
            self._on.helm("uninstall", RELEASE, there)

    def _version(self) -> str:
        version = json.loads(self._on.kubectl("version", "--output=json"))["serverVersion"]
        return str(version["gitVersion"])

    def _rendered(self, values: Path, namespace: str) -> str:
        options = (f"--namespace={namespace}", f"--kube-version={self._version()}")
        return self._on.helm("template", RELEASE, str(CHART), f"--values={values}", *options)

    def _expect_all(self, what: str, manifest: str) -> int:
        wanted, found = len(_objects(manifest)), len(self._found(manifest))
        check(wanted == found > 0, f"{what}: {found} of {wanted} objects are there")
        return found

    def _found(self, manifest: str) -> list[str]:
        words = ("get", "-f", "-", "--ignore-not-found", "--output=name")
        return self._on.kubectl(*words, text=manifest).splitlines()

    def _gone(self, what: str, manifest: str) -> None:
        wait_until(lambda: not self._found(manifest), 60, every=0.5)
        say(f"ok: {what}: removed, {len(_objects(manifest))} objects are gone")

    @contextmanager
    def _namespace(self, suffix: str) -> Iterator[str]:
        name = f"{self._prefix}-{suffix}"
        self._on.kubectl("create", "namespace", name)
        labels = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in _RESTRICTED]
        self._on.kubectl("label", "namespace", name, *labels)
        try:
            yield name
        finally:
            self._on.kubectl("delete", "namespace", name, "--wait=false")


def _objects(manifest: str) -> list[Object]:
    return [each for each in yaml.safe_load_all(manifest) if each]


if __name__ == "__main__":
    sys.exit(main())
