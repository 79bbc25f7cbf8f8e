"""A Kubernetes cluster to check deploy/ on: one that is there, or one made for the check alone."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.checking import CheckError, asked, program

ROOT = Path(__file__).resolve().parents[1]
VARIABLE = "NCR_CLUSTER"
NAME = "ncr-exporter-check"
IMAGE = "localhost/ncr-exporter:check"
_RAW = "https://raw.githubusercontent.com"
_OPERATOR = "prometheus-operator/prometheus-operator/v0.93.1/example/prometheus-operator-crd"
_GATEWAY = "kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard"
CRDS = (
    f"{_RAW}/{_OPERATOR}/monitoring.coreos.com_servicemonitors.yaml",
    f"{_RAW}/{_OPERATOR}/monitoring.coreos.com_prometheusrules.yaml",
    f"{_RAW}/{_GATEWAY}/gateway.networking.k8s.io_httproutes.yaml",
)
"""The custom resources that the chart may hold, for a cluster that was made for the check."""


@dataclass(frozen=True)
class Cluster:
    """How kubectl and helm reach a cluster, and the exporter's image in it."""

    kubectl_command: tuple[str, ...]
    helm_command: tuple[str, ...]
    image: str | None
    """An image that its nodes have or can pull; None where no pod can be run."""
    is_own: bool = False
    """Whether it was made for this check, and may be given custom resources."""

    def kubectl(self, *words: str, text: str = "") -> str:
        """Return what kubectl prints; raises CheckError where it fails or warns."""
        return _without_warning((*self.kubectl_command, *words), text)

    def helm(self, *words: str) -> str:
        """Return what helm prints; raises CheckError where it fails or warns."""
        return _without_warning((*self.helm_command, *words), "")

    def refuses(self, text: str) -> bool:
        """Return whether the API server would not create this object."""
        words = (*self.kubectl_command, "create", "--dry-run=server", "-f", "-")
        done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)  # noqa: S603 -- no shell
        return done.returncode != 0


def _without_warning(command: tuple[str, ...], text: str) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)  # noqa: S603 -- no shell
    said = (done.stderr or done.stdout).strip()
    # What kubectl says of versions and helm of its kubeconfig is about neither chart nor base.
    warned = [x for x in said.splitlines() if x.startswith("Warning:") or "warnings.go" in x]
    warned = [line for line in warned if "version difference" not in line]
    if done.returncode or warned:
        shown = "\n".join(warned or said.splitlines()[-8:])
        raise CheckError(f"{' '.join(command[-6:])}:\n{shown}")
    return done.stdout


@contextmanager
def cluster(context: str | None, image: str | None) -> Iterator[Cluster]:
    """Give the cluster that was named, else one of kind's or k3d's, which is removed in the end.

    Raises:
        CheckError: None is named, and neither kind nor k3d is there.
    """
    if command := shlex.split(os.environ.get(VARIABLE, "")):
        yield Cluster((*command, "kubectl"), (*command, "helm"), image)
    elif context:
        kubectl = (program("kubectl"), f"--context={context}")
        yield Cluster(kubectl, (program("helm"), f"--kube-context={context}"), image)
    else:
        with tempfile.TemporaryDirectory() as folder, _made(Path(folder, "kubeconfig")) as made:
            yield made


@dataclass(frozen=True)
class _Maker:
    """The commands of a program that makes clusters."""

    create: tuple[str, ...]
    write_kubeconfig: tuple[str, ...]
    load: tuple[str, ...]
    delete: tuple[str, ...]


def _makers(config: Path) -> dict[str, _Maker]:
    """Return those that are known; the user's own kubeconfig is left alone."""
    return {
        "kind": _Maker(
            ("kind", "create", "cluster", f"--name={NAME}", f"--kubeconfig={config}", "--wait=3m"),
            ("kind", "export", "kubeconfig", f"--name={NAME}", f"--kubeconfig={config}"),
            ("kind", "load", "docker-image", f"--name={NAME}", IMAGE),
            ("kind", "delete", "cluster", f"--name={NAME}", f"--kubeconfig={config}"),
        ),
        "k3d": _Maker(
            ("k3d", "cluster", "create", NAME, "--wait", "--kubeconfig-update-default=false"),
            ("k3d", "kubeconfig", "write", NAME, f"--output={config}"),
            ("k3d", "image", "import", f"--cluster={NAME}", IMAGE),
            ("k3d", "cluster", "delete", NAME),
        ),
    }


@contextmanager
def _made(config: Path) -> Iterator[Cluster]:
    maker = next((how for name, how in _makers(config).items() if shutil.which(name)), None)
    if maker is None:
        raise CheckError(
            "needs a cluster: kind or k3d to make one, --context and the name of a context of your "
            f"kubeconfig, or {VARIABLE} with a command that takes `kubectl …` and `helm …`"
        )
    asked("docker", "build", "--quiet", "--tag", IMAGE, str(ROOT))
    asked(*maker.create)
    try:
        asked(*maker.write_kubeconfig)
        asked(*maker.load)
        reach = f"--kubeconfig={config}"
        kubectl, helm = (program("kubectl"), reach), (program("helm"), reach)
        yield Cluster(kubectl, helm, IMAGE, is_own=True)
    finally:
        asked(*maker.delete)
