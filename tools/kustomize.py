"""Overlays of the kustomizations in deploy/kubernetes, made where somebody wants to look at one."""

import os
from collections.abc import Sequence
from pathlib import Path

import yaml

KUSTOMIZATIONS = Path(__file__).resolve().parents[1] / "deploy" / "kubernetes"
BASES = ("base", "sharded")
COMPONENTS = sorted(folder.name for folder in (KUSTOMIZATIONS / "components").iterdir())


def write_overlay(
    folder: Path, base: str, components: Sequence[str] = (), namespace: str | None = None
) -> None:
    """Write the kustomization of a base with components into a folder."""
    # kustomize takes relative paths alone.
    here = Path(os.path.relpath(KUSTOMIZATIONS, folder.resolve()))
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(here / base)],
        "components": [str(here / "components" / name) for name in components],
        **({"namespace": namespace} if namespace else {}),
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
